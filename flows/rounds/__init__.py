"""The steps of a round, a Maker each."""
