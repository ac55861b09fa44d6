"""Which importer a source asks for, and what it may be told."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packages import install, on_path

from fermiloop.db_init.importers import dispatch
from fermiloop.db_init.importers.options import LoadOptions
from fermiloop.platform.errors import InputError, PluginError
from fermiloop.platform.plugins.importers import IMPORTERS, ImporterDeclaration


def test_every_kind_of_source_has_an_importer_and_known_options() -> None:
    known = set(LoadOptions.__dataclass_fields__)
    assert all(one.takes <= known and callable(one.code()) for one in IMPORTERS.values())


@pytest.mark.parametrize(
    ("source", "kind", "what"),
    [
        ("seed", "seed", ""),
        ("mp", "mp", ""),
        ("optimade:https://x.org/v1", "optimade", "https://x.org/v1"),
        ("jarvis:a/b.json.zip", "jarvis", "a/b.json.zip"),
        ("jobstore:mongodb://h/d/c.json", "jobstore", "mongodb://h/d/c.json"),
        ("pd-like.tar.gz", "campaign", "pd-like.tar.gz"),
        ("a.jsonl.gz", "jsonl", "a.jsonl.gz"),
        ("a.csv.gz", "table", "a.csv.gz"),
        ("x/POSCAR_2", "structures", "x/POSCAR_2"),
        ("a.extxyz", "structures", "a.extxyz"),
        *(
            (name, "structures", name)
            for name in (
                "a.cif",
                "a.CIF",
                "a.mcif",
                "a.cif.gz",
                "a.cif.bz2",
                "POSCAR",
                "POSCAR.gz",
                "CONTCAR.gz",
                "CONTCAR.relax1.gz",
                "NaCl_POSCAR",
                "nacl_CONTCAR",
                "nacl.POSCAR",
                "a.vasp",
                "a.poscar.xz",
                "XDATCAR",
                "XDATCAR.gz",
                "a.xyz.gz",
            )
        ),
        *((name, "jsonl", name) for name in ("a.json", "a.json.gz", "a.jsonl", "a.ndjson.xz")),
        *((name, "table", name) for name in ("a.csv", "a.tsv", "a.csv.bz2")),
    ],
)
def test_a_source_is_known_by_its_form(source: str, kind: str, what: str) -> None:
    assert dispatch.which(source) == (kind, what)


def test_a_folder_is_a_source_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    assert dispatch.which(str(tmp_path / "a.csv"))[0] == "structures"


@pytest.mark.parametrize("source", ["", "mars", "a.txt", "seed ", "mp2", "http://x.org", "a\n.cif2"])
def test_what_is_no_source_is_told(source: str) -> None:
    with pytest.raises(InputError, match="is no source: give seed"):
        dispatch.which(source)


@pytest.mark.parametrize(
    ("source", "options", "told"),
    [
        ("seed", {"limit": 3}, "--limit does not go with seed, which takes no option"),
        ("mp", {"filter": "nelements=2"}, "--filter does not go with mp"),
        ("a.csv", {"elements": ("Al",)}, "which takes --columns, --functional, --licence, --source"),
    ],
)
def test_an_option_that_does_not_go_with_a_source_is_told(source: str, options: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        dispatch.load(source, options=LoadOptions(**options))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"elements": ("Al", "Xx")}, "'Xx' is no element"),
        ({"chemsys": "Al-"}, "'' is no element"),
        ({"chemsys": "Al-Foo"}, "'Foo' is no element"),
        ({"limit": 0}, "at least 1, not 0"),
        ({"licence": "x" * 501}, "--licence must be 1 to 500"),
        ({"source": "a\nb"}, "--source must be"),
        ({"filter": " "}, "--filter must be"),
        ({"columns": {"a": "colour"}}, "'colour', which is no property"),
    ],
)
def test_options_are_checked(options: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        LoadOptions(**options)


DECLARED = """
from fermiloop.platform.plugins.importers import ImporterDeclaration

OURS = ImporterDeclaration("ours", "a word of its own", "group_code:load", "ours:(.*)", "ours:FILE")
CELLS = ImporterDeclaration("cells", "x", "group_code:load", r"(.*\\.cells\\.json)", "a .cells.json file", is_file=True)
FRAIL = ImporterDeclaration("frail", "fails", "group_code:load", "(.*)", is_file=True, holds="group_code:fail")
LAX = ImporterDeclaration("lax", "gives nothing", "group_code:nothing", "lax:(.*)", "lax:FILE")
"""
CODE = """
from fermiloop.db_init.importers.report import LoadReport

def load(what, progress, options):
    return LoadReport(len(what), 0, 0)

def fail(what):
    raise RuntimeError("no licence")

def nothing(what, progress, options):
    return None
"""


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    names = {"ours": "OURS", "cells": "CELLS", "frail": "FRAIL", "lax": "LAX"}
    entries = {name: f"group_declared:{attribute}" for name, attribute in names.items()}
    install(tmp_path, "a-group", {"group_declared": DECLARED, "group_code": CODE}, {"fermiloop.importers": entries})
    on_path(monkeypatch, tmp_path)
    IMPORTERS.reload()
    yield
    IMPORTERS.reload()
    for name in ("group_declared", "group_code"):
        sys.modules.pop(name, None)


def test_importers_of_packages_are_asked_before_ours_of_files_and_hurt_nobody(group: None) -> None:
    assert dispatch.which("ours:a.json") == ("ours", "a.json")
    assert dispatch.which("a.cells.json") == ("cells", "a.cells.json")
    assert dispatch.which("a.json") == ("jsonl", "a.json")  # the one that fails is passed over
    assert dispatch.load("ours:abc").loaded == 3
    with pytest.raises(InputError, match="--limit does not go with ours:a, which takes no option"):
        dispatch.load("ours:a", options=LoadOptions(limit=1))
    with pytest.raises(InputError, match="lax gave NoneType and no LoadReport"):
        dispatch.load("lax:a")
    with pytest.raises(InputError, match=r"mars is no source: give seed, mp, .*ours:FILE"):
        dispatch.which("mars")


@pytest.mark.parametrize("pattern", ["(", "oqmd:.*", "(a)(b)"])
def test_a_pattern_has_one_group(pattern: str) -> None:
    with pytest.raises(PluginError, match="The pattern of oqmd"):
        ImporterDeclaration("oqmd", "a database", "a:b", pattern)
