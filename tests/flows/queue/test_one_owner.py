"""FireWorks' collections are queried by `flows.queue.documents` alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OWNER = ROOT / "flows" / "queue" / "documents"
MIGRATIONS = ROOT / "db_init" / "migrations"  # of a store as it was, which today's owner does not know
COLLECTIONS = ("fireworks", "launches", "workflows")


def queries(code: str) -> list[int]:
    """Lines that reach for a collection, as an attribute or by its name; imported modules are none."""
    found = []
    for node in ast.walk(ast.parse(code)):
        by_attribute = isinstance(node, ast.Attribute) and node.attr in COLLECTIONS
        by_name = (
            isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value in COLLECTIONS
        )
        if by_attribute or by_name:
            found.append(node.lineno)
    return found


@pytest.mark.parametrize(
    ("code", "n"),
    [
        ("pad.fireworks.find({})", 1),
        ("rows = pad.launches\nrows.find({})", 1),
        ("database['workflows'].find({})", 1),
        ("from fireworks import LaunchPad\nfireworks.is_queued(pad, one)", 0),
    ],
)
def test_a_query_is_seen(code: str, n: int) -> None:
    assert len(queries(code)) == n


def test_nothing_but_the_owner_queries_the_collections() -> None:
    files = [path for room in ("flows", "platform", "schemas", "db_init") for path in (ROOT / room).rglob("*.py")]
    inside = [path for path in files if OWNER in path.parents]
    outside = [path for path in files if OWNER not in path.parents and MIGRATIONS not in path.parents]
    assert any(queries(path.read_text(encoding="utf-8")) for path in inside)
    found = [f"{path.relative_to(ROOT)}:{line}" for path in outside for line in queries(path.read_text("utf-8"))]
    assert found == []
