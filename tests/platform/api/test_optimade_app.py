"""OPTIMADE as others meet it: the standard's own validator, filters, requests that make no sense."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from optimade.validator import ImplementationValidator
from pymatgen.core import Structure

from fermiloop.db_init import setup
from fermiloop.platform.api.optimade_app import Refresh, create_app
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import (
    candidates,
    connection,
    labels,
    materials,
    methods,
    optimade_entries,
    optimade_query,
    spectra,
)
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import Origin, Stage

# the protocol tells clients of unknown fields by warnings
pytestmark = pytest.mark.filterwarnings("default")
SOURCE = {"name": "fermiloop seed library", "key": "1", "licence": "MIT"}
PAIRS = (("Ni", "Al"), ("Pd", None), ("Ti", "Al"), ("Cu", "Pd"), ("Ni", "Pt"), ("Fe", None), ("Fe", "Co"))


def candidate(structure: Structure, index: int, **fields: Any) -> Candidate:
    symbols = sorted({site.specie.symbol for site in structure})
    formula = structure.composition.reduced_formula
    return Candidate(
        id=Candidate.make_id("pd-like", 1, "ftcp/paper", index), campaign="pd-like", round=1,
        generator="ftcp", preset="paper", index=index, structure=structure.as_dict(),
        formula=formula, formula_lower=formula.lower(), elements=symbols,
        chemical_system="-".join(symbols), n_sites=len(structure), seed=7, score=0.1 * index, **fields,
    )  # fmt: skip


@pytest.fixture
def filled(database: str) -> None:
    """Materials with curves, and candidates in several stages."""
    setup.init()
    method = methods.save("gpaw", "PBE", {"cutoff": 400}, {})
    x = np.linspace(-10, 8, 361)
    crystals = [
        PROTOTYPES[name].build(a, b, 12.0 + i)
        for i, (a, b) in enumerate(PAIRS)
        for name in (("B2", "L1_2") if b else ("A1",))
    ]
    ids = [materials.save(crystal, origin=Origin.SEED, source=SOURCE) for crystal in crystals]
    for i, key in enumerate(ids):
        spectra.save(key, x, np.exp(-((x - i / 2) ** 2)), method=method)
    stages = (Stage.PASSED, Stage.REJECTED, Stage.EVALUATED)
    candidates.save_many(
        [
            candidate(
                crystal, i, stage=stages[i % 3], scores={"energy_above_hull": 0.01 * i, "predicted_similarity": 0.9}
            )
            for i, crystal in enumerate(crystals)
        ]
    )


@pytest.fixture
def address(filled: None) -> Iterator[str]:
    """Address of a server with the app mounted."""
    root = FastAPI()
    root.mount("/optimade", create_app())
    server = uvicorn.Server(uvicorn.Config(root, port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/optimade"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    """Client that believes to speak with a host of that name."""
    with httpx.Client(base_url=f"{address}/", headers={"Host": "example.org"}, timeout=60, limits=ONE_EACH) as made:
        yield made


def test_the_validator_of_the_standard_finds_no_failure(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    random.seed(0)  # it draws entries and fields
    validator = ImplementationValidator(base_url=address, respond_json=True, page_limit=3, max_retries=1)
    validator.validate_implementation()
    results = validator.results
    assert validator.valid, capsys.readouterr().out
    assert (results.failure_count, results.internal_failure_count, results.optional_failure_count) == (0, 0, 0)
    assert results.success_count >= 50


FILTERS: dict[str, Callable[[dict[str, Any]], bool]] = {
    'elements HAS "Ni"': lambda d: "Ni" in d["elements"],
    'elements HAS ALL "Ni","Al"': lambda d: {"Ni", "Al"} <= set(d["elements"]),
    'elements HAS ANY "Pd","Fe"': lambda d: bool({"Pd", "Fe"} & set(d["elements"])),
    'elements HAS ONLY "Pd","Cu"': lambda d: set(d["elements"]) <= {"Pd", "Cu"},
    'NOT elements HAS "Ni"': lambda d: "Ni" not in d["elements"],
    'NOT elements HAS ALL "Ni","Al"': lambda d: not {"Ni", "Al"} <= set(d["elements"]),
    "elements LENGTH 1": lambda d: len(d["elements"]) == 1,
    "elements LENGTH >= 2": lambda d: len(d["elements"]) >= 2,
    'elements HAS ALL "Ni","Al" AND nelements=2 AND nsites>2': lambda d: (
        d["elements"] == ["Al", "Ni"] and d["nsites"] > 2
    ),
    "nsites > 1 AND nsites < 4": lambda d: 1 < d["nsites"] < 4,
    "NOT (nsites=2 OR nsites=4)": lambda d: d["nsites"] not in {2, 4},
    'chemical_formula_reduced="AlNi"': lambda d: d["chemical_formula_reduced"] == "AlNi",
    'chemical_formula_reduced STARTS WITH "Al"': lambda d: d["chemical_formula_reduced"].startswith("Al"),
    'chemical_formula_reduced CONTAINS "Ni3"': lambda d: "Ni3" in d["chemical_formula_reduced"],
    'chemical_formula_reduced ENDS "t"': lambda d: d["chemical_formula_reduced"].endswith("t"),
    'chemical_formula_reduced CONTAINS ".*"': lambda d: False,
    'chemical_formula_anonymous="A3B" OR nelements=1': lambda d: d["nsites"] in {1, 4},
    '_fermiloop_stage="passed"': lambda d: d["stage"] == "passed",
    '_fermiloop_stage!="passed"': lambda d: d["stage"] not in {"passed", None},
    "_fermiloop_stage IS UNKNOWN": lambda d: d["stage"] is None,
    '_fermiloop_kind="candidate" AND _fermiloop_energy_above_hull<0.05': lambda d: (
        d["kind"] == "candidate" and d["energy_above_hull"] < 0.05
    ),
    "_fermiloop_energy_above_hull>=0.02 AND _fermiloop_energy_above_hull<=0.06": lambda d: (
        d["energy_above_hull"] is not None and 0.02 <= d["energy_above_hull"] <= 0.06
    ),
    'species.name HAS ALL "Ni","Al"': lambda d: {"Ni", "Al"} <= {s["name"] for s in d["species"]},
    'NOT species.name HAS ALL "Ni","Al"': lambda d: not {"Ni", "Al"} <= {s["name"] for s in d["species"]},
    'species.chemical_symbols HAS "Pt"': lambda d: "Pt" in d["elements"],
    'references.id HAS "ren-2022"': lambda d: d["kind"] == "candidate",
    'references.id HAS ALL "ren-2022","noh-2019"': lambda d: False,
    'elements_ratios HAS 0.75': lambda d: 0.75 in d["elements_ratios"],
    'last_modified > "2020-01-01T00:00:00Z"': lambda d: True,
    '_other_field="x"': lambda d: False,
}  # fmt: skip


def test_filters_find_what_they_say(client: httpx.Client) -> None:
    everything = list(optimade_entries.entries({}))
    assert len(everything) == 24
    for text, holds in FILTERS.items():
        answer = client.get("v1/structures", params={"filter": text, "page_limit": 100})
        assert answer.status_code == 200, (text, answer.text)
        body = answer.json()
        assert {row["id"] for row in body["data"]} == {d["id"] for d in everything if holds(d)}, text
        assert body["meta"]["data_returned"] == len(body["data"]), text


def test_pages_follow_one_another_under_the_name_that_was_asked(client: httpx.Client) -> None:
    url = "v1/structures?page_limit=5&sort=-nsites&filter=nelements>=1"
    seen: list[str] = []
    while url:
        body = client.get(url).json()
        seen += [row["id"] for row in body["data"]]
        assert body["meta"]["more_data_available"] == (body["links"]["next"] is not None)
        host, _, url = (body["links"]["next"] or "").partition("/optimade/")
        assert host in {"http://example.org", ""}
    assert len(seen) == len(set(seen)) == 24
    info = client.get("v1/info").json()["data"]["attributes"]
    assert info["available_api_versions"][0]["url"] == "http://example.org/optimade/v1"


def test_an_entry_says_where_it_came_from(client: httpx.Client) -> None:
    row = client.get("v1/structures", params={"filter": '_fermiloop_kind="material"', "page_limit": 1}).json()["data"][
        0
    ]
    about = row["attributes"]
    assert (about["_fermiloop_origin"], about["_fermiloop_licence"]) == ("seed", "MIT")
    assert max(about["_fermiloop_dos_fingerprint"]) > 0
    assert client.get(f"v1/structures/{row['id']}").json()["data"]["attributes"] == about
    assert client.get("v1/structures/m-none").json()["data"] is None
    described = client.get("v1/info/structures").json()["data"]["properties"]
    assert described["_fermiloop_energy_above_hull"]["unit"] == "eV/atom"


def test_numbers_and_curve_of_a_computed_material_are_served(client: httpx.Client) -> None:
    """Filtered by, described, and with the arrays of the curve, which a projection may leave out."""
    (material,) = materials.find(materials.MaterialQuery(formula="Pd"))
    (method,) = methods.of_engine("gpaw")
    for name, value in {"energy_per_atom": -5.25, "band_gap": 0.5, "energy_above_hull": 0.0}.items():
        labels.save(material.id, name, value, method=method.id)
    optimade_entries.refresh()
    optimade_query.forget()
    asked = {"filter": "_fermiloop_band_gap>0.4 AND _fermiloop_dos_values IS KNOWN"}
    (row,) = client.get("v1/structures", params=asked).json()["data"]
    about = row["attributes"]
    assert row["id"] == material.id
    assert (about["_fermiloop_energy_per_atom"], about["_fermiloop_energy_above_hull"]) == (-5.25, 0.0)
    assert (about["_fermiloop_method"], about["_fermiloop_formation_energy_per_atom"]) == (method.id, None)
    energies, values = about["_fermiloop_dos_energies"], about["_fermiloop_dos_values"]
    assert (len(energies), energies[0], energies[-1]) == (361, -10.0, 8.0)
    assert max(values) == pytest.approx(1.0)
    assert about["_fermiloop_dos_zero"] == "fermi"
    assert len(about["_fermiloop_labels"]) == 3
    small = client.get("v1/structures", params=asked | {"response_fields": "nsites"}).json()["data"][0]["attributes"]
    assert small == {"nsites": 1}


# a connection each: one kept alive may be closed by the server just when the next request goes out
ONE_EACH = httpx.Limits(max_keepalive_connections=0)
SENSELESS = (
    ("v1/structures?filter=elements HAS", 400),
    ("v1/structures?filter=" + "(" * 500, 400),
    ("v1/structures?filter=" + "NOT " * 60 + "nsites=1", 400),
    ("v1/structures?filter=" + "nsites=1 OR " * 400 + "nsites=1", 400),
    ('v1/structures?filter=$where="1"', 400),
    ('v1/structures?filter=elements:nsites HAS "Ni":1', 501),
    ("v1/structures?page_limit=100000", 403),
    ("v1/structures?page_limit=-1", 400),
    ("v1/structures?page_offset=-1", 400),
    ("v1/structures?page_limit=many", 400),
    ("v1/structures?page_offset=99999999999999999999", 400),
    ("v1/structures?page_above=m-1", 501),
    ("v1/structures?sort=$natural", 400),
    ("v1/structures?response_format=xml", 400),
    ("v1/structures?response_fields=nothing", 400),
    ("v1/structures?filter", 400),
    ("v1/spells", 404),
    ("v7/info", 553),
    ('v1/structures/x" OR id!="', 404),
)  # path, status


def test_requests_that_make_no_sense(client: httpx.Client) -> None:
    for path, status in SENSELESS:
        answer = client.get(path)
        assert answer.status_code == status, (path, answer.text)
        assert answer.json()["errors"][0]["detail"], path
        assert "site-packages" not in answer.text


def test_nothing_can_be_written_and_the_landing_shows_what_is_served(client: httpx.Client) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert client.request(method, "v1/structures").status_code == 405
    there = client.get("")
    assert (there.status_code, there.headers["location"]) == (307, "http://example.org/optimade/v1/info")


def test_counts_are_believed_for_a_while_and_forgotten_when_something_changes(client: httpx.Client) -> None:
    query = {"nsites": 1}
    before = optimade_query.count(optimade_entries.STRUCTURES, query)
    connection.database()[optimade_entries.STRUCTURES].delete_many(query)
    assert optimade_query.count(optimade_entries.STRUCTURES, query) == before == 4
    optimade_query.forget()
    assert optimade_query.count(optimade_entries.STRUCTURES, query) == 0


def test_what_is_new_in_the_store_is_served_soon(client: httpx.Client) -> None:
    key = materials.save(PROTOTYPES["A1"].build("Au", None, 17.0), origin=Origin.SEED, source=SOURCE)
    refresh = Refresh(0.0)
    refresh.when_due()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not client.get(f"v1/structures/{key}").json()["data"]:
        time.sleep(0.05)
    assert client.get(f"v1/structures/{key}").json()["data"]["id"] == key
    with refresh._lock:  # it has ended
        pass
