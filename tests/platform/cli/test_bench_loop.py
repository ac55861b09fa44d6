"""``fermiloop bench loop``: what is asked for reaches the bench, and its rows are printed three ways."""

import json

import pytest
from typer.testing import CliRunner

from fermiloop.platform.bench import loop as bench
from fermiloop.platform.cli import bench as noun
from fermiloop.platform.cli.bench_loop import told
from fermiloop.platform.errors import InputError

ROW = {
    "protocol": "pool", "strategy": "default", "targets": 40, "seeds": 2, "calls": 60, "hits": 5.125,
    "precision": 0.0854, "times_random": 6.4, "times_random_low": 5.5, "times_random_high": 7.25, "acceleration": 7.0,
    "acceleration_low": None, "acceleration_high": None, "enhancement": None, "baseline": False,
    "ratio_extra_trees": 1.3, "ratio_extra_trees_low": 1.1, "ratio_extra_trees_high": 1.5,
}  # fmt: skip
RESULT = {
    "rows": [ROW],
    "skipped": {"window": "Name a file."},
    "refused": ["line 3: no area"],
    "data": {},
    "seconds": 1,
}


@pytest.fixture
def asked(monkeypatch):
    """Options that the bench was run with."""
    found = []
    monkeypatch.setattr(bench, "run_loop", lambda options, progress: found.append(options) or RESULT)
    return found


def run(*words):
    return CliRunner().invoke(noun.app, ["loop", *words])


def test_options_reach_the_bench(asked, tmp_path):
    library, data, kept = (tmp_path / name for name in ("a", "b", "c"))
    said = run(
        "--library", str(library), "--data", str(data), "--protocol", "pool", "--protocol", "lowest", "--strategy",
        "thompson", "--targets", "3", "--seeds", "4", "--seed", "5", "--resume", str(kept), "--quick", "--json",
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    assert asked == [
        bench.LoopOptions(library, data, ("pool", "lowest"), ("thompson",), 3, 4, 5, quick=True, resume=kept)
    ]
    assert json.loads(said.stdout)["rows"] == [ROW]


def test_the_seed_library_is_the_usual_one(asked):
    run("--json")
    assert asked[0].library == noun.SEED_LIBRARY
    assert asked[0].library.exists()
    assert (asked[0].protocols, asked[0].strategies, asked[0].quick) == ((), (), False)


def test_people_see_intervals_what_was_left_out_and_what_was_refused(asked):
    said = run().stdout
    assert "6.40 (5.50 – 7.25)" in " ".join(said.split())
    assert "window: left out. Name a file." in said
    assert "Refused: line 3: no area" in said


def test_a_row_for_people_has_each_factor_with_its_interval_in_one_cell():
    cells = told(ROW)
    assert cells["times random (95 %)"] == "6.40 (5.50 – 7.25)"
    assert cells["acceleration (95 %)"] == "7.00"
    assert cells["enhancement (95 %)"] is None
    assert cells["times trees (95 %)"] == "1.30 (1.10 – 1.50)"


def test_a_table_for_a_document(asked):
    assert "| pool | default | 60 |" in run("--markdown").stdout
    mixed = run("--markdown", "--json")
    assert isinstance(mixed.exception, InputError)
    assert "exclude each other" in str(mixed.exception)


@pytest.mark.parametrize(
    ("words", "reason"),
    [(("--protocol", "pond"), "'pond' is no protocol"), (("--strategy", "luck"), "'luck' is no strategy")],
)
def test_unknown_names_are_refused(words, reason):
    said = run(*words)
    assert isinstance(said.exception, InputError)
    assert reason in str(said.exception)
