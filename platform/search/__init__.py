"""Proposers that search without learning, and the registry of all."""
