"""Preparing the ground: indexes, migrations, importers, the seed library."""
