"""Campaigns repeated on what is known already, with the answers hidden: strategies compared without computing."""
