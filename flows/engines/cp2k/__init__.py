"""CP2K: relaxed structure and energy by PBE."""
