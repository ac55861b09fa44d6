"""Proposers that search without learning,."""
