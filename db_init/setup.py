"""Preparing a database: migrations and indexes; may be repeated."""

from __future__ import annotations

from fermiloop.db_init import indexes
from fermiloop.db_init.importers.report import Progress, silent
from fermiloop.db_init.migrations import runner
from fermiloop.platform.store import connection, identity


def init(progress: Progress = silent) -> list[str]:
    """Bring the database up to date; returns what was done, one sentence each."""
    actions = runner.run()
    identity.settle()  # what a killed writer left
    progress("migrations", 0.5)
    created = indexes.create(connection.database())
    progress("indexes", 1.0)
    return actions + ([f"{created} indexes made again"] if created else [])


def migrate(*, dry_run: bool = False) -> list[str]:
    """Run the pending migrations, or tell what they would do."""
    return runner.run(dry_run)
