"""Numbered migrations, each with a dry run."""
