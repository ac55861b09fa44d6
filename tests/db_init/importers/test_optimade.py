"""OPTIMADE: pages are followed, faults are survived, bad entries are told, and nothing comes in twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fermiloop.db_init.importers import optimade, pages
from fermiloop.db_init.importers.options import LoadOptions
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.errors import FailureError, InputError
from fermiloop.platform.store import labels, materials, methods, quarantine
from fermiloop.schemas.import_batch import ImportCursor

Row = Callable[..., dict[str, Any]]


def stored() -> dict[str, Any]:
    return {m.source["key"]: m for m in materials.find(materials.MaterialQuery())}


def test_every_page_comes_in_once_with_method_and_licence(
    database: str, provider: Any, pages: Any, waits: list[float], row: Row
) -> None:
    provider.rows = [row(f"o-{i}", 2.8 + 0.05 * i) for i in range(5)]
    provider.faults = {
        0: (429, {"Retry-After": "7"}, "slow down"),
        2: (200, {}, '{"data": [{"type": "struc'),
        4: (503, {}, "<html>busy</html>"),
    }
    told: list[float] = []
    options = LoadOptions(filter='elements HAS "Ni"')
    report = optimade.load(provider.url, lambda _, share: told.append(share), options, pages)
    assert report == LoadReport(5, 0, 0)
    assert waits == [7.0, 1.0, 1.0]
    assert told == pytest.approx([2 / 5, 4 / 5, 1.0])
    asked = parse_qs(urlsplit(provider.asked[0]).query)
    assert asked["filter"] == ['elements HAS "Ni"']
    assert "_oqmd_delta_e" in asked["response_fields"][0]

    found = stored()
    assert set(found) == {f"o-{i}" for i in range(5)}
    assert found["o-1"].source == {"name": "OQMD", "key": "o-1", "licence": "CC BY 4.0"}
    values = {str(label.property): label for label in labels.of_material(found["o-1"].id)}
    assert {name: label.value for name, label in values.items()} == {
        "formation_energy_per_atom": -0.6,
        "energy_above_hull": 0.0,
    }
    method = methods.get(values["energy_above_hull"].method)
    assert method.functional == "PBE/PBE+U"
    assert method.settings == {"source": "OQMD", "licence": "CC BY 4.0"}

    assert optimade.load(provider.url, options=options, pages=pages) == LoadReport(0, 5, 0)


def test_bad_entries_are_told_and_do_not_stop_the_rest(database: str, provider: Any, pages: Any, row: Row) -> None:
    mixed = [{"name": "Ni1", "chemical_symbols": ["Ni", "Cu"], "concentration": [0.5, 0.5]}]
    bad = {
        "disordered": row("disordered", structure_features=["disorder"]),
        "mixed": row("mixed", species=mixed),
        "slab": row("slab", nperiodic_dimensions=2),
        "short": row("short", cartesian_site_positions=[[0, 0, 0]]),
        "overlap": row("overlap", cartesian_site_positions=[[0, 0, 0], [0.1, 0, 0]]),
        "nan": row("nan", lattice_vectors=[[float("nan"), 0, 0], [0, 3, 0], [0, 0, 3]]),
        "unreal": row("unreal", species=[{"name": n, "chemical_symbols": ["X"], "concentration": [1.0]}
                                         for n in ("Ni1", "Al1")]),
        "wide": row("wide", _oqmd_delta_e=1e9),
        "words": row("words", _oqmd_delta_e="low"),
        "bare": {"id": "bare"},
    }  # fmt: skip
    provider.rows = [row("good"), *bad.values(), 7]
    report = optimade.load(provider.url, pages=pages)
    assert report == LoadReport(1, 0, len(bad) + 1)
    reasons = {entry.excerpt.partition(":")[0]: entry.reason for entry in quarantine.find("OQMD")}
    assert set(reasons) == {*bad, "without an id"}
    for key, word in {"disordered": "disorder", "slab": "2 of three", "overlap": "overlap", "wide": "outside",
                      "mixed": "no single element", "words": "no number", "bare": "no attributes"}.items():  # fmt: skip
        assert word in reasons[key], key
    assert optimade.load(provider.url, pages=pages) == LoadReport(0, 1, len(bad) + 1)
    assert len(quarantine.find()) == len(bad) + 1


def test_a_load_that_was_cut_off_goes_on_with_the_next_page(database: str, provider: Any, pages: Any, row: Row) -> None:
    provider.rows = [row(f"o-{i}", 2.8 + 0.05 * i) for i in range(6)]
    provider.faults = {n: (500, {}, "") for n in range(2, 2 + 6)}
    with pytest.raises(FailureError, match=r"6 tries \(status 500\).*goes on where it stopped"):
        optimade.load(provider.url, pages=pages)
    assert set(stored()) == {"o-0", "o-1", "o-2", "o-3"}
    provider.asked.clear()
    provider.faults.clear()
    assert optimade.load(provider.url, pages=pages) == LoadReport(2, 0, 0)
    assert [urlsplit(path).query for path in provider.asked] == ["page_offset=4"]
    assert ImportCursor.objects.count() == 0
    assert optimade.load(provider.url, pages=pages) == LoadReport(0, 6, 0)


def test_a_cursor_that_the_server_forgot_means_all_over(database: str, provider: Any, pages: Any, row: Row) -> None:
    provider.rows = [row(f"o-{i}", 2.8 + 0.05 * i) for i in range(4)]
    provider.faults = {n: (500, {}, "") for n in range(1, 7)}
    with pytest.raises(FailureError):
        optimade.load(provider.url, pages=pages)
    provider.faults = {7: (410, {}, "{}")}
    assert optimade.load(provider.url, pages=pages) == LoadReport(2, 2, 0)


def test_a_batch_whose_materials_are_gone_is_taken_in_again(database: str, provider: Any, pages: Any, row: Row) -> None:
    provider.rows = [row("o-1")]
    optimade.load(provider.url, pages=pages)
    stored()["o-1"].delete()
    assert optimade.load(provider.url, pages=pages) == LoadReport(1, 0, 0)


def test_limit_name_and_licence(database: str, provider: Any, pages: Any, row: Row) -> None:
    provider.rows = [row(f"o-{i}", 2.8 + 0.05 * i) for i in range(6)]
    options = LoadOptions(limit=3, licence="CC0", source="Mirror")
    assert optimade.load(provider.url, options=options, pages=pages) == LoadReport(3, 0, 0)
    assert {tuple(sorted(m.source.items())) for m in stored().values()} >= {
        (("key", "o-0"), ("licence", "CC0"), ("name", "Mirror"))
    }
    assert optimade.load(provider.url, options=options, pages=pages) == LoadReport(0, 3, 0)


def test_a_provider_that_is_not_known_gives_structures_alone(
    database: str, provider: Any, pages: Any, row: Row
) -> None:
    provider.prefix, provider.rows = "stranger", [row("s-1", _stranger_energy=-3.0)]
    assert optimade.load(f"{provider.url}/v1/structures?x=1", pages=pages) == LoadReport(1, 0, 0)
    (found,) = stored().values()
    assert found.source == {"name": "Stand-in", "key": "s-1", "licence": "unknown"}
    assert labels.of_material(found.id) == []


def test_functionals_of_one_source_are_methods_of_their_own(database: str, provider: Any, pages: Any, row: Row) -> None:
    stability = {"gga_gga+u": {"energy_above_hull": 0.01}, "r2scan": {"energy_above_hull": 0.02}}
    provider.prefix, provider.rows = "mp", [row("mp-1", _mp_stability=stability)]
    optimade.load(provider.url, pages=pages)
    found = labels.of_material(stored()["mp-1"].id)
    assert {methods.get(one.method).functional: one.value for one in found} == {"PBE/PBE+U": 0.01, "r2SCAN": 0.02}


def test_a_server_with_short_pages_is_asked_for_its_own(database: str, provider: Any, pages: Any, row: Row) -> None:
    provider.most, provider.rows = 50, [row("o-1")]
    assert optimade.load(provider.url, pages=pages) == LoadReport(1, 0, 0)
    assert "page_limit" not in provider.asked[-1]


@pytest.mark.parametrize(
    ("link", "told"),
    [
        (lambda _: "http://169.254.169.254/latest", "another server"),
        (lambda here: here.replace("http://", "http://someone@"), "another server"),
        (lambda here: f"http://127.0.0.1:1{urlsplit(here).path}", "another server"),
        (lambda _: "file:///etc/passwd", "another server"),
        (lambda here: here.partition("?")[0] + "?page_offset=2", "a second time"),
    ],
)
def test_pages_are_not_followed_anywhere_else_nor_round_in_circles(
    database: str, provider: Any, pages: Any, row: Row, link: Callable[[str], str], told: str
) -> None:
    provider.rows = [row(f"o-{i}", 2.8 + 0.05 * i) for i in range(8)]
    provider.next_link = lambda here: {"href": link(here)}
    with pytest.raises((InputError, FailureError), match=told):
        optimade.load(provider.url, pages=pages)
    assert all("page_offset" not in path or "page_offset=2" in path for path in provider.asked)


def test_a_redirect_to_another_server_is_not_followed(database: str, provider: Any, pages: Any) -> None:
    provider.faults = {0: (302, {"Location": "http://example.org/"}, "")}
    with pytest.raises(InputError, match="another server"):
        optimade.load(provider.url, pages=pages)
    provider.faults = {n: (302, {"Location": provider.url}, "") for n in range(1, 20)}
    with pytest.raises(FailureError, match="without end"):
        optimade.load(provider.url, pages=pages)


def test_a_huge_page_is_not_taken(
    database: str, provider: Any, pages: Any, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.rows = [row("o-1", note="x" * 20_000)]
    monkeypatch.setattr("fermiloop.db_init.importers.pages.LARGEST", 10_000)
    with pytest.raises(FailureError, match="larger than"):
        optimade.load(provider.url, pages=pages)
    assert stored() == {}


def test_a_refusal_is_told_in_the_servers_words_and_not_repeated(
    database: str, provider: Any, pages: Any, waits: list[float]
) -> None:
    provider.faults = dict.fromkeys(range(9), (400, {}, json.dumps({"errors": [{"detail": "no such field"}]})))
    with pytest.raises(FailureError, match="status 400: no such field"):
        optimade.load(provider.url, pages=pages)
    assert (len(provider.asked), waits) == (2, [])


@pytest.mark.parametrize("url", ["", "oqmd.org", "ftp://x.org", "http://", "https:// x", "https://me:pw@x.org"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(InputError, match="no address of an OPTIMADE server"):
        optimade.load(url)


def test_what_is_no_optimade_server_is_told(database: str, provider: Any, pages: Any) -> None:
    provider.info = {"hello": "world"}
    with pytest.raises(InputError, match="no api_version"):
        optimade.load(provider.url, pages=pages)


def test_a_server_that_is_not_there_is_told(waits: list[float]) -> None:
    with pages.open_client() as client, pytest.raises(FailureError, match="ConnectError"):
        pages.Pages("http://127.0.0.1:9/v1", client, sleep=waits.append).get("http://127.0.0.1:9/v1/info")
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]
