"""Recorded answers in the place of calculations."""
