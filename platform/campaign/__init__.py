"""Campaigns as plain data: specification, decisions, budget, summary."""
