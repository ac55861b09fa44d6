"""What a person may get wrong: one clear sentence, exit code 2, and nothing half-written."""

from __future__ import annotations

import gzip
import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.settings import settings

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256))
POINTS = [round(-8 + 0.25 * i, 2) for i in range(65)]
CURVE = [1.0] * 65


def check(outcome: Any, names: str, code: int = 2) -> None:
    """One sentence on stderr that names the value, nothing on stdout, and the exit code."""
    lines = outcome.err.splitlines()
    assert len(lines) == 1, outcome.err
    assert lines[0].endswith((".", "?")), lines[0]
    assert "Traceback" not in lines[0]
    assert names in lines[0], lines[0]
    assert outcome.out == ""
    assert outcome.code == code


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        ("frobnicate", "frobnicate"),
        ("db", "Missing command"),
        ("db frobnicate", "frobnicate"),
        ("materials find --element Pd", "--element"),
        ("materials show", "ID"),
        ("materials find --limit many", "many"),
        ("materials find --limit -3", "-3"),
        ("materials find --limit 0", "0"),
        ("materials find --elements Xx", "Xx"),
        ("materials find --elements pd", "pd"),
        ("materials find --elements ,", ","),
        ("materials find --chemical-system Ni-Qq", "Qq"),
        ("materials find --formula Zz2", "Zz2"),
        ("materials find --sites two", "two"),
        ("materials find --sites 8:1", "8:1"),
        ("materials find --range band_gap", "band_gap"),
        ("materials find --range band_gap=:", "band_gap=:"),
        ("materials find --range band_gap=nan:2", "nan:2"),
        ("materials find --range band_gap=2:1", "2:1"),
        ("materials find --range bandgap=1:2", "bandgap"),
        ("materials find --range band_gap=1:2meV", "meV"),
        ("materials find --crystal-system cubik", "cubic"),
        ("materials find --json --csv", "--csv"),
        ("materials find --dos-like Pd --metric cosin", "cosine"),
        ("materials find --dos-like Pd --window -2", "-2"),
        ("materials find --dos-like Pd --window=-2:2Ry", "-2:2Ry"),
        ("materials find --dos-like Pd --window=-9:2", "-9:2"),
        ("materials find --window=-2:2", "--dos-like"),
        ("materials export out.xlsx", "out.xlsx"),
        ("candidates find --stage pased", "passed"),
        ("candidates find --generator dos_composr", "dos_composer"),
        ("candidates find --range similarty=0:1", "similarity"),
        ("candidates find --round first", "first"),
        ("candidates find --json --csv", "--csv"),
        ("candidates explain", "ID"),
        ("generators train dos_compser", "dos_composer"),
        ("generators train dos_composer --preset papr", "paper"),
        ("worker run -n 0", "0"),
        ("worker run -n -1", "-1"),
        ("worker run -n 100000", "100000"),
        ("worker run -n two", "two"),
        ("campaign launch", "FILE"),
        ("campaign launch c.yaml --inline --workers 2", "--inline"),
        ("campaign launch c.yaml --workers 0", "0"),
        ("bench dos --library nowhere.jsonl.gz", "nowhere.jsonl.gz"),
        ("bench dos --test nowhere.jsonl.gz", "nowhere.jsonl.gz"),
    ],
)
def test_slips_of_the_pen(cli: Callable[..., Any], argv: str, names: str) -> None:
    check(cli(*argv.split()), names)


@pytest.mark.parametrize(
    ("variable", "value", "names"),
    [
        ("FERMILOOP_MONGO_URI", "x", "FERMILOOP_MONGO_URI"),
        ("FERMILOOP_THREADS", "many", "FERMILOOP_THREADS"),
        ("FERMILOOP_DATABASE", "a b", "FERMILOOP_DATABASE"),
        ("FERMILOOP_MONGODB_URI", "http://127.0.0.1", "FERMILOOP_MONGODB_URI"),
        ("FERMILOOP_MONGODB_URI", "mongodb://", "FERMILOOP_MONGODB_URI"),
        ("FERMILOOP_MONGODB_URI", "mongodb://me:secret@127.0.0.1:9/?serverSelectionTimeoutMS=200", "127.0.0.1:9"),
        ("FERMILOOP_DATA_DIR", "/dev/null/store", "/dev/null"),
    ],
)
def test_settings_that_do_not_hold(
    cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, variable: str, value: str, names: str
) -> None:
    monkeypatch.setenv(variable, value)
    settings.cache_clear()
    outcome = cli("materials", "find")
    check(outcome, names)
    assert "secret" not in outcome.err


def spec(**changes: Any) -> str:
    """A campaign that holds, with changes."""
    import yaml

    content = {
        "name": "bad",
        "target": {"dos": {"energies": POINTS, "values": CURVE}},
        "space": {"elements": ["Pd", "Ni"], "components": [1, 2], "crystal_systems": ["cubic"], "max_sites": 4},
        "generators": [{"name": "random_pick", "proposals": 4}],
        "engine": {"name": "analytic"},
        "budget": {"rounds": 1, "evaluations": 1, "per_round": 1},
    }
    return yaml.safe_dump({key: value for key, value in {**content, **changes}.items() if value is not None})


def curve(energies: list[float], values: list[float]) -> dict[str, Any]:
    return {"dos": {"energies": energies, "values": values}}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("name: [unclosed", "campaign.yaml"),
        ("", "campaign.yaml"),
        ("- a\n- b\n", "campaign.yaml"),
        ("just words", "campaign.yaml"),
        (spec(name=None), "name"),
        (spec(name="no spaces / please"), "no spaces / please"),
        (spec(targt={}), "target"),
        (spec(target=None), "target"),
        (spec(target={}), "target"),
        (spec(budget={"round": 1}), "rounds"),
        (spec(budget={"rounds": -1, "evaluations": 1, "per_round": 1}), "rounds"),
        (spec(budget={"rounds": "two", "evaluations": 1, "per_round": 1}), "two"),
        (spec(space={"elements": ["Pd", "Xx"]}), "Xx"),
        (spec(space={"elements": []}), "elements"),
        (spec(space={"elements": ["Pd"], "crystal_systems": ["cubik"]}), "cubik"),
        (spec(space={"elements": ["Pd"], "components": [2, 1]}), "components"),
        (spec(generators=[{"name": "dos_composr", "proposals": 4}]), "dos_composr"),
        (spec(generators=[{"name": "dos_composer", "preset": "papr", "proposals": 4}]), "papr"),
        (spec(generators=[]), "generators"),
        (spec(engine={"name": "gpav"}), "gpav"),
        (spec(engine={"name": "external"}), "external"),
        (spec(acquisition={"name": "expected_improvment"}), "expected_improvment"),
        (spec(funnel={"stages": ["geometri"]}), "geometri"),
        (spec(target=curve(POINTS, [float("nan"), *CURVE[1:]])), "nan"),
        (spec(target=curve(POINTS, CURVE[1:])), "64"),
        (spec(target=curve([-5.0, 0.0, 5.0], [1.0, 1.0, 1.0])), "-5"),
        (spec(target=curve(POINTS[::-1], CURVE)), "rise"),
        (spec(target=curve(POINTS, [0.0] * 65)), "all 0"),
        (spec(target={"dos": {"file": "nowhere.csv"}}), "nowhere.csv"),
        (spec(target={"dos": {"file": "image.csv"}}), "image.csv"),
        (spec(target={**curve(POINTS, CURVE), "hit_similarity": 1.5}), "1.5"),
        (spec(target={"properties": [{"name": "bandgap", "value": 1.0, "tolerance": 0.1}]}), "bandgap"),
    ],
)
def test_campaign_files(
    cli: Callable[..., Any], database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, names: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("image.csv").write_bytes(PNG)
    Path("campaign.yaml").write_text(textwrap.dedent(text))
    before = counts()
    check(cli("campaign", "launch", "campaign.yaml", "--inline"), names)
    assert counts() == before


@pytest.mark.parametrize(
    ("path", "names"), [("nowhere.yaml", "nowhere.yaml"), (".", ". is a folder"), ("image.yaml", "image.yaml")]
)
def test_paths_that_are_no_campaign(
    cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, names: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("image.yaml").write_bytes(PNG)
    check(cli("campaign", "launch", path), names)


def counts() -> dict[str, int]:
    """Documents of every collection but the quarantine."""
    from fermiloop.platform.store import connection

    database = connection.database()
    names = [name for name in database.list_collection_names() if name != "quarantine"]
    return {name: n for name in sorted(names) if (n := database[name].count_documents({}))}


def record(**changes: Any) -> str:
    """One line of a structures file that holds, with changes."""
    content = {
        "material_id": "x-1", "cell": [2.9, 2.9, 2.9, 90.0, 90.0, 90.0], "species": ["Ni", "Al"],
        "frac": [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]], "formula": "NiAl", "nsites": 2,
    }  # fmt: skip
    return json.dumps({**content, **changes}) + "\n"


FILES: dict[str, dict[str, bytes]] = {
    "nowhere.jsonl": {},
    "sead": {},
    "empty_folder": {"empty_folder/": b""},
    "empty.jsonl": {"empty.jsonl": b""},
    "words.docx": {"words.docx": b"x"},
    "plain.jsonl.gz": {"plain.jsonl.gz": record().encode()},
    "cut.jsonl.gz": {"cut.jsonl.gz": gzip.compress(record().encode())[:-12]},
    "broken.jsonl": {"broken.jsonl": b'{"cell": [1, 2\n'},
    "binary.jsonl": {"binary.jsonl": PNG},
    "keys.jsonl": {"keys.jsonl": b'{"a": 1}\n'},
    "flat.jsonl": {"flat.jsonl": record(cell=[2.9, 2.9, 0.0, 90.0, 90.0, 90.0]).encode()},
    "angles.jsonl": {"angles.jsonl": record(cell=[2.9, 2.9, 2.9, 10.0, 10.0, 170.0]).encode()},
    "overlap.jsonl": {"overlap.jsonl": record(frac=[[0, 0, 0], [0.001, 0, 0]]).encode()},
    "element.jsonl": {"element.jsonl": record(species=["Ni", "Xx"]).encode()},
    "nan.jsonl": {"nan.jsonl": record(frac=[[0, 0, 0], [float("nan"), 0, 0]]).encode()},
    "lengths.jsonl": {"lengths.jsonl": record(species=["Ni"]).encode()},
    "png_folder": {"png_folder/a.cif": PNG},
    "text_folder": {"text_folder/POSCAR": b"hello\n"},
    "other_folder": {"other_folder/readme.md": b"hello\n"},
}


@pytest.mark.parametrize("source", FILES)
def test_sources_that_hold_nothing(
    cli: Callable[..., Any], database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in FILES[source].items():
        path = tmp_path / name
        if name.endswith("/"):
            path.mkdir()
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
    before = counts()
    check(cli("db", "load", source), source)
    assert counts() == before


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        ("materials show m-nothing", "m-nothing"),
        ("materials find --dos-like m-nothing", "m-nothing"),
        ("materials find --dos-like Pd", "Pd"),
        ("materials find --dos-like nowhere.csv", "nowhere.csv"),
        ("materials find --dos-like image.csv", "image.csv"),
        ("materials find --dos-like nan.csv", "nan.csv"),
        ("materials find --dos-like short.csv", "short.csv"),
        ("materials find --dos-like lengths.json", "lengths.json"),
        ("candidates show c-nothing", "c-nothing"),
        ("candidates explain c-nothing", "c-nothing"),
        ("generators show nothing", "nothing"),
        ("generators promote ckpt-nothing", "ckpt-nothing"),
        ("generators rollback nothing", "nothing"),
        ("generators rollback dos_composer", "dos_composer"),
        ("generators train dos_composer --preset factorised", "dos_composer"),
        ("campaign show nothing", "nothing"),
        ("campaign watch nothing", "nothing"),
        ("campaign report nothing", "nothing"),
        ("campaign report nothing --json", "nothing"),
        ("campaign report nothing --html out", "nothing"),
        ("db restore nowhere", "nowhere"),
        ("db restore empty_folder", "empty_folder"),
        ("db restore corrupt", "corrupt"),
        ("db dump full_folder", "full_folder"),
        ("bench dos --quick --library image.csv", "image.csv"),
        ("bench dos --quick --library words.jsonl", "words.jsonl"),
    ],
)
def test_names_that_the_store_does_not_hold(
    cli: Callable[..., Any], database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: str, names: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_bad_files()
    before = counts()
    check(cli(*argv.split()), names)
    assert counts() == before
    assert not Path("out").exists()


def write_bad_files() -> None:
    """Curves, libraries and archives that are invalid, into the working folder."""
    Path("image.csv").write_bytes(PNG)
    Path("words.jsonl").write_text("not json\n")
    Path("nan.csv").write_text("energy,dos\n" + "".join(f"{x},nan\n" for x in POINTS))
    Path("short.csv").write_text("energy,dos\n-1,1\n0,2\n1,1\n")
    Path("lengths.json").write_text(json.dumps({"energies": POINTS, "values": CURVE[1:]}))
    for folder in ("empty_folder", "corrupt", "full_folder"):
        Path(folder).mkdir()
    Path("full_folder/mine.txt").write_text("keep me")
    Path("corrupt/manifest.json").write_text("{ not json")


def store_one() -> str:
    """One material in the store."""
    from fermiloop.platform.store import materials
    from fermiloop.schemas.vocabulary import Origin

    crystal = PROTOTYPES["B2"].build("Al", "Ni", volume_per_atom=12.1)
    return materials.save(crystal, origin=Origin.IMPORT, source={"name": "test", "key": "1", "licence": "MIT"})


@pytest.mark.parametrize("argv", ["materials export out.csv", "materials export out.json", "materials find --cif out"])
def test_full_disk_while_writing(
    cli: Callable[..., Any], database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: str
) -> None:
    store_one()
    monkeypatch.chdir(tmp_path)
    if "export" in argv:  # its file is written in pieces: here onto a device that is full
        (tmp_path / f".{argv.split()[-1]}.part").symlink_to("/dev/full")

    def full(self: Path, *args: object, **kwargs: object) -> int:
        self.touch()
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", full)
    outcome = cli(*argv.split())
    check(outcome, "the disk is full")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_restore_over_what_is_there(cli: Callable[..., Any], database: Any, tmp_path: Path) -> None:
    store_one()
    assert cli("db", "dump", str(tmp_path / "archive")).code == 0
    before = counts()
    check(cli("db", "restore", str(tmp_path / "archive")), "not empty")
    assert counts() == before


def test_a_database_of_a_newer_version(cli: Callable[..., Any], database: Any) -> None:
    from fermiloop.platform.store import connection

    connection.database()["schema_version"].replace_one({"_id": "schema"}, {"version": 999}, upsert=True)
    connection.disconnect()
    check(cli("materials", "find"), "999")


def test_a_name_that_another_campaign_bears(cli: Callable[..., Any], database: Any, tmp_path: Path) -> None:
    from fermiloop.platform.store import campaigns

    campaigns.create("bad", {"name": "bad", "seed": 1}, "name: bad\nseed: 1\n")
    path = tmp_path / "campaign.yaml"
    path.write_text(spec())
    before = counts()
    check(cli("campaign", "launch", str(path), "--inline"), "bad")
    assert counts() == before


def test_an_interrupt_is_told(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from fermiloop.platform.cli import doctor

    def interrupted(name: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "package_version", interrupted)
    check(cli("version"), "Stopped from the keyboard.", code=130)


def test_what_nobody_foresaw_points_to_debug(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from fermiloop.platform.cli import doctor

    monkeypatch.setattr(doctor, "package_version", lambda name: {}["nothing"])
    check(cli("version"), "--debug", code=1)
    assert "Traceback" in cli("version", "--debug").err
