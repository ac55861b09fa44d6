"""Scheduled retraining: triggers, what may be learned, the gate."""
