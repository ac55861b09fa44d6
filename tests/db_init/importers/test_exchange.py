"""What fermiloop writes it reads back: the same bytes from an empty store, nothing twice, nothing overwritten."""

from __future__ import annotations

import gzip
import json
import shutil
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymongo import MongoClient

from fermiloop.db_init.importers import dispatch, exchange_file
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.errors import InputError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import (
    candidates,
    connection,
    exchange,
    exchange_records,
    exports,
    labels,
    materials,
    methods,
    quarantine,
    spectra,
)  # fmt: skip
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.label import Label
from fermiloop.schemas.material import Material, structure_id
from fermiloop.schemas.vocabulary import Origin, Stage

FORMS = ("all.jsonl", "all.json", "all.jsonl.gz", "all.json.gz")
LINES = ("all.optimade.jsonl", "all.optimade.jsonl.gz")
X = np.linspace(-10.0, 10.0, 401)


def everything() -> exchange_records.Selection:
    return exchange_records.of_materials(row["_id"] for row in connection.database()["materials"].find({}, {"_id": 1}))


def documents() -> dict[str, list[dict[str, Any]]]:
    """Materials, labels, curves and Methods without the moments at which they came."""
    found = {}
    for name in ("materials", "settings", "labels", "spectra", "methods"):
        rows = sorted(connection.database()[name].find(), key=lambda row: row["_id"])
        found[name] = [{key: value for key, value in row.items() if key != "created_at"} for row in rows]
    return found


@pytest.fixture
def filled(database: str) -> dict[str, str]:
    """Materials of every origin, several Methods, versions, curves of two kinds, a source not in ASCII: name to id."""
    rng = np.random.default_rng(3)
    gpaw = methods.save("gpaw", "PBE", {"cutoff": 400, "smearing": 0.1, "grid": [4, 4, 4]}, {"gpaw": "26.7"})
    other = methods.save("external", "HSE06", {"source": "Zürich Ångström 研究所", "licence": "CC BY 4.0"}, {})
    phonons = methods.save("external", "PBE", {"source": "phonons"}, {})
    ids, gaps = {}, {"Al": 0.0, "Ni": 1.5, "Pd": None}
    for place, (name, origin) in enumerate({"Al": Origin.SEED, "Ni": Origin.IMPORT, "Pd": Origin.CAMPAIGN}.items()):
        crystal = Structure(Lattice.cubic(3.9 + 0.1 * place + 1 / 3), [name], [[0.1, 0.2, 1 / 3]])
        source = {"name": "Zürich Ångström 研究所", "key": f"{name}/№ {place}", "licence": "CC BY 4.0"}
        ids[name] = materials.save(crystal, origin=origin, source=source, prototype=f"A1 „{name}“")
        labels.save(ids[name], "band_gap", 1 / 3 + place, method=gpaw, calculation="calc-0123456789abcdef")
        labels.save(ids[name], "band_gap", 0.1 + place, method=gpaw)  # a later version
        labels.save(ids[name], "band_gap", 5.5, method=other, entry=f"№ {place}")
        labels.save(ids[name], "magnetic_moment", -2.2, method=other)
        spectra.save(ids[name], X, rng.random(401), method=gpaw, n_electrons=11.0, calculation="calc-1", gap=gaps[name])
    points = np.linspace(0.0, 12.0, 50)
    spectra.save(ids["Al"], points, rng.random(50), method=phonons, kind=SpectrumKind.PHONON_DOS)
    ids["bare"] = materials.save(
        Structure(Lattice.hexagonal(2.7, 4.4), ["Ti", "Ti"], [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]),
        origin=Origin.IMPORT,
        source={},
    )
    return ids


@pytest.fixture
def elsewhere(filled: dict[str, str], server_uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Move on to another, empty database, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"

    def move() -> None:
        monkeypatch.setenv("FERMILOOP_DATABASE", name)
        settings.cache_clear()
        connection.connect()

    yield move
    with MongoClient(server_uri) as client:
        client.drop_database(name)


@pytest.fixture
def written(filled: dict[str, str], tmp_path: Path) -> Path:
    """JSON lines of all of it."""
    exports.write(everything(), tmp_path / "all.jsonl")
    return tmp_path / "all.jsonl"


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def spoil(path: Path, change: Callable[[list[dict[str, Any]]], Any]) -> Path:
    """The file with its lines changed."""
    lines = lines_of(path)
    change(lines)
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def first(lines: list[dict[str, Any]], kind: str = "material") -> dict[str, Any]:
    return next(line for line in lines if line.get("type") == kind)


def reasons() -> list[str]:
    return [entry.reason for entry in quarantine.find()]


@pytest.mark.parametrize("name", FORMS)
def test_to_an_empty_store_and_out_again_are_the_same_bytes(
    filled: dict[str, str], elsewhere: Callable[[], None], tmp_path: Path, name: str
) -> None:
    exports.write(everything(), tmp_path / name)
    before = documents()
    elsewhere()
    assert dispatch.load(str(tmp_path / name)) == LoadReport(4, 0, 0)
    assert documents() == before
    (tmp_path / "again").mkdir()
    exports.write(everything(), tmp_path / "again" / name)
    assert (tmp_path / "again" / name).read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("name", LINES)
def test_optimade_lines_come_back_as_the_same_documents(
    filled: dict[str, str], elsewhere: Callable[[], None], tmp_path: Path, name: str
) -> None:
    exports.write(everything(), tmp_path / name)
    before = documents()
    elsewhere()
    assert dispatch.load(str(tmp_path / name)) == LoadReport(4, 0, 0)
    assert documents() == before


@pytest.mark.parametrize("name", [*FORMS, *LINES])
def test_a_load_into_the_same_store_adds_nothing(filled: dict[str, str], tmp_path: Path, name: str) -> None:
    exports.write(everything(), tmp_path / name)
    before = documents()
    for _ in range(2):
        assert dispatch.load(str(tmp_path / name)) == LoadReport(0, 4, 0)
        assert documents() == before
    assert reasons() == []


def test_the_content_decides_and_not_the_name(written: Path, elsewhere: Callable[[], None], tmp_path: Path) -> None:
    """A packed file without its ending, another ending, and a document that another program has laid out again."""
    renamed, packed, pretty = tmp_path / "data.txt", tmp_path / "packed", tmp_path / "pretty.json"
    shutil.copy(written, renamed)
    packed.write_bytes(gzip.compress(written.read_bytes()))
    exports.write(everything(), pretty)
    document = json.loads(pretty.read_text())
    document["records"].reverse()  # Methods last
    pretty.write_text(json.dumps(document, indent=2))
    elsewhere()
    for number, path in enumerate((renamed, packed, pretty)):
        assert dispatch.which(str(path))[0] == "exchange"
        assert dispatch.load(str(path)) == (LoadReport(0, 4, 0) if number else LoadReport(4, 0, 0))
    for name, text in {"a.jsonl": '{"cell": []}', "b.json": "[]", "c.cif": "data_fermiloop-materials"}.items():
        (tmp_path / name).write_text(text)
        assert name == "b.json" or dispatch.which(str(tmp_path / name))[0] != "exchange"


def test_overlapping_exports_give_their_union(
    filled: dict[str, str], elsewhere: Callable[[], None], tmp_path: Path
) -> None:
    exports.write(exchange_records.of_materials([filled["Al"], filled["Ni"]]), tmp_path / "a.jsonl")
    exports.write(exchange_records.of_materials([filled["Ni"], filled["Pd"], filled["bare"]]), tmp_path / "b.json")
    before = documents()
    elsewhere()
    assert dispatch.load(str(tmp_path / "b.json")) == LoadReport(3, 0, 0)
    assert dispatch.load(str(tmp_path / "a.jsonl")) == LoadReport(1, 1, 0)
    assert documents() == before


def test_what_says_otherwise_is_told_and_nothing_is_overwritten(written: Path, filled: dict[str, str]) -> None:
    """The first of two versions differs: the second would stand before the value here, and is left out as well."""

    def change(lines: list[dict[str, Any]]) -> None:
        one = next(line for line in lines if line.get("id") == filled["Al"])
        gap = next(row for row in one["labels"] if row.get("calculation"))
        gap["value"] = 9.0
        one["labels"].append({**gap, "value": 8.0, "version": 3})
        one["spectra"][0]["values"][7] += 1.0

    before = documents()
    assert dispatch.load(str(spoil(written, change))) == LoadReport(0, 4, 2)
    assert documents() == before
    told = sorted(reasons())
    assert told[0].startswith("The density of states of ")
    assert "differs in values" in told[0]
    assert "The file says 9.0 eV for the band gap" in told[1]
    assert "is 0.333" in told[1]
    assert dispatch.load(str(written)) == LoadReport(0, 4, 2), "told again as long as it is so"
    assert len(reasons()) == 2


def test_one_curve_about_two_zeros_is_one_curve(written: Path, filled: dict[str, str]) -> None:
    """Where the gap is known a curve about the valence edge is the same as one about the middle of the gap."""
    (stored,) = spectra.all_of_material(filled["Ni"])
    assert (stored.alignment, stored.gap) == ("midgap", 1.5)

    def change(lines: list[dict[str, Any]]) -> None:
        for name in ("Ni", "Pd"):
            one = next(line for line in lines if line.get("id") == filled[name])["spectra"][0]
            one.update(lo=one["lo"] + 0.75, hi=one["hi"] + 0.75, alignment="vbm", gap=1.5)

    before = documents()
    assert dispatch.load(str(spoil(written, change))) == LoadReport(0, 4, 1)
    assert documents() == before
    (told,) = reasons()
    assert f"density of states of {filled['Pd']}" in told
    assert "differs in alignment, gap)" in told


def test_later_versions_and_new_labels_are_added(written: Path, filled: dict[str, str]) -> None:
    def change(lines: list[dict[str, Any]]) -> None:
        one = next(line for line in lines if line.get("id") == filled["Ni"])
        gap = next(row for row in one["labels"] if row.get("calculation"))
        one["labels"] += [{**gap, "value": 7.0, "version": 3}, {**gap, "property": "fermi_level", "version": 1}]

    assert dispatch.load(str(spoil(written, change))) == LoadReport(0, 4, 0)
    found = Label.objects(material=filled["Ni"], property="band_gap", version=3).get()
    assert (found.value, str(found.unit)) == (7.0, "eV")
    assert Label.objects(material=filled["Ni"], property="fermi_level").count() == 1


NAN = float("nan")
WRONG: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "an id of another crystal": (lambda row: row.update(id="m-0123456789abcdef"), "was changed"),
    "a crystal of another id": (
        lambda row: row["structure"]["lattice"]["matrix"][0].__setitem__(0, 9.9), "was changed"
    ),
    "an unknown field": (lambda row: row.update(password="x"), "unknown field 'password'"),
    "an unknown field of a label": (lambda row: row["labels"][0].update(x=1), "a label has the unknown field 'x'"),
    "a field that is missing": (lambda row: row.pop("origin"), "lacks the field origin"),
    "an origin that is none": (lambda row: row.update(origin="heaven"), "'heaven' is none of seed"),
    "a source that is none": (lambda row: row.update(source=["x"]), "field source of the material is invalid"),
    "a source with an operator": (lambda row: row.update(source={"$where": "1"}), "no name of a field"),
    "a source beyond bounds": (lambda row: row.update(source={"name": "x" * 20_000}), "20000 characters"),
    "a source too deep": (lambda row: row.update(source=nested(100)), "deeper than"),
    "an integer beyond bounds": (lambda row: row.update(source={"n": 10**30}), "is not from"),
    "another unit": (lambda row: row["labels"][0].update(unit="eV/atom"), "is in eV"),
    "a unit that is none": (lambda row: row["labels"][0].update(unit="Ry"), "is in eV, not in Ry"),
    "no unit": (lambda row: row["labels"][0].update(unit="x" * 41), "41 characters"),
    "a property that is none": (lambda row: row["labels"][0].update(property="Colour!"), "'Colour!' is no name"),
    "no number": (lambda row: row["labels"][0].update(value="1.0"), "'1.0' is no number"),
    "NaN": (lambda row: row["labels"][0].update(value=NAN), "nan is not finite"),
    "no version": (lambda row: row["labels"][0].update(version=0), "0 is not from 1"),
    "a Method that is missing": (
        lambda row: row["labels"][0].update(method="method-0123456789abcdef"), "which the file does not contain"
    ),
    "too few values": (lambda row: row["spectra"][0]["values"].pop(), "400 values on 401 points"),
    "values beyond float32": (lambda row: row["spectra"][0]["values"].__setitem__(3, 1e300), "infinity"),
    "a grid that runs backwards": (lambda row: row["spectra"][0].update(lo=20.0), "the grid goes from"),
    "an element that is none": (
        lambda row: row["structure"]["sites"][0]["species"][0].update(element="Xx"), "'Xx' is no element"
    ),
    "a part of an atom": (lambda row: row["structure"]["sites"][0]["species"][0].update(occu=0.5), "occupancy of 0.5"),
    "a class of its own": (lambda row: row["structure"].update({"@module": "os", "@class": "system"}), "of a class"),
    "an object by name": (
        lambda row: row["structure"]["sites"][0].update(properties={"x": {"@module": "os", "@class": "x"}}),
        "neither a number nor a list",
    ),
    "sites that are too many": (
        lambda row: row["structure"].update(sites=row["structure"]["sites"] * 500), "a list of 500"
    ),
    "no sites": (lambda row: row["structure"].update(sites=[]), "no sites"),
    "atoms that overlap": (
        lambda row: row["structure"].update(sites=row["structure"]["sites"] * 2), "overlap"
    ),
    "a flat cell": (lambda row: row["structure"]["lattice"].update(matrix=[[1, 0, 0]] * 3), "no volume"),
}  # fmt: skip


def nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"a": found}
    return found


@pytest.mark.parametrize("case", WRONG)
def test_a_bad_record_is_refused_and_the_rest_comes_in(
    written: Path, filled: dict[str, str], elsewhere: Callable[[], None], case: str
) -> None:
    change, reason = WRONG[case]

    def spoilt(lines: list[dict[str, Any]]) -> None:
        change(next(line for line in lines if line.get("id") == filled["Al"]))

    elsewhere()
    assert dispatch.load(str(spoil(written, spoilt))) == LoadReport(3, 0, 1)
    (told,) = reasons()
    assert reason.lower() in told.lower()
    assert told.endswith(".")
    assert not Label.objects(material=filled["Al"]).count(), "nothing of a material that was refused"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda row: row["settings"].update(cutoff=500), "was changed: its content has the id"),
        (lambda row: row.update(engine="Abacus 3"), "'Abacus 3' is no name"),
        (lambda row: row.update(extra=1), "unknown field"),
    ],
)
def test_a_bad_method_takes_what_it_made_with_it(
    written: Path, elsewhere: Callable[[], None], change: Callable[[dict[str, Any]], Any], reason: str
) -> None:
    def spoilt(lines: list[dict[str, Any]]) -> None:
        change(next(line for line in lines if line.get("settings", {}).get("cutoff")))

    elsewhere()
    assert dispatch.load(str(spoil(written, spoilt))) == LoadReport(1, 0, 4)
    told = reasons()
    assert sum(reason in one for one in told) == 1
    assert sum("which the file does not contain" in one for one in told) == 3


def test_what_the_crystal_says_is_believed_before_what_the_file_says(
    written: Path, filled: dict[str, str], elsewhere: Callable[[], None]
) -> None:
    def spoilt(lines: list[dict[str, Any]]) -> None:
        first(lines).update(space_group=1, crystal_system="triclinic")

    elsewhere()
    assert dispatch.load(str(spoil(written, spoilt))) == LoadReport(4, 0, 2)
    assert all(material.space_group > 1 for material in Material.objects)
    assert any("The file says space group 1 of m-" in one for one in reasons())


def test_files_that_were_cut_off_are_told(written: Path, elsewhere: Callable[[], None], tmp_path: Path) -> None:
    whole = written.read_bytes()
    at_a_line = whole[: whole.rstrip(b"\n").rindex(b"\n") + 1]
    packed = gzip.compress(whole)
    elsewhere()
    written.write_bytes(at_a_line)
    assert dispatch.load(str(written)) == LoadReport(3, 0, 1)
    assert reasons() == ["The file was cut off: it holds 3 of 4 materials."]
    (tmp_path / "within.jsonl").write_bytes(at_a_line[:-40])
    assert dispatch.load(str(tmp_path / "within.jsonl")) == LoadReport(0, 2, 2)
    (tmp_path / "packed.jsonl.gz").write_bytes(packed[: len(packed) - 20])
    done = dispatch.load(str(tmp_path / "packed.jsonl.gz"))
    assert done.quarantined >= 1
    assert any("damaged from here on" in one for one in reasons())


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"version": 99}, "upgrade fermiloop"),
        ({"version": "1"}, "names no version"),
        ({"version": True}, "names no version"),
        ({"counts": None}, "tells no counts"),
    ],
)
def test_a_header_that_is_wrong_stops_the_load(written: Path, header: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        dispatch.load(str(spoil(written, lambda lines: lines[0].update(header))))


def test_lines_that_are_no_records(written: Path, elsewhere: Callable[[], None]) -> None:
    head, *rest = written.read_text(encoding="utf-8").splitlines()
    strange = ["{", "[1, 2]", '{"type": "spell"}', "[" * 100_000, '{"a": ' + "9" * 5000 + "}", '"\\ud800"', ""]
    elsewhere()
    written.write_text("\n".join([head, *strange, *rest]), encoding="utf-8")
    assert dispatch.load(str(written)) == LoadReport(4, 0, 6)
    written.write_bytes(head.encode() + b"\n\xff\xfe\n" + "\n".join(rest).encode())
    assert dispatch.load(str(written)) == LoadReport(0, 4, 1)


def test_a_line_beyond_bounds_is_passed_over(
    written: Path, elsewhere: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_file, "LONGEST", 60_000)
    head, *rest = written.read_text(encoding="utf-8").splitlines()
    elsewhere()
    written.write_text("\n".join([head, '{"x": "' + "y" * 200_000 + '"}', *rest]) + "\n", encoding="utf-8")
    assert dispatch.load(str(written)) == LoadReport(4, 0, 1)
    assert "a line of more than" in reasons()[0].lower()


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row["attributes"]["lattice_vectors"][0].__setitem__(0, 7.0),
        lambda row: row["attributes"].update(species_at_sites=["Au"]),
        lambda row: row.update(id="m-0123456789abcdef"),
        lambda row: row["attributes"].pop("_fermiloop_record"),
    ],
)
def test_an_optimade_entry_that_says_two_things_is_refused(
    filled: dict[str, str], elsewhere: Callable[[], None], tmp_path: Path, change: Callable[[dict[str, Any]], Any]
) -> None:
    path = tmp_path / "all.optimade.jsonl"
    exports.write(everything(), path)
    elsewhere()
    done = dispatch.load(str(spoil(path, lambda lines: change(next(x for x in lines if x.get("id") == filled["Al"])))))
    assert (done.loaded, done.quarantined) == (3, 2)  # the entry, and that one of four is lacking
    assert any("_fermiloop_record" in one for one in reasons())


def test_candidates_give_their_materials_and_stay_behind(
    filled: dict[str, str], elsewhere: Callable[[], None], tmp_path: Path
) -> None:
    crystal = materials.structure(filled["Pd"])
    made = Candidate(
        id=Candidate.make_id("pd-like", 1, "ftcp/paper", 0), campaign="pd-like", round=1,
        generator="ftcp", preset="paper", index=0, structure=crystal.as_dict(),
        formula="Pd", formula_lower="pd", elements=["Pd"], chemical_system="Pd",
        n_sites=1, seed=7, score=0.5, stage=Stage.EVALUATED, material=filled["Pd"], parent=filled["Ni"],
        verdicts=[{"stage": "geometry", "passed": True, "reason": None, "value": 2.75}],
        scores={"predicted_score": 0.9, "hit": True}, detail={"prototype": "A1"},
    )  # fmt: skip
    candidates.save_many([made])
    selection = exchange_records.of_candidates([made.id])
    for name in ("c.jsonl", "c.json", "c.optimade.jsonl"):
        exports.write(selection, tmp_path / name)
    row = first(lines_of(tmp_path / "c.jsonl"), "candidate")
    assert (row["preset"], row["parent"], row["seed"], row["index"]) == ("paper", filled["Ni"], 7, 0)
    assert (row["verdicts"][0]["value"], row["scores"]["hit"]) == (2.75, True)
    assert row["generator_score"] == 0.5
    assert "score" not in row
    of_version_1 = {("score" if name == "generator_score" else name): x for name, x in row.items() if name != "type"}
    assert exchange.candidate(of_version_1)["generator_score"] == 0.5
    assert Structure.from_dict(row["evaluated"]) == Structure.from_dict(row["structure"]) == crystal
    elsewhere()
    done = dispatch.load(str(tmp_path / "c.jsonl"))
    assert (done.loaded, done.already, done.quarantined) == (1, 0, 0)
    assert "1 candidates were passed over" in done.notes[0]
    assert Candidate.objects.count() == 0
    assert Label.objects(material=filled["Pd"]).count() == 4
    for name in ("c.json", "c.optimade.jsonl"):
        assert dispatch.load(str(tmp_path / name)) == LoadReport(0, 1, 0, done.notes)


def test_moments_charges_and_every_cell_in_which_a_crystal_came(
    filled: dict[str, str], elsewhere: Callable[[], None], tmp_path: Path
) -> None:
    """Iron in two cells from two sources, with moments in one; nickel oxide with charges and names of sites."""
    iron = Structure(
        Lattice.cubic(2.87), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]], site_properties={"magmom": [2.2, 2.2]}
    )
    source = {"name": "Zürich", "key": "Fe", "licence": "CC BY 4.0"}
    key = materials.save(iron, origin=Origin.IMPORT, source=source)
    again = materials.save(iron.get_primitive_structure(), origin=Origin.SEED, source={"name": "seed", "key": "A2"})
    assert again == key
    oxide = Structure(
        Lattice.cubic(4.17), ["Ni2+"] * 4 + ["O2-"] * 4,
        [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0], [0.5] * 3, [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]],
        labels=[f"Ni{i}" for i in range(4)] + [f"O{i}" for i in range(4)],
        site_properties={"magmom": [1.7, -1.7, 1.7, -1.7, None, None, None, None]},
    )  # fmt: skip
    materials.save(oxide, origin=Origin.IMPORT, source={"name": "Zürich", "key": "NiO"})
    for name in ("all.jsonl", "all.optimade.jsonl"):
        exports.write(everything(), tmp_path / name)
    record = next(line for line in lines_of(tmp_path / "all.jsonl") if line.get("id") == key)
    assert [len(one["structure"]["sites"]) for one in record["settings"]] in ([1, 2], [2, 1])
    before = documents()
    elsewhere()
    assert dispatch.load(str(tmp_path / "all.jsonl")) == LoadReport(6, 0, 0)
    assert documents() == before
    assert dispatch.load(str(tmp_path / "all.optimade.jsonl")) == LoadReport(0, 6, 0)
    assert documents() == before
    moments = [one.to_structure().site_properties.get("magmom") for one in materials.settings(key)]
    assert [2.2, 2.2] in moments
    exports.write(everything(), tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "all.jsonl").read_bytes()


def test_a_crystal_that_is_here_under_another_id_takes_what_comes(
    filled: dict[str, str], elsewhere: Callable[[], None], tmp_path: Path
) -> None:
    """The store has the crystal from a cell that differs by noise: another id, the same crystal, no second material."""
    exports.write(exchange_records.of_materials([filled["Ni"]]), tmp_path / "ni.jsonl")
    near = materials.structure(filled["Ni"])
    near.scale_lattice(near.volume * 1.001)
    elsewhere()
    key = materials.save(near, origin=Origin.IMPORT, source={"name": "here"})
    assert key != filled["Ni"]
    for _ in range(2):
        assert dispatch.load(str(tmp_path / "ni.jsonl")) == LoadReport(0, 1, 0)
        assert Material.objects.count() == 1
        assert {label.material for label in Label.objects} == {key}
        assert sorted(label.value for label in Label.objects(property="band_gap")) == [0.1 + 1, 1 / 3 + 1, 5.5]
        assert spectra.of_material(key) is not None


def test_the_ids_of_a_migrated_store_come_back(
    written: Path, filled: dict[str, str], elsewhere: Callable[[], None], tmp_path: Path
) -> None:
    """A store of before named its materials by the cell as it was written, and its migration keeps these ids."""
    before = []

    def renamed(lines: list[dict[str, Any]]) -> None:
        row = next(line for line in lines if line.get("id") == filled["Al"])
        cell = Structure.from_dict(row["settings"][0]["structure"])
        before.append(structure_id(Structure(cell.lattice, [site.specie.symbol for site in cell], cell.frac_coords)))
        row["id"] = before[0]

    path = spoil(written, renamed)
    assert before != [filled["Al"]]
    elsewhere()
    assert dispatch.load(str(path)) == LoadReport(4, 0, 0)
    assert materials.get(before[0]).id == before[0]
    assert {label.material for label in Label.objects(material=before[0])} == {before[0]}
    exports.write(everything(), tmp_path / "first.jsonl")
    assert dispatch.load(str(tmp_path / "first.jsonl")) == LoadReport(0, 4, 0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda row: row["settings"][0]["structure"]["lattice"]["matrix"][2].__setitem__(2, 7.7),
            "none of its settings",
        ),
        (lambda row: row["settings"][0].update(x=1), "a setting has the unknown field 'x'"),
        (lambda row: row["settings"][0].pop("origin"), "a setting lacks the field origin"),
        (lambda row: row["settings"][0]["structure"]["sites"].append({}), "no species"),
        (lambda row: row.update(settings={"a": 1}), "the field settings of the material is invalid"),
        (lambda row: row.update(settings=row["settings"] * 3000), "a list of 3000"),
    ],
)
def test_settings_that_are_not_of_the_crystal_are_refused(
    written: Path,
    filled: dict[str, str],
    elsewhere: Callable[[], None],
    change: Callable[[dict[str, Any]], Any],
    reason: str,
) -> None:
    elsewhere()
    path = spoil(written, lambda lines: change(next(line for line in lines if line.get("id") == filled["Al"])))
    assert dispatch.load(str(path)) == LoadReport(3, 0, 1)
    assert reason.lower() in reasons()[0].lower()


def test_a_thousand_materials_pass_through_little_memory(filled: dict[str, str], tmp_path: Path) -> None:
    """What is held does not grow with the number of materials: 1000 take as much as 250, beside their ids."""
    database = connection.database()
    ids = [f"m-{i:016x}" for i in range(1000)]
    for name in ("materials", "labels", "spectra", "settings"):
        about = "_id" if name == "materials" else "material"
        for row in list(database[name].find({about: filled["Al"]})):
            rows = [
                row | {"_id": key if about == "_id" else f"{row['_id']}-{i}", about: key} for i, key in enumerate(ids)
            ]
            database[name].insert_many(rows)

    def peak(work: Callable[[], Any]) -> int:
        tracemalloc.start()
        work()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    def export(n: int) -> Callable[[], None]:
        return lambda: exports.write(exchange_records.of_materials(ids[:n]), tmp_path / f"{n}.jsonl")

    assert peak(export(1000)) < 1.5 * peak(export(250))
    read = [peak(lambda n=n: sum(1 for _ in exchange_file.read(tmp_path / f"{n}.jsonl").lines)) for n in (250, 1000)]
    assert read[1] < 1.5 * read[0]
    assert sum(line.type == "material" for line in exchange_file.read(tmp_path / "1000.jsonl").lines) == 1000
