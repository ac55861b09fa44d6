"""What an import has taken in, and where it goes on."""

from __future__ import annotations

from collections.abc import Callable

from fermiloop.platform.store import imports
from fermiloop.schemas.material import Material


def test_a_batch_is_seen_while_its_materials_are_there(stored: Callable[..., str]) -> None:
    ids = [stored("Al"), stored("Ni")]
    assert imports.seen("b-1") is None
    for _ in range(2):
        imports.note("b-1", source="x", materials=[*ids, ids[0]], n=3, refused=1)
    found = imports.seen("b-1")
    assert found is not None
    assert (found.n, found.refused, sorted(found.materials)) == (3, 1, sorted(ids))
    Material.objects(id=ids[0]).delete()
    assert imports.seen("b-1") is None


def test_an_empty_batch_is_seen_as_well(database: str) -> None:
    imports.note("b-2", source="x", materials=[], n=0, refused=7)
    assert imports.seen("b-2") is not None


def test_a_cursor_moves_and_goes(database: str) -> None:
    assert imports.cursor("run-1") is None
    for place in ("page 2", "page 3"):
        imports.move_cursor("run-1", "x", place)
    assert imports.cursor("run-1") == "page 3"
    assert imports.cursor("run-2") is None
    imports.move_cursor("run-1", "x", None)
    imports.move_cursor("run-1", "x", None)
    assert imports.cursor("run-1") is None
