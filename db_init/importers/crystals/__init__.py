"""Readers of crystals: the content of a file in, crystals with remarks or refusals in words out; nothing is stored."""
