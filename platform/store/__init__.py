"""The only place that queries the database."""
