"""``fermiloop campaign export``: a campaign with all that it stands on, as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fermiloop.platform.cli.output import AsJson, print_json, print_line
from fermiloop.platform.cli.progress import long_work


def export(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    file: Annotated[Path | None, typer.Argument(metavar="[FILE.tar.gz]", help="NAME.tar.gz unless named.")] = None,
    as_json: AsJson = False,
) -> None:
    """Export a campaign with its data, checkpoints and licences; fermiloop db load takes it in elsewhere."""
    from fermiloop.platform.app import campaigns
    from fermiloop.platform.store import connection

    path = file or Path(f"{name}.tar.gz")
    campaigns.check_export(path)
    connection.connect()
    with long_work(f"Export of {name}", quiet_for=5.0) as report:
        manifest = campaigns.export(name, path, progress=report)
    if as_json:
        print_json({"file": str(path), **manifest.model_dump(exclude={"members"})})
    else:
        counts = ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in manifest.counts.items() if n)
        print_line(f"Wrote {path}, {path.stat().st_size / 1e6:.1f} MB: {counts}.")
