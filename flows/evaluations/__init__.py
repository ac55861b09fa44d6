"""Evaluations: these crystals, by this engine with these settings; of a campaign or for their own sake."""
