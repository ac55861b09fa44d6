"""``fermiloop compute``, and its twins in Python, over REST and on the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fermiloop
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations
from fermiloop.schemas.vocabulary import CalculationState

B2 = PROTOTYPES["B2"].build("Al", "Ni", 12.1)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "NiAl.cif"
    B2.to(str(path), fmt="cif")
    return str(path)


def test_crystals_are_queued_and_a_repeat_tells_the_same(cli: Any, database: str, file: str) -> None:
    first = cli("compute", file, "--engine", "analytic", "--queue", "--json")
    (row,) = first.json()
    assert (row["formula"], row["handed_over"], row["state"]) == ("AlNi", "NiAl.cif", "waiting")
    assert "1 of 1 are queued. No worker listens" in first.err
    assert cli("compute", file, "--engine", "analytic", "--queue", "--json").json() == [row]
    kept = calculations.get(row["calculation"])
    assert (kept.handed_over, kept.time_limit, kept.relaxed) == ("NiAl.cif", 3600.0, True)


def test_settings_follow_one_option(cli: Any, database: str, file: str) -> None:
    told = cli("compute", file, "--engine", "analytic", "--settings", "fmax=0.1", "steps=50", "--no-relax", "--queue")
    assert told.code == 0, told.err
    (kept,) = calculations.handed_over()
    assert (kept.settings, kept.relaxed) == ({"fmax": 0.1, "steps": 50}, False)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--engine", "analytic", "--queue", "--workers", "2"), "exclude each other"),
        (("--engine", "analytic", "--workers", "0"), "0 workers cannot be run"),
        (("--engine", "nothing"), "The engine nothing is not installed here"),
        (("--engine", "analytic", "--settings", "fmx=1", "--queue"), "did you mean fmax"),
    ],
)
def test_slips_are_told(cli: Any, database: str, file: str, options: tuple[str, ...], told: str) -> None:
    found = cli("compute", file, *options)
    assert found.code == 2
    assert told in found.err
    assert calculations.handed_over() == []


def test_what_an_engine_could_not_give_is_told(cli: Any, database: str, file: str) -> None:
    (row,) = cli("compute", file, "--engine", "gpaw-hydrogen", "--queue", "--json").json()
    why = {"hydrogen_interstitial_energy": "the crystal has no interstitial site"}
    calculations.finish(row["calculation"], CalculationState.COMPLETED, core_seconds=1.0, result={"missing": why})
    told = cli("compute", file, "--engine", "gpaw-hydrogen", "--queue")
    assert told.code == 0
    said = " ".join(told.out.split())
    assert "AlNi was computed, but for hydrogen_interstitial_energy: the crystal has no interstitial site." in said
    assert cli("compute", file, "--engine", "gpaw-hydrogen", "--queue", "--json").json()[0]["missing"] == why


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_by_workers_one_that_fails_ends_the_command_with_its_reason(cli: Any, database: str, file: str) -> None:
    good = cli("compute", file, "--engine", "analytic", "--workers", "2", "--json")
    assert good.code == 0, good.err
    assert good.json()[0]["has_curve"]
    bad = cli("compute", file, "--engine", "analytic", "--settings", "fail=raise", "--no-relax")
    assert bad.code == 0  # as it is, nothing is relaxed that could fail
    other = Path(file).with_name("other.cif")
    PROTOTYPES["B2"].build("Ti", "Ni", 12.1).to(str(other), fmt="cif")
    bad = cli("compute", str(other), "--engine", "analytic", "--settings", "fail=raise")
    assert bad.code == 1
    assert "relax: asked to fail; fermiloop calculations rerun calc-" in bad.out


def test_in_python_crystals_are_files_or_objects(database: str, file: str) -> None:
    found = fermiloop.compute([file, B2], engine="analytic", workers=None)
    assert [one.state for one in found] == ["completed"]
    assert found.to_dataframe()["has_curve"].tolist() == [True]
    queued = fermiloop.compute(PROTOTYPES["B2"].build("Ti", "Ni", 12.1), engine="analytic", queue=True)
    assert (queued[0].state, queued[0].handed_over) == ("waiting", "TiNi")
    assert queued.wait(timeout=0.0)[0].state == "waiting"
    target = fermiloop.materials.find(formula="NiAl")
    assert [one.id for one in target] == [found[0].material]
