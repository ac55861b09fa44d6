"""Declarations of installed packages are found by their entry points; a broken one is named and hurts nobody."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from packages import install, on_path

from fermiloop.platform.errors import PluginError
from fermiloop.platform.plugins.catalogue import Broken, Catalogue, Source
from fermiloop.platform.plugins.declaration import Declaration, load

DECLARE = "from fermiloop.platform.plugins.declaration import Declaration\n"
GOOD = DECLARE + "HERS = Declaration('hers', 'of a group')\n"


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Catalogue[Declaration]:
    install(tmp_path, "ours-declared", {"ours_declared": DECLARE + "OURS = Declaration('ours', 'built in')\n"}, {})
    on_path(monkeypatch, tmp_path)
    return Catalogue("things", Declaration, ("ours_declared",))


def test_ours_come_first_and_an_installed_package_adds_its_own(
    catalogue: Catalogue[Declaration], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert list(catalogue) == ["ours"]
    folder = tmp_path / "a"
    folder.mkdir()
    install(folder, "a-group", {"a_group": GOOD}, {"fermiloop.things": {"hers": "a_group:HERS"}}, "2.1")
    on_path(monkeypatch, folder)
    assert "hers" not in catalogue
    catalogue.reload()
    assert list(catalogue) == ["ours", "hers"]
    assert catalogue["hers"].title == "of a group"
    assert catalogue.source("hers") == Source("a-group", "2.1")
    assert catalogue.source("ours") is None
    assert catalogue.broken == ()


@pytest.mark.parametrize(
    ("text", "name", "place", "reason"),
    [
        (GOOD, "ours", "bad_group:HERS", "the name ours is taken by fermiloop"),
        (GOOD, "other", "bad_group:HERS", "its entry point is named other, its declaration hers"),
        (GOOD, "hers", "bad_group:HIS", "bad_group has no HIS."),
        ("HERS = 1\n", "hers", "bad_group:HERS", "bad_group:HERS is int and no Declaration"),
        ("raise RuntimeError('no licence')\n", "hers", "bad_group:HERS", "RuntimeError: no licence"),
        ("raise SystemExit(3)\n", "hers", "bad_group:HERS", "SystemExit: 3"),
        ("def __getattr__(name):\n    import no_such_package\n", "hers", "bad_group:HERS", "No module named"),
        ("def f(:\n", "hers", "bad_group:HERS", "SyntaxError"),
        ("import no_such_package\n", "hers", "bad_group:HERS", "No module named 'no_such_package'"),
        (DECLARE + "HERS = Declaration('Hers!', 'x')\n", "hers", "bad_group:HERS", "'Hers!' is no name"),
        (DECLARE + "HERS = Declaration('hers', ' ')\n", "hers", "bad_group:HERS", "says nothing"),
    ],
)
def test_what_is_broken_is_named_with_its_reason(
    text: str,
    name: str,
    place: str,
    reason: str,
    catalogue: Catalogue[Declaration],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    monkeypatch.delitem(sys.modules, "bad_group", raising=False)
    install(folder, "bad-group", {"bad_group": text}, {"fermiloop.things": {name: place}})
    on_path(monkeypatch, folder)
    assert list(catalogue) == ["ours"]
    (broken,) = catalogue.broken
    assert (broken.group, broken.name, broken.distribution) == ("fermiloop.things", name, "bad-group")
    assert reason in broken.reason
    sys.modules.pop("bad_group", None)


@pytest.mark.timeout(60)
def test_a_declaration_may_be_made_of_another_of_its_catalogue(
    catalogue: Catalogue[Declaration], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = (
        "from dataclasses import replace\nimport catalogue_of_test\n"
        "HERS = replace(catalogue_of_test.THINGS['ours'], name='hers')\nTHERE = sorted(catalogue_of_test.THINGS)\n"
    )
    folder = tmp_path / "a"
    folder.mkdir()
    install(folder, "a-group", {"variant_group": text}, {"fermiloop.things": {"hers": "variant_group:HERS"}})
    on_path(monkeypatch, folder)
    monkeypatch.setitem(sys.modules, "catalogue_of_test", SimpleNamespace(THINGS=catalogue))
    assert {name: one.title for name, one in catalogue.items()} == {"ours": "built in", "hers": "built in"}
    assert catalogue.broken == ()
    assert sys.modules["variant_group"].THERE == ["ours"]


def test_of_two_packages_with_one_name_the_first_is_taken_and_the_other_is_named(
    catalogue: Catalogue[Declaration], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "two"
    folder.mkdir()
    for name in ("b-group", "a-group"):
        module = name.replace("-", "_two_")
        install(folder, name, {module: GOOD}, {"fermiloop.things": {"hers": f"{module}:HERS"}})
    on_path(monkeypatch, folder)
    assert catalogue.source("hers") == Source("a-group", "1.0")
    assert catalogue.broken == (
        Broken("fermiloop.things", "hers", "b-group", "the name hers is taken by a-group", "1.0"),
    )


@pytest.mark.parametrize("place", ["", "module", "module:", ":attribute", "os.system('x'):y", "a b:c"])
def test_a_text_that_is_no_place_is_refused(place: str) -> None:
    with pytest.raises(PluginError, match="is no place of code"):
        load(place)


def test_an_attribute_of_an_attribute_is_found() -> None:
    assert load("pathlib:Path.cwd") == Path.cwd


def test_what_declares_itself_in_a_package_is_found_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("", "later", "first", "bare"):
        (tmp_path / "found_there" / name).mkdir()
        (tmp_path / "found_there" / name / "__init__.py").touch()
    for name in ("later", "first"):
        text = DECLARE + f"ONE = Declaration({name!r}, 'of ours')\n"
        (tmp_path / "found_there" / name / "declaration.py").write_text(text, encoding="utf-8")
    on_path(monkeypatch, tmp_path)
    own = ("found_there.later.declaration", "found_there.*.declaration")
    assert list(Catalogue("none_of_these", Declaration, own)) == ["later", "first"]
    assert list(Catalogue("none_of_these", Declaration, own[1:])) == ["first", "later"]
