"""Finding, showing and exporting materials."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Structure

from fermiloop.platform.representations.prototypes import PROTOTYPES

AXIS = np.linspace(-10.0, 8.0, 361)


def bump(centre: float) -> np.ndarray:
    return np.exp(-((AXIS - centre) ** 2))


@pytest.fixture
def library(database: str) -> dict[str, str]:
    """Three materials with densities of states and gaps: formula to id."""
    from fermiloop.platform.store import labels, materials, methods, spectra
    from fermiloop.schemas.vocabulary import Origin

    method = methods.save("gpaw", "PBE", {"cutoff": 400}, {"gpaw": "26.7"})
    crystals = {
        "Pd": (PROTOTYPES["A1"].build("Pd", None, volume_per_atom=15.0), -1.0, 0.0),
        "Ni": (PROTOTYPES["A1"].build("Ni", None, volume_per_atom=11.0), -1.4, 0.0),
        "AlNi": (PROTOTYPES["B2"].build("Al", "Ni", volume_per_atom=12.1), 4.0, 0.7),
    }
    ids = {}
    for formula, (crystal, centre, gap) in crystals.items():
        source = {"name": "test", "key": formula, "licence": "MIT"}
        ids[formula] = materials.save(crystal, origin=Origin.IMPORT, source=source)
        spectra.save(ids[formula], AXIS, bump(centre), method=method)
        labels.save(ids[formula], "band_gap", gap, method=method)
    return ids


@pytest.mark.parametrize(
    ("argv", "formulas"),
    [
        ("", ["AlNi", "Ni", "Pd"]),
        ("--elements Ni", ["AlNi", "Ni"]),
        ("--elements Ni,Al", ["AlNi"]),
        ("--elements Ni Al", ["AlNi"]),
        ("--elements Ni, Al --limit 3", ["AlNi"]),
        ("--elements Ni --elements Al", ["AlNi"]),
        ("--space-group 221", ["AlNi"]),
        ("--space-group Fm-3m", ["Ni", "Pd"]),
        ("--formula NiAl", ["AlNi"]),
        ("--chemical-system Ni", ["Ni"]),
        ("--chemical-system Ni-Al", ["AlNi"]),
        ("--sites 2:", ["AlNi"]),
        ("--range band_gap=0.5:eV", ["AlNi"]),
        ("--range band_gap=:0.5 --limit 1", ["Ni"]),
        ("--crystal-system hexagonal", []),
    ],
)
def test_find(cli: Callable[..., Any], library: dict[str, str], argv: str, formulas: list[str]) -> None:
    found = cli("materials", "find", *argv.split(), "--json")
    assert (found.code, found.err) == (0, "")
    assert sorted(row["formula"] for row in found.json()) == formulas


def test_most_similar_first(cli: Callable[..., Any], library: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    path.write_text("energy,dos\n" + "".join(f"{x:.3f},{y:.6f}\n" for x, y in zip(AXIS, bump(3.5), strict=True)))
    like_file = cli("materials", "find", "--dos-like", str(path), "--json").json()
    assert [row["formula"] for row in like_file] == ["AlNi", "Pd", "Ni"]
    for name in ("Pd", library["Pd"]):
        like_pd = cli("materials", "find", "--dos-like", name, "--json").json()
        assert [row["formula"] for row in like_pd] == ["Ni", "AlNi"], "the material itself is left out"
        assert 0.9 < like_pd[0]["dos_similarity"] < 1.0
    narrowed = cli("materials", "find", "--dos-like", "Pd", "--elements", "Al", "--json").json()
    assert [row["formula"] for row in narrowed] == ["AlNi"]


def test_nearest_by_another_metric_in_a_window(
    cli: Callable[..., Any], library: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "short.csv"  # covers the window, not the grid
    path.write_text("".join(f"{x:.3f},{y:.6f}\n" for x, y in zip(AXIS, bump(0.2), strict=True) if abs(x) < 6))
    asked = ("--dos-like", str(path), "--metric", "wasserstein", "--window", "-5:5")
    rows = cli("materials", "find", *asked, "--json").json()
    assert sorted(row["formula"] for row in rows) == ["AlNi", "Ni", "Pd"]
    distances = [row["dos_distance"] for row in rows]
    assert distances == sorted(distances)
    assert "DOS distance (eV)" in cli("materials", "find", *asked).out
    assert len(cli("materials", "find", *asked, "--limit", "2", "--json").json()) == 2
    assert "covers" in cli("materials", "find", "--dos-like", str(path)).err.replace("cover ", "covers ")


@pytest.mark.parametrize(
    ("argv", "formulas"),
    [
        ("--sort volume_per_atom", ["Ni", "AlNi", "Pd"]),
        ("--sort -volume_per_atom --limit 2", ["Pd", "AlNi"]),
        ("--sort volume_per_atom --descending --limit 1", ["Pd"]),
        ("--sort -band_gap --limit 1", ["AlNi"]),
        ("--sort -band_gap --elements Ni", ["AlNi", "Ni"]),
        ("--sort band_gap --elements Ni", ["Ni", "AlNi"]),
    ],
)
def test_sorted(cli: Callable[..., Any], library: dict[str, str], argv: str, formulas: list[str]) -> None:
    found = cli("materials", "find", *argv.split(), "--json")
    assert [row["formula"] for row in found.json()] == formulas, found.err


def test_ties_are_broken_by_the_id(cli: Callable[..., Any], library: dict[str, str]) -> None:
    metals = sorted((library["Ni"], library["Pd"]))
    for asked, ids in (("band_gap", [*metals, library["AlNi"]]), ("-band_gap", [library["AlNi"], *metals])):
        assert [row["id"] for row in cli("materials", "find", "--sort", asked, "--json").json()] == ids
    for asked in ("n_sites", "id"):
        assert [row["id"] for row in cli("materials", "find", "--sort", asked, "--limit", "2", "--json").json()] == (
            metals if asked == "n_sites" else sorted(library.values())[:2]
        )


def test_values_with_their_units_and_their_method(cli: Callable[..., Any], library: dict[str, str]) -> None:
    from fermiloop.platform.store import labels, methods

    labels.save(library["AlNi"], "energy_above_hull", 0.25, method=methods.save("vasp", "PBE", {}, {"vasp": "6.4"}))
    (row,) = cli("materials", "find", "--formula", "NiAl", "--json").json()
    assert (row["band_gap"], row["energy_above_hull"], row["units"]) == (0.7, None, {"band_gap": "eV"})
    (label,) = [one for one in cli("materials", "show", row["id"], "--json").json()["labels"] if one["value"] == 0.7]
    assert row["method"] == label["method"], "of the Method of the curve, never of two"
    (head,) = list(csv.DictReader(io.StringIO(cli("materials", "find", "--formula", "NiAl", "--csv").out)))
    assert head["band_gap (eV)"] == "0.7"
    assert head["energy_above_hull (eV/atom)"] == ""
    table = cli("materials", "find").out
    assert "band gap (eV)" in table
    assert "above hull" not in table, "a column that nothing has is left out"


def test_chosen_columns(cli: Callable[..., Any], library: dict[str, str]) -> None:
    asked = ("materials", "find", "--sort", "-band_gap", "--columns", "formula", "band_gap")
    rows = cli(*asked, "--json").json()
    assert rows[0] == {"formula": "AlNi", "band_gap": 0.7}
    assert cli(*asked, "--csv").out.splitlines()[:2] == ["formula,band_gap (eV)", "AlNi,0.7"]
    assert library["Pd"] not in cli(*asked).out
    like = cli("materials", "find", "--dos-like", "Pd", "--columns", "formula,dos_similarity", "--json").json()
    assert [set(row) for row in like] == [{"formula", "dos_similarity"}] * 2


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ("--sort bandgap", "did you mean band_gap? Known are id, formula,"),
        ("--sort zzz", "known are id, formula,"),
        ("--sort source", "no column to sort by"),
        ("--descending", "--sort"),
        ("--sort id --dos-like Pd", "--dos-like"),
        ("--columns zzz", "known are id, formula,"),
        ("--columns ,", "is empty"),
        ("--space-group 231", "1 to 230"),
        ("--space-group cubic", "1 to 230"),
        ("--elements Pd Xx", "'Xx' is no element"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(cli: Callable[..., Any], argv: str, words: str) -> None:
    for noun in ("materials", "candidates"):
        refused = cli(noun, "find", *argv.split())
        assert (refused.code, refused.out) == (2, "")
        assert words in refused.err or (noun, argv) in {
            ("candidates", "--sort bandgap"),
            ("candidates", "--sort source"),
        }
        assert len(refused.err.splitlines()) == 1


def test_csv_table_and_cif(cli: Callable[..., Any], library: dict[str, str], tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(cli("materials", "find", "--csv").out)))
    assert {row["id"] for row in rows} == set(library.values())
    assert library["AlNi"] in cli("materials", "find").out
    assert cli("materials", "find", "--elements", "Al", "--cif", str(tmp_path / "cif")).code == 0
    (path,) = (tmp_path / "cif").iterdir()
    assert Structure.from_file(path).composition.reduced_formula == "AlNi"


def test_show(cli: Callable[..., Any], library: dict[str, str]) -> None:
    shown = cli("materials", "show", library["AlNi"], "--json").json()
    assert shown["chemical_system"] == "Al-Ni"
    assert [(label["property"], label["value"]) for label in shown["labels"]] == [("band_gap", 0.7)]
    assert Structure.from_dict(shown["structure"]).composition.reduced_formula == "AlNi"
    assert "band_gap" in cli("materials", "show", library["AlNi"]).out


def test_show_lists_the_cells_in_which_it_came(cli: Callable[..., Any], library: dict[str, str]) -> None:
    from fermiloop.platform.store import materials
    from fermiloop.schemas.material import structure_id

    large = materials.structure(library["AlNi"]) * (2, 1, 1)
    large = large.copy(site_properties={"magmom": [1.0, -1.0, 1.0, -1.0]})
    assert materials.save(large, origin="import", source={"name": "other", "key": "x"}) == library["AlNi"]
    shown = cli("materials", "show", structure_id(large), "--json").json()
    assert (shown["id"], len(shown["settings"])) == (library["AlNi"], 2)
    kept = next(one for one in shown["settings"] if one["source"]["name"] == "other")
    assert Structure.from_dict(kept["structure"]).site_properties["magmom"] == [1.0, -1.0, 1.0, -1.0]
    assert "2 settings, as they came" in cli("materials", "show", library["AlNi"]).out


def test_export(cli: Callable[..., Any], library: dict[str, str], tmp_path: Path) -> None:
    said = cli("materials", "export", str(tmp_path / "all.json"))
    assert (said.code, said.out) == (0, f"Wrote 3 materials to {tmp_path / 'all.json'}.\n")
    records = json.loads((tmp_path / "all.json").read_text())["records"]
    assert {row["id"] for row in records if row["type"] == "material"} == set(library.values())
    assert cli("materials", "export", str(tmp_path / "ni.csv"), "--elements", "Ni").code == 0
    assert len((tmp_path / "ni.csv").read_text().splitlines()) == 3
    said = cli("materials", "export", str(tmp_path / "folder"))
    assert (said.code, said.out) == (0, f"Wrote 3 crystals and index.csv to {tmp_path / 'folder'}.\n")
    assert len(list((tmp_path / "folder").glob("*.cif"))) == 3
    assert cli("materials", "export", str(tmp_path / "poscar"), "--form", "poscar", "--limit", "2").code == 0
    assert len(list((tmp_path / "poscar").glob("*.vasp"))) == 2
    assert cli("materials", "export", str(tmp_path / "x.optimade.jsonl.gz"), "--formula", "Pd").code == 0
    loaded = cli("db", "load", str(tmp_path / "x.optimade.jsonl.gz"), "--json").json()
    assert (loaded["loaded"], loaded["already"], loaded["quarantined"]) == (0, 1, 0)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ("all.xlsx", "names no format"),
        ("all.json --form cif", "--form is for a folder"),
        ("folder --form pdb", "did you mean"),
        ("none/all.json", "There is no folder"),
    ],
)
def test_an_export_that_cannot_be_is_refused_in_words(
    cli: Callable[..., Any], database: str, tmp_path: Path, argv: str, words: str
) -> None:
    to, *more = argv.split()
    for noun in ("materials", "candidates"):
        refused = cli(noun, "export", str(tmp_path / to), *more)
        assert (refused.code, refused.out) == (2, "")
        assert words in refused.err or "known are" in refused.err
    assert list(tmp_path.glob("*.*")) == []


def test_a_programs_file_is_read_and_what_was_assumed_is_told(
    cli: Callable[..., Any], library: dict[str, str], tmp_path: Path
) -> None:
    rows = "".join(f"{x + 4:.3f} {y:.6f}\n" for x, y in zip(AXIS, bump(3.5), strict=True))
    (tmp_path / "pwscf.dos").write_text(f"#  E (eV)   dos(E)  EFermi = 4.000 eV\n{rows}")
    found = cli("materials", "find", "--dos-like", str(tmp_path / "pwscf.dos"), "--json")
    assert [row["formula"] for row in found.json()] == ["AlNi", "Pd", "Ni"]
    assert "The Fermi level 4 eV of the heading was taken." in found.err
    (tmp_path / "x-dos.dat").write_text(rows)
    refused = cli("materials", "find", "--dos-like", str(tmp_path / "x-dos.dat"))
    assert refused.code == 2
    assert "--fermi" in refused.err
    told = cli("materials", "find", "--dos-like", str(tmp_path / "x-dos.dat"), "--fermi", "4", "--json")
    assert [row["formula"] for row in told.json()] == ["AlNi", "Pd", "Ni"]
    assert "--dos-like" in cli("materials", "find", "--dos-like", "Pd", "--one-spin").err
