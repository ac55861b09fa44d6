"""Interstitial hydrogen by GPAW: what `gpaw` gives, and what a hydrogen atom gains or costs in the crystal."""
