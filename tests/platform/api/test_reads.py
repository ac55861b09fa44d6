"""Reads: lists with filters and pages, single documents, crystals, curves, search."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fermiloop.platform.api.work import Limits
from fermiloop.platform.app import campaigns
from fermiloop.platform.store import exchange_records, exports
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import Role


def test_campaigns_and_a_summary_without_nan(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here = client()
    monkeypatch.setattr(
        campaigns, "summary", lambda name, library=True: {"name": name, "best": None, "wrong": math.nan}
    )
    assert [one["name"] for one in here.get("/campaigns").json()["data"]] == ["pd-like"]
    assert here.get("/campaigns/pd-like").json()["data"] == {
        "name": "pd-like",
        "best": None,
        "wrong": None,
        "running": [],
    }
    monkeypatch.undo()
    missing = here.get("/campaigns/none")
    assert missing.status_code == 404
    assert missing.json() == {
        "error": "There is no campaign none; fermiloop campaign list shows all.",
        "status": 404,
    }


@pytest.mark.parametrize(
    ("query", "formulas"),
    [
        ("", {"AlNi", "AlPd", "TiNi", "CuPd"}),
        ("elements=Al", {"AlNi", "AlPd"}),
        ("elements=Pd,Al", {"AlPd"}),
        ("formula=PdCu", {"CuPd"}),
        ("chemical_system=Ti-Ni", {"TiNi"}),
        ("sites=3:", set()),
        ("sites=2&stage=evaluated", {"AlNi"}),
        ("range=energy_above_hull=0.04:0.11", {"AlPd", "TiNi"}),
        ("range=energy_above_hull=:0.04&elements=Ni", {"AlNi"}),
        ("campaign=another", set()),
        ("campaign=pd-like&round=1&generator=substitution", {"AlNi", "AlPd", "TiNi", "CuPd"}),
    ],
)
def test_candidates_by_filters(client: Any, query: str, formulas: set[str]) -> None:
    found = client().get(f"/candidates?{query}")
    assert found.status_code == 200, found.text
    assert {one["formula"] for one in found.json()["data"]} == formulas


def test_pages_hold_everything_once(client: Any, world: Any) -> None:
    here, offset, ids = client(), 0, []
    while offset is not None:
        page = here.get("/candidates", params={"limit": 3, "offset": offset}).json()
        ids += [one["id"] for one in page["data"]]
        offset = page["next"]
    assert sorted(ids) == sorted(world.candidates)


def test_a_candidate_with_its_lineage(client: Any, world: Any) -> None:
    here, one = client(), world.candidates[0]
    known = here.get(f"/candidates/{one}").json()["data"]
    assert known["formula"] == "AlNi"
    assert known["structure"]["@class"] == "Structure"
    assert known["lineage"]["calculations"][0]["id"] == world.calculation
    assert here.get(f"/candidates/{one}/lineage").json()["data"] == known["lineage"]


def test_crystals_as_json_and_cif(client: Any, world: Any) -> None:
    from pymatgen.core import Structure

    here = client()
    for address in (f"/candidates/{world.candidates[1]}/structure", f"/materials/{world.materials[1]}/structure"):
        cif = here.get(address, params={"format": "cif"})
        assert cif.headers["content-type"].startswith("chemical/x-cif")
        read = Structure.from_str(cif.text, fmt="cif")
        assert read.composition.reduced_formula == "AlPd"
        assert Structure.from_dict(here.get(address).json()).volume == pytest.approx(read.volume, rel=1e-4)


@pytest.mark.parametrize("form", ["cif", "cif-p1", "poscar", "extxyz"])
def test_crystals_as_files(client: Any, world: Any, form: str) -> None:
    found = client().get(f"/materials/{world.materials[1]}/structure", params={"format": form})
    assert found.status_code == 200
    assert world.materials[1] in found.text


@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "optimade.jsonl"])
@pytest.mark.parametrize("noun", ["materials", "candidates"])
def test_an_export_is_what_the_command_writes(client: Any, world: Any, tmp_path: Path, noun: str, form: str) -> None:
    selected = {
        "materials": exchange_records.of_materials(world.materials[:2]),
        "candidates": exchange_records.of_candidates(world.candidates[:2]),
    }[noun]
    exports.write(selected, tmp_path / f"x.{form}")
    found = client().get(f"/{noun}/export", params={"format": form, "elements": "Al"})
    assert found.status_code == 200, found.text
    assert found.content == (tmp_path / f"x.{form}").read_bytes()
    assert found.headers["content-disposition"] == f'attachment; filename="fermiloop-{noun}.{form}"'
    assert found.headers["x-content-type-options"] == "nosniff"


def test_exports_with_filters_and_bounds(client: Any, world: Any) -> None:
    here = client()
    lines = here.get("/materials/export", params={"range": "band_gap=0.4:1.2"}).text.splitlines()
    assert sum('"type":"material"' in line for line in lines) == 2
    assert here.get("/materials/export", params={"limit": 1}).text.count('"type":"material"') == 1
    assert here.get("/candidates/export", params={"stage": "evaluated"}).text.count('"type":"candidate"') == 1
    for wrong in ("format=xlsx", "offset=1", "limit=0", "range=colour=1:2", "format=json&format=csv"):
        assert here.get(f"/materials/export?{wrong}").status_code == 422
    busy = client(limits=Limits(exports=0)).get("/materials/export")
    assert (busy.status_code, "exports are under way" in busy.json()["error"]) == (503, True)
    assert client(open_reads=False).get("/materials/export").status_code == 401


def test_an_export_counts_while_its_first_piece_is_made(
    client: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, begun, go_on = client(limits=Limits(exports=1)), threading.Event(), threading.Event()

    def pieces(*_: Any) -> Iterator[str]:
        begun.set()
        go_on.wait(10)
        yield "all of it"

    monkeypatch.setattr(exports, "pieces", pieces)
    with here, ThreadPoolExecutor(1) as threads:
        first = threads.submit(here.get, "/materials/export")
        assert begun.wait(10)
        threading.Timer(2.0, go_on.set).start()  # for a second one that is not refused
        assert here.get("/materials/export").status_code == 503
        go_on.set()
        assert first.result().text == "all of it"
        assert here.get("/materials/export").status_code == 200


def test_an_export_of_a_damaged_store_is_refused_before_it_begins(client: Any, world: Any) -> None:
    Method.objects.delete()
    refused = client().get("/materials/export")
    assert refused.status_code == 500
    assert "is not in the store" in refused.json()["error"]


def test_curves_of_candidates_and_materials(client: Any, world: Any) -> None:
    here = client()
    curve = here.get(f"/candidates/{world.candidates[0]}/dos").json()["data"]
    assert np.argmax(curve["values"]) == np.argmin(np.abs(curve["energies"]))
    assert here.get(f"/materials/{world.materials[0]}/dos").json()["data"] == curve
    assert here.get(f"/materials/{world.materials[0]}/spectra/dos").json()["data"] == curve
    assert here.get(f"/materials/{world.materials[0]}/spectra/xrd").status_code == 404
    assert here.get(f"/candidates/{world.candidates[1]}/dos").status_code == 404
    (listed,) = here.get(f"/materials/{world.materials[0]}/spectra").json()["data"]
    assert "values" not in listed


def test_materials_by_property_with_labels(client: Any, world: Any) -> None:
    here = client()
    found = here.get("/materials", params={"range": "band_gap=0.4:1.2", "elements": "Pd"}).json()["data"]
    assert [one["id"] for one in found] == [world.materials[1]]
    known = here.get(f"/materials/{world.materials[1]}").json()["data"]
    assert known["labels"][0]["value"] == 0.5
    assert here.get(f"/materials/{world.materials[1]}/labels").json()["data"] == known["labels"]


def test_calculations_by_state_and_by_text_of_the_error(client: Any, world: Any) -> None:
    here = client()
    assert here.get("/calculations?state=failed").json()["data"][0]["id"] == world.calculation
    assert here.get("/calculations?state=running").json()["data"] == []
    assert here.get("/calculations", params={"error": "(DID) not"}).json()["data"][0]["id"] == world.calculation
    assert here.get("/calculations", params={"error": "(a+)+$"}).json()["data"] == []
    assert here.get(f"/calculations/{world.calculation}").json()["data"]["core_seconds"] == 3.0


@pytest.mark.parametrize("window", [None, [1.0, 3.0]])
def test_search_by_a_posted_curve(client: Any, world: Any, window: list[float] | None) -> None:
    x = np.linspace(*(window or (-8.0, 8.0)), 200)
    body = {"energies": x.tolist(), "values": np.exp(-((x - 2) ** 2)).tolist(), "limit": 2, "window": window}
    found = client().post("/dos/search", json=body).json()
    assert found["data"][0]["material"] == world.materials[2]
    assert len(found["data"]) == 2


def test_closed_reads_need_a_token(client: Any) -> None:
    assert client(open_reads=False).get("/campaigns").status_code == 401
    assert client(Role.READ, open_reads=False).get("/campaigns").status_code == 200


def test_answers_bear_headers_and_no_origin_is_allowed(client: Any) -> None:
    answer = client().get("/campaigns", headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    allowed = client(cors_origins=("https://lab.example",))
    answer = allowed.get("/campaigns", headers={"Origin": "https://lab.example"})
    assert answer.headers["access-control-allow-origin"] == "https://lab.example"


def test_the_description_names_every_address(client: Any) -> None:
    paths = client().get("/openapi.json").json()["paths"]
    assert {"/campaigns", "/campaigns/{name}/events", "/dos/search", "/tokens/{name}"} <= paths.keys()
    named = {one["name"] for one in paths["/candidates"]["get"]["parameters"]}
    assert {"elements", "range", "limit", "offset"} <= named


def test_search_by_the_text_of_a_file_tells_how_it_was_read(client: Any, world: Any) -> None:
    x = np.linspace(-8.0, 8.0, 200)
    rows = "".join(f"{e + 3:.4f} {np.exp(-((e - 2) ** 2)):.6f}\n" for e in x)
    body = {"text": f"# E (eV) dos(E) EFermi = 3.0 eV\n{rows}", "limit": 2}
    found = client().post("/dos/search", json=body).json()
    assert found["data"][0]["material"] == world.materials[2]
    assert found["remarks"][0] == "The Fermi level 3 eV of the heading was taken."
    assert found["alignment"] == "midgap"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "only one"),
        ({"text": "0 1\n1 2\n", "energies": [0, 1], "values": [1, 2]}, "only one"),
        ({"text": "% dos\n0 1\n"}, "percent"),
        ({"energies": [-8, 0, 8], "values": [1, 2, 1]}, "largest step"),
        ({"energies": [-8, 0, 8], "values": [0, 0, 0]}, "all 0"),
    ],
)
def test_curves_that_are_refused(client: Any, body: dict[str, Any], words: str) -> None:
    answer = client().post("/dos/search", json=body)
    assert answer.status_code == 422
    assert words in answer.text
