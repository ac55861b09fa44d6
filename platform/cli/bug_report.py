"""``fermiloop bug-report``: one file with what a maintainer asks for first, and without secrets."""

from __future__ import annotations

import json
import platform
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fermiloop.platform.app.secrets import without_secrets
from fermiloop.platform.cli.output import print_line
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

LINES: Final = 60  # of the end of each log
MOST_LOGS: Final = 12  # the newest
LONGEST: Final = 400  # characters of a line


def bug_report(
    to: Annotated[Path, typer.Argument(help="The file that is written, as JSON.")] = Path("fermiloop-report.json"),
) -> None:
    """Write versions, settings, checks, states and the ends of the logs into one file, secrets taken out."""
    if to.exists():
        raise InputError(f"{to} exists; name another file.")
    to.write_text(json.dumps(collect(), indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    print_line(f"Wrote {to}; look through it before you send it.")


def collect() -> object:
    """Everything that is reported, each part by itself so that one that fails hides no other."""
    parts: dict[str, Callable[[], object]] = {
        "machine": _machine,
        "versions": _versions,
        "settings": _settings,
        "checks": _checks,
        "store": _store,
        "logs": _logs,
    }
    made = {"made_at": datetime.now(UTC).isoformat(timespec="seconds")}
    return without_secrets(made | {name: _guarded(look) for name, look in parts.items()})


def _guarded(look: Callable[[], object]) -> object:
    try:
        return look()
    except Exception as error:  # noqa: BLE001  (a report is made just where something is broken)
        return {"not available": f"{type(error).__name__}: {error}"}


def _machine() -> dict[str, str]:
    return {"system": platform.platform(), "python": platform.python_version(), "machine": platform.machine()}


def _versions() -> dict[str, str | None]:
    from fermiloop.platform.cli.doctor import PACKAGES, package_version

    return {name.lower(): package_version(name) for name in PACKAGES}


def _settings() -> dict[str, object]:
    from fermiloop.platform.settings import settings

    return settings().model_dump(mode="json")


def _checks() -> list[dict[str, object]]:
    from dataclasses import asdict

    from fermiloop.platform.cli.doctor import installed

    return [asdict(check) for check in installed()]


def _store() -> dict[str, object]:
    from fermiloop.platform.app import calculations
    from fermiloop.platform.app import campaigns as known
    from fermiloop.platform.store import connection

    connection.connect()
    database = connection.database()
    campaigns = [
        {"name": one.name, "state": one.state, "reason": one.reason, "evaluated": one.evaluated, "failed": one.failed}
        for one in known.glances(20)
    ]
    failed = [
        {"id": one.id, "engine": str(one.engine), "error": one.error}
        for one in calculations.find(state="failed", limit=20)
    ]
    counts = {name: database[name].estimated_document_count() for name in sorted(database.list_collection_names())}
    return {"documents": counts, "campaigns": campaigns, "failed_calculations": failed}


def _logs() -> dict[str, list[str]]:
    from fermiloop.platform.settings import settings

    folder = settings().data_dir.expanduser()
    found = sorted(folder.rglob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)[:MOST_LOGS]
    return {str(path.relative_to(folder)): _end(path) for path in found}


def _end(path: Path) -> list[str]:
    with path.open(encoding="utf-8", errors="replace") as lines:
        return [line.rstrip("\n")[:LONGEST] for line in deque(lines, maxlen=LINES)]
