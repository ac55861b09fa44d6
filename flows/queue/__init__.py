"""FireWorks' queue: what waits, runs and failed, in the store's own database."""
