"""JSON of every kind that holds crystals: the content decides what it is, and whose numbers it holds."""

from __future__ import annotations

import bz2
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monty.json import MontyEncoder
from pymatgen.core import Lattice, Molecule, Species, Structure
from pymatgen.electronic_structure.core import Magmom
from pymatgen.entries.computed_entries import ComputedStructureEntry

from fermiloop.db_init.importers import dispatch, json_files
from fermiloop.db_init.importers.entries import Entry, Refusal
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.errors import InputError
from fermiloop.platform.store import labels, materials, methods


def salt(a: float = 4.1, pair: tuple[str, str] = ("Cs", "Cl")) -> dict[str, Any]:
    made: dict[str, Any] = Structure(Lattice.cubic(a), list(pair), [[0, 0, 0], [0.5, 0.5, 0.5]]).as_dict()
    return made


def optimade(**changes: Any) -> dict[str, Any]:
    attributes = {
        "lattice_vectors": [[4, 0, 0], [0, 4, 0], [0, 0, 4]], "cartesian_site_positions": [[0, 0, 0], [2, 2, 2]],
        "species_at_sites": ["Cs", "Cl"], "nsites": None, "nperiodic_dimensions": None, "structure_features": None,
        "elements": "Cl,Cs", "chemical_formula_reduced": "Cs2Cl2",
        "species": [{"name": name, "chemical_symbols": [name], "concentration": [1]} for name in ("Cs", "Cl")],
    }  # fmt: skip
    return {"id": "odd-1", "type": "structures", "attributes": attributes | changes}


def species(*symbols: str, shares: tuple[float, ...] = (1.0,), **more: Any) -> list[dict[str, Any]]:
    other = {"name": "Cl", "chemical_symbols": ["Cl"], "concentration": [1]}
    return [{"name": "Cs", "chemical_symbols": list(symbols), "concentration": list(shares), **more}, other]


def items(path: Path, content: Any, options: LoadOptions = NO_OPTIONS) -> list[Entry | Refusal]:
    """What is read of a content, nothing of it stored."""
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return [one for batch in json_files.batches(path, path.name, options, 1.0, []) for one in batch.read()]


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


ENTRY = ComputedStructureEntry(
    Structure.from_dict(salt()), -7.0, correction=-1.0, entry_id="x-1",
    parameters={"run_type": "GGA+U", "hubbards": {"Fe": 5.3, "Cl": 0}},
).as_dict()  # fmt: skip
HULL = {"energy_above_hull": None, "formation_energy_per_atom": -2.0}
ATTRIBUTES = {"attributes": optimade()["attributes"]}
FORMS: dict[str, Any] = {
    "structure": salt(), "list": [salt(), salt(4.2)], "entry": ENTRY, "entries": [ENTRY, ENTRY],
    "by name": {"a": salt(), "b": salt(4.2)},
    "summary": [
        {"material_id": "mp-lxf", "structure": salt(), **HULL}, {"material_id": "mp-2", "structure": salt(4.2)},
    ],
    "response of mp": {"data": [{"material_id": "mp-1", "structure": salt()}], "meta": {"total_doc": 1}},
    "lines of mp": lines({"material_id": "mp-1", "structure": salt()}, {"material_id": "mp-2", "structure": salt(4.2)}),
    "split": {"index": [0], "columns": ["structure", "y"], "data": [[salt(), 1.0]]},
    "records": [{"structure": salt(), "y": 1.0}], "columns": {"structure": {"0": salt()}, "y": {"0": 1.0}},
    "text": [
        {"cif": Structure.from_dict(salt()).to(fmt="cif")}, {"poscar": Structure.from_dict(salt(4.2)).to(fmt="poscar")},
    ],
    "optimade": {"data": [optimade()], "meta": {"api_version": "1.1.0"}, "links": {"next": None}},
    "optimade, one": {"data": optimade(), "meta": {"api_version": "1.1.0"}},
    "optimade, lines": lines(
        {"x-optimade": {"meta": {"api_version": "1.1.0"}}}, {"type": "info", "id": "structures"}, optimade(),
    ),
    "optimade, no header": lines(optimade(), optimade(lattice_vectors=[[4.2, 0, 0], [0, 4.2, 0], [0, 0, 4.2]])),
    "indented": json.dumps(salt(), indent=2), "indented list": json.dumps([salt(), salt(4.2)], indent=1),
}  # fmt: skip


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_known_by_its_content(tmp_path: Path, form: str, suffix: str) -> None:
    found = items(tmp_path / f"some.{suffix}", FORMS[form])
    assert found
    for one in found:
        assert isinstance(one, Entry), one
        assert one.structure.composition.element_composition.formula == "Cs1 Cl1"
        assert one.remarks == ()
    assert len({one.key for one in found}) == (1 if form in {"entries", "optimade, no header"} else len(found))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"a": 1}, "it is an object with the fields a"),
        ([1, 2], "it is a list"),
        ([], "its list is empty"),
        ("{", "is no JSON"),
        ("not json", "is no JSON"),
        ({"@class": "CompleteDos", "densities": {}, "energies": []}, "a density of states"),
        (Molecule(["O"], [[0, 0, 0]]).as_dict(), "a molecule"),
        ([{"uuid": "u", "output": {}}], "a list"),
        ({"@class": "VaspInputSet"}, "a VaspInputSet of another program"),
        ({"jid": "JVASP-1", "atoms": {}}, "jarvis:FILE reads"),
    ],
)
def test_what_holds_no_crystals_says_what_it_looks_like(tmp_path: Path, content: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        items(tmp_path / "some.json", content)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (optimade(nsites=3), "2 species for 2 positions"),
        (optimade(nperiodic_dimensions=2), "periodic in 2 of three"),
        (optimade(dimension_types=[1, 1, 0]), "periodic in 2 of three"),
        (optimade(structure_features=["disorder"]), "it has disorder"),
        (optimade(lattice_vectors=[[None, None, None]] * 3), "no lattice vectors"),
        (optimade(cartesian_site_positions=None), "no cartesian site positions"),
        (optimade(species_at_sites=None), "which species"),
        (optimade(species=species("Cs", "vacancy", shares=(0.9, 0.1))), "Cs 0.9, vacancy 0.1"),
        (optimade(species=species("vacancy")), "'vacancy' is no element"),
        (optimade(species=species("X")), "'X' is no element"),
        (optimade(species=species("Cs", shares=(0.5,))), "no single element"),
        (optimade(species=species("Cs", attached=["H"], nattached=[1])), "has H attached"),
        (optimade(species=None, species_at_sites=["Cs1", "Cl"]), "Cs1"),
        ({"structure": None, "material_id": "x"}, "an object with the fields structure"),
        ({"structure": 5, "material_id": "x"}, "no crystal in structure, but a int"),
        ({"structure": salt() | {"@class": "Slab"}}, "a Slab of pymatgen"),
        ({"structure": salt(), "band_gap": "wide"}, "no number"),
        ({"structure": salt(), "e_hull": 0.1, "energy_above_hull": 0.2}, "another field says 0.1"),
        ({"structure": salt(), "band_gap": float("inf")}, "no finite number"),
        ({"structure": salt(pair=("Cs", "Cl")), "formation_energy_per_atom": 4e3}, "outside -50 to 50"),
        ({"@class": "ComputedStructureEntry", "energy": 1, "structure": None}, "without a structure"),
    ],
)
def test_a_bad_record_is_refused_by_itself(tmp_path: Path, row: Any, told: str) -> None:
    bad, good = items(tmp_path / "some.jsonl", lines(row, {"structure": salt(), "id": "good"}))
    assert isinstance(bad, Refusal)
    assert told in bad.reason
    assert bad.line == 1
    assert isinstance(good, Entry)


def test_sites_that_are_no_ordered_crystal_are_refused(tmp_path: Path) -> None:
    mixed, dummy, flat = salt(), salt(), salt()
    mixed["sites"][0]["species"] = [{"element": "Cs", "occu": 0.5}, {"element": "K", "occu": 0.5}]
    dummy["sites"][0]["species"] = [{"element": "X0+", "occu": 1}]
    flat["lattice"]["pbc"] = [True, True, False]
    told = [one.reason for one in items(tmp_path / "x.json", [mixed, dummy, flat]) if isinstance(one, Refusal)]
    assert [
        any(word in reason for word in ("partial occupancy (Cs 0.5, K 0.5)", "'X0+'", "not periodic"))
        for reason in told
    ] == [True] * 3


def test_moments_oxidation_states_and_isotopes_of_pymatgen(tmp_path: Path) -> None:
    oxide = Structure(
        Lattice.cubic(4.2), [Species("Fe", 2), Species("O", -2)], [[0, 0, 0], [0.5, 0.5, 0.5]],
        site_properties={"magmom": [Magmom([0, 0, 4], saxis=[1, 0, 0]), Magmom(0)]},
    )  # fmt: skip
    content = json.loads(json.dumps(oxide.as_dict(), cls=MontyEncoder))
    content["charge"] = 1
    (found,) = items(tmp_path / "x.json", content)
    assert isinstance(found, Entry)
    assert [str(site.specie) for site in found.structure] == ["Fe2+", "O2-"]
    moments = found.structure.site_properties["magmom"]
    assert moments[0] == pytest.approx([4, 0, 0])
    assert found.remarks == ("The cell's charge of 1 was left out.",)
    heavy = salt()
    heavy["sites"][0]["species"][0]["element"] = "D"
    (water,) = items(tmp_path / "y.json", heavy)
    assert isinstance(water, Entry)
    assert water.remarks == ("Deuterium (D) was read as hydrogen.",)


def test_an_entry_keeps_its_raw_energy_and_its_functional(tmp_path: Path) -> None:
    notes: list[str] = []
    path = tmp_path / "x.json"
    path.write_text(json.dumps(ENTRY))
    (found,) = [one for batch in json_files.batches(path, "x.json", NO_OPTIONS, 1.0, notes) for one in batch.read()]
    assert isinstance(found, Entry)
    ((kind, value, method),) = found.numbers
    assert (str(kind), value, method.functional) == ("energy_per_atom", -3.5, "PBE+U")
    assert method.settings["hubbards"] == {"Fe": 5.3}
    assert notes == ["Corrections of computed entries were left out: energies are as they were computed."]


MATBENCH = [
    ("matbench_mp_e_form", "e_form", -2.0, "formation_energy_per_atom", -2.0, "Materials Project by matbench"),
    ("matbench_mp_gap", "gap pbe", 1.5, "band_gap", 1.5, "Materials Project by matbench"),
    ("matbench_log_kvrh", "log10(K_VRH)", 2.0, "bulk_modulus", 100.0, "Materials Project by matbench"),
    ("matbench_log_gvrh", "log10(G_VRH)", 1.0, "shear_modulus", 10.0, "Materials Project by matbench"),
    ("matbench_perovskites", "e_form", -1.0, "formation_energy_per_atom", -0.5, "Castelli by matbench"),
]


@pytest.mark.parametrize(("name", "column", "value", "kind", "right", "source"), MATBENCH)
def test_the_sets_of_matbench_say_what_their_column_is(
    tmp_path: Path, name: str, column: str, value: float, kind: str, right: float, source: str
) -> None:
    content = {
        "index": ["mb-1", "mb-2"],
        "columns": ["structure", column],
        "data": [[salt(), value], [salt(4.2), None]],
    }
    path = tmp_path / f"{name}.json.gz"
    path.write_bytes(gzip.compress(json.dumps(content).encode()))
    found = [one for batch in json_files.batches(path, path.name, NO_OPTIONS, 1.0, []) for one in batch.read()]
    first, second = found
    assert isinstance(first, Entry)
    assert isinstance(second, Entry)
    assert [(str(kind), value) for kind, value, _ in first.numbers] == [(kind, pytest.approx(right))]
    assert first.source["name"] == source
    assert second.numbers == ()


def test_a_set_of_an_unknown_name_gives_numbers_by_option_only(tmp_path: Path) -> None:
    content = {"index": ["a"], "columns": ["structure", "e_form"], "data": [[salt(), -2.0]]}
    (plain,) = items(tmp_path / "mine.json", content)
    assert isinstance(plain, Entry)
    assert plain.numbers == ()
    options = LoadOptions(
        columns={"e_form": "formation_energy_per_atom"}, source="mine", licence="MIT", functional="PBE"
    )
    (named,) = items(tmp_path / "mine.json", content, options)
    assert isinstance(named, Entry)
    assert [(str(kind), value, method.functional) for kind, value, method in named.numbers] == [
        ("formation_energy_per_atom", -2.0, "PBE")
    ]
    assert named.source == {"name": "mine", "key": "a", "licence": "MIT"}


LINE = {"cell": [4, 4, 4, 90, 90, 90], "species": ["Cs", "Cl"], "frac": [[0, 0, 0], [0.5, 0.5, 0.5]], "e_form": -2.0}


@pytest.mark.parametrize(
    ("row", "options", "name", "licence"),
    [
        (LINE | {"material_id": "mp-1"}, {}, "Materials Project", "CC BY 4.0, Materials Project"),
        (LINE | {"material_id": "mvc-1"}, {}, "Materials Project", "CC BY 4.0, Materials Project"),
        (LINE | {"material_id": "x-1"}, {}, "mine", "unknown"),
        (LINE | {"material_id": "x-1"}, {"source": "us", "licence": "MIT"}, "us", "MIT"),
        (LINE | {"material_id": "mp-1"}, {"source": "us", "licence": "MIT"}, "us", "MIT"),
        (LINE | {"material_id": "mp-1"}, {"source": "us"}, "us", "unknown"),
        (LINE | {"material_id": "x", "source": "AFLOW", "license": "CC0"}, {}, "AFLOW", "CC0"),
        (LINE | {"id": "x", "source": {"name": "AFLOW", "licence": "CC0"}}, {}, "AFLOW", "CC0"),
        ({"material_id": "mp-lxf", "structure": salt()}, {}, "Materials Project", "CC BY 4.0"),
        ({"material_id": "oqmd-1", "structure": salt()}, {}, "mine", "unknown"),
    ],
)
def test_source_and_licence_are_those_of_the_options_the_file_or_the_ids(
    tmp_path: Path, row: dict[str, Any], options: dict[str, str], name: str, licence: str
) -> None:
    (found,) = items(tmp_path / "mine.jsonl", lines(row), LoadOptions(**options))  # type: ignore[arg-type]
    assert isinstance(found, Entry)
    assert (found.source["name"], found.source["licence"]) == (name, licence)
    assert {method.settings["source"] for _, _, method in found.numbers} <= {name}


def test_a_first_line_may_say_whose_the_file_is(tmp_path: Path) -> None:
    head = {"source": "OQMD", "licence": "CC BY 4.0", "functional": "PBE"}
    (found,) = items(tmp_path / "mine.jsonl", lines(head, {"structure": salt(), "band_gap": 1.0}))
    assert isinstance(found, Entry)
    assert found.source["name"] == "OQMD"
    assert found.numbers[0][2].functional == "PBE"


def test_a_provider_that_is_known_gives_its_numbers(tmp_path: Path) -> None:
    row = optimade(_oqmd_delta_e=-1.5, _oqmd_band_gap=None)
    content = {"data": [row], "meta": {"provider": {"prefix": "oqmd"}, "api_version": "1.1"}}
    (found,) = items(tmp_path / "x.json", content)
    assert isinstance(found, Entry)
    assert [(str(kind), value) for kind, value, _ in found.numbers] == [("formation_energy_per_atom", -1.5)]
    assert found.source == {"name": "OQMD", "key": "odd-1", "licence": "CC BY 4.0"}


def test_a_dump_of_the_materials_project_is_stored_and_told(database: str, tmp_path: Path) -> None:
    moduli = {"bulk_modulus": {"vrh": 50.0, "voigt": 51.0}, "shear_modulus": None}
    rows = [
        {"material_id": "mp-lxf", "structure": salt(), **HULL, **moduli},
        {"material_id": "mp-2", "structure": None},
    ]
    path = tmp_path / "summary.json.bz2"
    path.write_bytes(bz2.compress(json.dumps(rows).encode("utf-16")))
    report = dispatch.load(str(path))
    assert report == LoadReport(1, 0, 1, report.notes)
    assert "taken as its own, CC BY 4.0" in report.notes[0]
    (found,) = materials.find(materials.MaterialQuery())
    assert found.source["key"] == "mp-lxf"
    values = {str(one.property): one.value for one in labels.of_material(found.id)}
    assert values == {"formation_energy_per_atom": -2.0, "bulk_modulus": 50.0}
    method = methods.get(labels.of_material(found.id)[0].method)
    assert method.settings == {"source": "Materials Project", "licence": "CC BY 4.0", "release": "unknown"}
    assert dispatch.load(str(path)) == LoadReport(0, 1, 1, ())


def test_a_complete_density_of_states_gives_the_crystal_with_its_curve(tmp_path: Path) -> None:
    energies = np.arange(-12, 12, 0.05)
    half = np.where(np.abs(energies - 1) < 0.5, 0.0, 1.0)  # a gap from 0.5 to 1.5 eV
    content = {
        "@module": "pymatgen.electronic_structure.dos", "@class": "CompleteDos", "efermi": 1.4, "structure": salt(),
        "energies": energies.tolist(), "densities": {"1": half.tolist(), "-1": half.tolist()}, "pdos": [],
    }  # fmt: skip
    (found,) = items(tmp_path / "dos.json", content)
    assert isinstance(found, Entry)
    assert found.curve is not None
    assert found.curve.gap == pytest.approx(1.0, abs=0.11)
    assert found.curve.values[np.abs(found.curve.energies - 3).argmin()] == pytest.approx(2.0)
    (short,) = items(tmp_path / "short.json", content | {"energies": energies[:9].tolist()})
    assert isinstance(short, Entry)
    assert short.curve is None
    assert "density of states was left out" in short.remarks[0]
