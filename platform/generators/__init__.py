"""Generators that learn from the store and propose crystals."""
