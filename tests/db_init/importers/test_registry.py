"""Which importer a source asks for, and what it may be told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fermiloop.db_init.importers import registry
from fermiloop.db_init.importers.options import LoadOptions
from fermiloop.db_init.importers.registry import IMPORTERS, Source
from fermiloop.platform.errors import InputError


def test_every_kind_of_source_has_an_importer_and_known_options() -> None:
    assert set(IMPORTERS) == set(Source)
    known = set(LoadOptions.__dataclass_fields__)
    assert all(importer.takes <= known for importer in IMPORTERS.values())


@pytest.mark.parametrize(
    ("source", "kind", "what"),
    [
        ("seed", Source.SEED, ""),
        ("mp", Source.MATERIALS_PROJECT, ""),
        ("optimade:https://x.org/v1", Source.OPTIMADE, "https://x.org/v1"),
        ("jarvis:a/b.json.zip", Source.JARVIS, "a/b.json.zip"),
        ("jobstore:mongodb://h/d/c.json", Source.JOBSTORE, "mongodb://h/d/c.json"),
        ("pd-like.tar.gz", Source.CAMPAIGN, "pd-like.tar.gz"),
        ("a.jsonl.gz", Source.JSONL, "a.jsonl.gz"),
        ("a.csv.gz", Source.TABLE, "a.csv.gz"),
        ("x/POSCAR_2", Source.STRUCTURES, "x/POSCAR_2"),
        ("a.extxyz", Source.STRUCTURES, "a.extxyz"),
        *(
            (name, Source.STRUCTURES, name)
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
        *((name, Source.JSONL, name) for name in ("a.json", "a.json.gz", "a.jsonl", "a.ndjson.xz")),
        *((name, Source.TABLE, name) for name in ("a.csv", "a.tsv", "a.csv.bz2")),
    ],
)
def test_a_source_is_known_by_its_form(source: str, kind: Source, what: str) -> None:
    assert registry.which(source) == (kind, what)


def test_a_folder_is_a_source_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    assert registry.which(str(tmp_path / "a.csv"))[0] is Source.STRUCTURES


@pytest.mark.parametrize("source", ["", "mars", "a.txt", "seed ", "mp2", "http://x.org", "a\n.cif2"])
def test_what_is_no_source_is_told(source: str) -> None:
    with pytest.raises(InputError, match="is no source: give seed"):
        registry.which(source)


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
        registry.load(source, options=LoadOptions(**options))


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
