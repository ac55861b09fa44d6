"""``campaign replay`` on a file: what it prints, that it repeats, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fermiloop.platform.predictors.surrogates import learners

SMALL = ("--known", "6", "--calls", "12", "--batch", "6", "--seeds", "2", "--share", "0.2")


@pytest.fixture
def oracle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """40 salts, the lighter the anion the lower their energy."""
    monkeypatch.setattr(learners, "TREES", 5)
    cations, anions = ["Li", "Na", "K", "Rb", "Mg", "Ca", "Sr", "Ba"], ["F", "O", "Cl", "S", "Br"]
    lines = [
        {"material_id": f"x-{a}{b}", "cell": [4 + 0.1 * i, 4, 4, 60, 60, 60], "species": [a, b],
         "frac": [[0, 0, 0], [0.5, 0.5, 0.5]], "e_form": -3.0 + j + 0.05 * i}
        for i, a in enumerate(cations) for j, b in enumerate(anions)
    ]  # fmt: skip
    path = tmp_path / "salts.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return str(path)


def test_json_holds_the_same_ids_each_time(cli: Callable[..., Any], oracle: str) -> None:
    words = ("campaign", "replay", "--oracle", oracle, "--acquisition", "thompson", "--json", *SMALL)
    first, again, other = cli(*words).json(), cli(*words).json(), cli(*words, "--seed", "7").json()
    assert first == again
    assert [row["strategy"] for row in first["rows"]] == ["thompson", "random", "substitution", "greedy"]
    run = first["rows"][0]["runs"][0]
    assert len(run["known"]) == 6
    assert len(set(run["known"] + run["asked"])) == 18
    assert len(run["hits"]) == 2
    assert run["asked"] != other["rows"][0]["runs"][0]["asked"]
    assert (first["crystals"], first["hits"], first["share"]) == (40, 8, 0.2)
    assert [row["baseline"] for row in first["rows"]] == [False, True, True, True]
    assert list(first["target"]) == ["formation_energy_per_atom"]


def test_the_table_is_for_people(cli: Callable[..., Any], oracle: str) -> None:
    window = ("--low", "-3", "--high", "-2.5", "--generator", "substitution")
    told = cli("campaign", "replay", "--oracle", oracle, "--acquisition", "camd_exploit", *window, *SMALL)
    assert told.code == 0
    assert "Replay of salts.jsonl: 12 calls by 6, 6 known, mean of 2 seeds" in told.out
    assert "camd_exploit" in told.out
    assert "apart from random" in told.out
    assert "8 of 40 crystals are hits; chance finds 2.4 in 12 calls." in told.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "either the NAME of a campaign or --oracle FILE"),
        (("--acquisition", "best"), "'best' is no strategy"),
        (("--generator", "ftcp"), "'ftcp' is no generator"),
        (("--low", "2", "--high", "1"), "between two numbers that rise"),
        (("--property", "band_gap"), "holds no crystal with a band_gap"),
        (("--calls", "100"), "ask for fewer calls"),
        (("--max-sites", "1"), "None of the 40 crystals"),
        (("--share", "2"), "--share"),
        (("--seeds", "0"), "--seeds"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    cli: Callable[..., Any], oracle: str, words: tuple[str, ...], said: str
) -> None:
    told = cli("campaign", "replay", *(("--oracle", oracle) if words else ()), *words)
    assert told.code == 2
    assert said in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


def test_a_file_that_is_not_there(cli: Callable[..., Any], tmp_path: Path) -> None:
    told = cli("campaign", "replay", "--oracle", str(tmp_path / "none.jsonl"))
    assert told.code == 2
    assert "none.jsonl" in told.err
