"""The papers' tables and ours beside them."""
