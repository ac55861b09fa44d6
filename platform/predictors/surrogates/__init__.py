"""Surrogates: what predicts the parts of a target, chosen by name in the campaign file."""
