"""Archives of campaigns: what was changed, forged or blown up is refused before anything is written."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bson import json_util
from pymatgen.core import Lattice, Structure

from fermiloop.db_init import bundle, bundle_export, bundle_manifest, setup
from fermiloop.db_init.importers import dispatch
from fermiloop.platform.errors import FailureError, InputError, NotFoundError, UserError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.settings import settings
from fermiloop.platform.store import (
    campaigns,
    checkpoints,
    connection,
    labels,
    materials,
    methods,
    quarantine,
    snapshots,
    spectra,
)  # fmt: skip
from fermiloop.schemas.base import content_id
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.fields import ArrayField
from fermiloop.schemas.material import structure_id
from fermiloop.schemas.vocabulary import CampaignState, Origin

Members = dict[str, bytes]
KEPT: list[bytes] = []  # one archive for all tests that only read it: making it takes longer than they do


@pytest.fixture
def exported(populated: str, tmp_path: Path) -> Path:
    """Archive of a small campaign: one round, its checkpoint, its snapshot, a licensed material."""
    setup.init()
    (checkpoint,) = checkpoints.find()
    checkpoints.promote(checkpoint.id)
    method = methods.save("external", "PBE", {"source": "Them", "licence": "CC0"}, {})
    labels.save(checkpoint_material(), "band_gap", 1.25, method=method)
    campaigns.create("small", {"name": "small"}, "name: small\n")
    campaigns.plan_round("small", 1)
    campaigns.update_round("small", 1, snapshot=checkpoint.snapshot, checkpoints={"g": checkpoint.id})
    campaigns.set_state("small", CampaignState.FINISHED, "done")
    path = tmp_path / "small.tar.gz"
    bundle_export.export("small", path, methods=[method])
    return path


@pytest.fixture
def archive(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Path:
    """The same archive, made once."""
    if not KEPT:
        KEPT.append(request.getfixturevalue("exported").read_bytes())
    (tmp_path / "small.tar.gz").write_bytes(KEPT[0])
    return tmp_path / "small.tar.gz"


def checkpoint_material() -> str:
    return materials.find(materials.MaterialQuery())[0].id


@pytest.fixture
def elsewhere(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty database, dropped afterwards; tests ask for it after the archive."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    monkeypatch.setenv("FERMILOOP_DATABASE", name)
    settings.cache_clear()
    connection.connect()
    yield
    connection.database().client.drop_database(name)


def contents() -> dict[str, list[Any]]:
    database = connection.database()
    names = [n for n in database.list_collection_names() if n != "schema_version" and database[n].find_one()]
    return {name: list(database[name].find().sort("_id", 1)) for name in names}


def unpack(path: Path) -> Members:
    with tarfile.open(path) as archive:
        return {info.name: archive.extractfile(info).read() for info in archive}


def pack(path: Path, members: Members, *more: tarfile.TarInfo, fix: bool = True) -> None:
    """Write the members again, with a manifest that fits them unless told otherwise."""
    if fix:
        manifest = json.loads(members["manifest.json"])
        manifest["members"] = {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for name, content in members.items()
            if name != "manifest.json"
        }
        members = members | {"manifest.json": json.dumps(manifest).encode()}
    with tarfile.open(path, "w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in more:
            archive.addfile(info)


def test_it_comes_in_once_and_touches_no_champion(archive: Path, elsewhere: None) -> None:
    told: list[float] = []
    report = dispatch.load(str(archive), lambda _, share: told.append(share))
    assert (report.already, report.quarantined, told[-1]) == (0, 0, 1.0)
    assert told == sorted(told)
    (found,) = checkpoints.find()
    assert (found.state, checkpoints.champion("g")) == ("challenger", None)
    before = contents()
    again = dispatch.load(str(archive))
    assert (again.loaded, again.already) == (0, report.loaded)
    assert contents() == before


def test_the_manifest_tells_licences_versions_and_counts(archive: Path) -> None:
    manifest = json.loads(unpack(archive)["manifest.json"])
    assert {(one["source"], one["licence"]) for one in manifest["licences"]} == {
        ("test", "unknown"), ("Them", "CC0"), ("analytic", "that of each material"),
    }  # fmt: skip
    assert manifest["counts"] == {
        "methods": 2, "settings": 2, "materials": 2, "spectra": 2, "labels": 3, "snapshot_pages": 1, "snapshots": 1,
        "checkpoints": 1, "calculations": 0, "candidates": 0, "rounds": 1, "campaigns": 1,
    }  # fmt: skip
    assert {"python", "pymatgen", "torch"} <= set(manifest["versions"])
    assert next(iter(unpack(archive))) == "manifest.json"


def test_a_method_that_states_no_licence_has_that_of_its_sources_materials(database: str, tmp_path: Path) -> None:
    method = methods.save("external", "PBE", {"source": "Them"}, {})
    crystal = Structure(Lattice.cubic(2.9), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    source = {"name": "Them", "key": "1", "licence": "CC0"}
    labels.save(materials.save(crystal, origin=Origin.IMPORT, source=source), "band_gap", 0.0, method=method)
    campaigns.create("small", {"name": "small"}, "name: small\n")
    campaigns.set_state("small", CampaignState.FINISHED)
    manifest = bundle_export.export("small", tmp_path / "small.tar.gz", methods=[method])
    (terms,) = manifest.licences
    assert (terms.source, terms.licence, terms.materials, terms.methods) == ("Them", "CC0", 1, [method])


def test_the_same_campaign_gives_the_same_members(exported: Path, tmp_path: Path) -> None:
    bundle_export.export("small", tmp_path / "again.tar.gz", methods=[m.id for m in methods.of_engine("external")])
    first, second = unpack(exported), unpack(tmp_path / "again.tar.gz")
    assert {k: v for k, v in first.items() if k != "manifest.json"} == {
        k: v for k, v in second.items() if k != "manifest.json"
    }


def test_another_campaign_of_the_name_is_not_written_over(archive: Path, elsewhere: None) -> None:
    campaigns.create("small", {"name": "small", "seed": 1}, "name: small\n")
    before = contents()
    with pytest.raises(UserError, match="A campaign named small is here with other content"):
        bundle.load(archive)
    assert contents() == before


def test_a_load_that_was_cut_off_is_completed(archive: Path, elsewhere: None, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bundle.bundle_contents.insert

    def stops(kind: str, documents: Any) -> int:
        if kind == "checkpoints":
            raise ConnectionError
        return whole(kind, documents)

    monkeypatch.setattr(bundle.bundle_contents, "insert", stops)
    with pytest.raises(ConnectionError):
        bundle.load(archive)
    assert campaigns.find() == []
    monkeypatch.setattr(bundle.bundle_contents, "insert", whole)
    bundle.load(archive)
    assert [found.id for found in campaigns.find()] == ["small"]


def test_a_label_that_says_otherwise_here_stays_and_is_told(archive: Path, elsewhere: None) -> None:
    raw = json.loads(unpack(archive)["documents/materials.jsonl"].splitlines()[0])
    material = raw["_id"]
    method = methods.save("external", "PBE", {"source": "Them", "licence": "CC0"}, {})
    for name in (material, *(m for m in [json.loads(line)["_id"] for line in
                                         unpack(archive)["documents/materials.jsonl"].splitlines()])):  # fmt: skip
        labels.save(name, "band_gap", 9.75, method=method)
    report = bundle.load(archive)
    assert report.quarantined == 1
    (entry,) = quarantine.find("small.tar.gz")
    assert "says 1.25" in entry.reason
    assert "9.75 here" in entry.reason


def test_the_last_digit_of_a_label_is_no_contradiction(archive: Path, elsewhere: None) -> None:
    bundle.load(archive)
    changed = connection.database()["labels"].update_one({"value": 1.25}, {"$set": {"value": 1.2500000000000002}})
    assert changed.modified_count == 1
    assert (bundle.load(archive).quarantined, quarantine.find("small.tar.gz")) == (0, [])


def test_a_campaign_at_work_or_unknown_is_not_exported(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is there already"):
        bundle_export.export("small", exported)
    campaigns.set_state("small", CampaignState.RUNNING)
    with pytest.raises(UserError, match="is running; pause it"):
        bundle_export.export("small", tmp_path / "x.tar.gz")
    with pytest.raises(NotFoundError):
        bundle_export.export("nobody", tmp_path / "x.tar.gz")
    campaigns.set_state("small", CampaignState.PAUSED)
    connection.database()["checkpoint_files.files"].delete_many({})
    with pytest.raises(FailureError, match="is lost or damaged"):
        bundle_export.export("small", tmp_path / "x.tar.gz")
    assert sorted(path.name for path in tmp_path.iterdir() if "x.tar" in path.name or "export" in path.name) == []


def no_manifest(path: Path, members: Members) -> None:
    pack(path, {k: v for k, v in members.items() if k != "manifest.json"}, fix=False)


def manifest_last(path: Path, members: Members) -> None:
    pack(path, {k: v for k, v in members.items() if k != "manifest.json"} | {"manifest.json": b"{}"}, fix=False)


def newer(path: Path, members: Members) -> None:
    manifest = json.loads(members["manifest.json"]) | {"format": 2}
    pack(path, members | {"manifest.json": json.dumps(manifest).encode()}, fix=False)


def newer_schema(path: Path, members: Members) -> None:
    manifest = json.loads(members["manifest.json"]) | {"schema_version": 99}
    pack(path, members | {"manifest.json": json.dumps(manifest).encode()}, fix=False)


def changed_value(path: Path, members: Members) -> None:
    labels_text = members["documents/labels.jsonl"].replace(b"1.25", b"7.25")
    pack(path, members | {"documents/labels.jsonl": labels_text}, fix=False)


def changed_file(path: Path, members: Members) -> None:
    name = next(name for name in members if name.startswith("files/"))
    pack(path, members | {name: b"other weights"})


def lost_file(path: Path, members: Members) -> None:
    pack(path, {name: content for name, content in members.items() if not name.startswith("files/")})


def lost_kind(path: Path, members: Members) -> None:
    pack(path, {name: content for name, content in members.items() if name != "documents/labels.jsonl"})


def lost_line(path: Path, members: Members) -> None:
    text = b"".join(members["documents/labels.jsonl"].splitlines(keepends=True)[1:])
    pack(path, members | {"documents/labels.jsonl": text})


def forged_id(path: Path, members: Members) -> None:
    text = members["documents/materials.jsonl"].replace(b'"_id": "m-', b'"_id": "m-f', 1)
    pack(path, members | {"documents/materials.jsonl": text})


def forged_field(path: Path, members: Members) -> None:
    text = members["documents/methods.jsonl"].replace(b'"functional"', b'"extra": {"$code": "1"}, "functional"', 1)
    pack(path, members | {"documents/methods.jsonl": text})


def forged_type(path: Path, members: Members) -> None:
    text = members["documents/labels.jsonl"].replace(b'{"$numberDouble": "1.25"}', b'{"$gt": ""}')
    pack(path, members | {"documents/labels.jsonl": text})


def replaced(kind: str, old: bytes, new: bytes) -> Callable[[Path, Members], None]:
    def damage(path: Path, members: Members) -> None:
        name = f"documents/{kind}.jsonl"
        assert old in members[name]
        pack(path, members | {name: members[name].replace(old, new, 1)})

    return damage


def another_campaign(path: Path, members: Members) -> None:
    text = members["documents/rounds.jsonl"].replace(b'"campaign": "small"', b'"campaign": "yours"')
    pack(path, members | {"documents/rounds.jsonl": text})


def at_work(path: Path, members: Members) -> None:
    text = members["documents/campaigns.jsonl"].replace(b'"finished"', b'"running"')
    pack(path, members | {"documents/campaigns.jsonl": text})


def two_campaigns(path: Path, members: Members) -> None:
    text = members["documents/campaigns.jsonl"]
    pack(path, members | {"documents/campaigns.jsonl": text + text.replace(b'"small"', b'"other"', 1)})


def path_upwards(path: Path, members: Members) -> None:
    pack(path, members | {"../evil": b"x"})


def absolute_path(path: Path, members: Members) -> None:
    pack(path, members | {"/tmp/evil": b"x"}, fix=False)


def unknown_kind(path: Path, members: Members) -> None:
    pack(path, members | {"documents/schema_version.jsonl": b"{}\n"})


def a_member_twice(path: Path, members: Members) -> None:
    pack(path, members)
    twice = gzip.decompress(path.read_bytes()).rstrip(b"\0")
    twice += bytes(-len(twice) % 512)
    block = io.BytesIO()
    with tarfile.open(fileobj=block, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        info = tarfile.TarInfo("campaign.yaml")
        info.size = len(members["campaign.yaml"])
        archive.addfile(info, io.BytesIO(members["campaign.yaml"]))
    path.write_bytes(gzip.compress(twice + block.getvalue()))


def link(path: Path, members: Members) -> None:
    info = tarfile.TarInfo("campaign.yaml")
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    pack(path, members, info)


def cut_off(path: Path, members: Members) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (no_manifest, "does not begin with its manifest"),
        (manifest_last, "does not begin with its manifest"),
        (newer, "upgrade fermiloop"),
        (newer_schema, "upgrade fermiloop"),
        (changed_value, "documents/labels.jsonl was changed"),
        (changed_file, "was changed"),
        (lost_file, "lacks a file"),
        (lost_kind, "documents/labels.jsonl is missing"),
        (lost_line, "holds 2 labels, not 3"),
        (forged_id, "is not what its id says"),
        (forged_field, "methods is invalid"),
        (forged_type, "labels"),
        (replaced("spectra", b'"kind": "dos"', b'"kind": []'), "spectra is invalid"),
        (replaced("spectra", b'"axis_unit": "eV"', b'"axis_unit": {}'), "spectra is invalid"),
        (replaced("materials", b'"formula": "Al"', b'"formula": "Au"'), "is not what its id says"),
        (replaced("snapshot_pages", b'"_id": "snap', b'"_id": "snip'), "is not what its id says"),
        (replaced("methods", b'"_id": "', b'"_id": 5, "x": "'), "has no id"),
        (replaced("rounds", b"{", b""), "no document"),
        (another_campaign, "of another campaign"),
        (at_work, "is running, and one at work"),
        (two_campaigns, "of another campaign"),
        (path_upwards, "manifest is invalid"),
        (absolute_path, "does not name"),
        (unknown_kind, "manifest is invalid"),
        (a_member_twice, "does not name, or twice"),
        (link, "no plain file"),
        (cut_off, "damaged|cut off"),
    ],
)
def test_a_bad_archive_is_refused_before_anything_is_written(
    archive: Path, elsewhere: None, tmp_path: Path, damage: Callable[[Path, Members], None], told: str
) -> None:
    damage(archive, unpack(archive))
    with pytest.raises(InputError, match=told):
        bundle.load(archive)
    assert contents() == {}
    assert not [path for path in settings().data_dir.iterdir() if path.name.startswith("load-")]
    assert not Path("/tmp/evil").exists()


def twice(crystal: Structure) -> Structure:
    return crystal * [[2, 0, 0], [0, 1, 0], [1, 0, 1]]


def counted() -> dict[str, int]:
    return {name: len(rows) for name, rows in contents().items() if name != "settings"}


def test_a_store_that_knows_the_crystals_by_other_cells_gets_no_second_ones(
    archive: Path, elsewhere: None, tmp_path: Path
) -> None:
    bundle.load(archive)
    (alone, snapshot) = (counted(), snapshots.ids(checkpoints.find()[0].snapshot))
    crystals = {m.id: m.to_structure() for m in materials.find(materials.MaterialQuery())}
    curves = {key: spectra.of_material(key).array() for key in crystals}
    connection.database().client.drop_database(connection.database().name)
    for crystal in crystals.values():
        other = twice(crystal)
        other.scale_lattice(other.volume * 1.01)
        materials.save(other, origin=Origin.IMPORT, source={"name": "ours", "key": "1", "licence": "MIT"})
    ours = {m.formula: m.id for m in materials.find(materials.MaterialQuery())}
    assert not set(ours.values()) & set(crystals)
    for _ in range(2):
        bundle.load(archive)
        assert {m.formula: m.id for m in materials.find(materials.MaterialQuery())} == ours
        assert {**counted(), "aliases": 0} == {**alone, "aliases": 0}
        assert snapshots.ids(checkpoints.find()[0].snapshot) == sorted(materials.get(key).id for key in snapshot)
        assert label_ids_exist(checkpoints.find()[0].snapshot)
        for key, values in curves.items():
            assert spectra.of_material(key).array() == pytest.approx(values)
            assert spectra.of_material(key).material == materials.get(key).id
    assert [len(materials.settings(key)) for key in ours.values()] == [2, 2]


def label_ids_exist(snapshot: str) -> bool:
    held = {label.id for key in snapshots.ids(snapshot) for label in labels.of_material(key)}
    return snapshots.label_ids(snapshot) <= held


def test_an_archive_from_before_settings_is_brought_to_canonical_cells(archive: Path, elsewhere: None) -> None:
    members = unpack(archive)
    manifest = json.loads(members["manifest.json"]) | {"schema_version": 1}
    del members["documents/settings.jsonl"], manifest["counts"]["settings"]
    for line in members["documents/materials.jsonl"].splitlines():
        raw = json_util.loads(line, json_options=bundle_manifest.JSON)
        crystal = twice(Structure.from_dict(raw["structure"]))
        for name in members:
            members[name] = members[name].replace(raw["_id"].encode(), structure_id(crystal).encode())
        text = members["documents/materials.jsonl"].splitlines()
        raw |= {
            "_id": structure_id(crystal),
            "structure": json.loads(json.dumps(crystal.as_dict())),
            "n_sites": len(crystal),
        }
        text = [one for one in text if raw["_id"].encode() not in one]
        text.append(json_util.dumps(raw, json_options=bundle_manifest.JSON).encode())
        members["documents/materials.jsonl"] = b"\n".join(text) + b"\n"
    rename_by_content(members)
    pack(archive, members | {"manifest.json": json.dumps(manifest).encode()})
    bundle.load(archive)
    found = materials.find(materials.MaterialQuery())
    assert [m.n_sites for m in found] == [1, 1]
    assert [materials.settings(m.id)[0].n_sites for m in found] == [2, 2]
    assert label_ids_exist(checkpoints.find()[0].snapshot)
    old = [json.loads(line) for line in members["documents/spectra.jsonl"].splitlines()]
    for one in old:
        values = ArrayField.unpack(json_util.loads(json.dumps(one), json_options=bundle_manifest.JSON)["values"])
        assert spectra.of_material(one["material"]).array() == pytest.approx(values / 2)


def test_scores_of_an_archive_from_before_they_said_their_source(archive: Path, elsewhere: None) -> None:
    crystal = PROTOTYPES["B2"].build("Ni", "Al", 12.0)
    raw = Candidate(
        id=Candidate.make_id("small", 1, "substitution", 0), campaign="small", round=1, generator="substitution",
        index=0, structure=crystal.as_dict(), formula="AlNi", formula_lower="alni", elements=["Al", "Ni"],
        chemical_system="Al-Ni", n_sites=2, seed=7, score=-6.5,
        scores={"similarity_mean": 0.4, "energy_above_hull": -0.02, "score": 0.9, "hit": True},
    ).to_mongo().to_dict()  # fmt: skip
    members = unpack(archive)
    manifest = json.loads(members["manifest.json"]) | {"schema_version": 3}
    manifest["counts"]["candidates"] = 1
    members["documents/candidates.jsonl"] = json_util.dumps(raw, json_options=bundle_manifest.JSON).encode() + b"\n"
    pack(archive, members | {"manifest.json": json.dumps(manifest).encode()})
    bundle.load(archive)
    (found,) = Candidate.objects(campaign="small")
    assert (found.score, found.scores["score"], found.scores["computed_score"]) == (-6.5, 0.9, 0.9)
    assert (found.scores["predicted_score"], found.scores["potential_energy_above_hull"]) == (0.4, -0.02)
    assert "energy_above_hull" not in found.scores
    assert bundle.load(archive).loaded == 0


def rename_by_content(members: Members) -> None:
    """Give labels and curves the ids that their materials ask for."""
    for kind in ("labels", "spectra"):
        for line in members[f"documents/{kind}.jsonl"].splitlines():
            raw = json_util.loads(line, json_options=bundle_manifest.JSON)
            parts = ("property", "method", "version") if kind == "labels" else ("kind", "method")
            key = content_id(kind[0], raw["material"], *(raw[name] for name in parts))
            for name in members:
                members[name] = members[name].replace(raw["_id"].encode(), key.encode())


def test_a_property_of_a_site_that_names_a_class_is_refused(archive: Path, elsewhere: None) -> None:
    members = unpack(archive)
    text = members["documents/settings.jsonl"].replace(
        b'"properties": {}', b'"properties": {"x": {"@module": "os", "@class": "stat_result"}}', 1
    )
    assert text != members["documents/settings.jsonl"]
    pack(archive, members | {"documents/settings.jsonl": text})
    with pytest.raises(InputError, match="neither a number, a word nor a list"):
        bundle.load(archive)
    assert contents() == {}


def test_a_cell_that_is_not_what_its_id_says_is_refused(archive: Path, elsewhere: None) -> None:
    members = unpack(archive)
    rows = [json_util.loads(line) for line in members["documents/settings.jsonl"].splitlines()]
    rows[0]["cell"] = "m-0123456789abcdef"
    text = "".join(json_util.dumps(row, json_options=bundle_manifest.JSON) + "\n" for row in rows)
    pack(archive, members | {"documents/settings.jsonl": text.encode()})
    with pytest.raises(InputError, match="is not what its id says"):
        bundle.load(archive)
