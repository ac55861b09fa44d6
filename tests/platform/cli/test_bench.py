"""``fermiloop bench``: every benchmark is there, runs on the seed library or says why not, and prints three ways."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fermiloop.platform.bench.registry import BENCHES, Bench
from fermiloop.platform.cli import bench as noun
from fermiloop.platform.cli.output import markdown_table
from fermiloop.platform.errors import InputError

ROWS = [
    {"what": "a | b", "published": None, "ours": 0.98765, "n": 20},
    {"what": "c", "published": None, "ours": None, "n": 3},
]


class Quiet(Bench):
    def run(self, data, *, quick, seed, progress):
        progress("half", 0.5)
        if self.title == "unsuited":
            raise InputError("The file does not suit; give another.")
        names = [Path(one).name for one in ([data] if isinstance(data, Path) else data)]
        return {"rows": ROWS, "data": {"file": ", ".join(names), "quick": quick, "seed": seed}, "seconds": 1.2,
                "source": self.source}  # fmt: skip


@pytest.fixture
def benches(monkeypatch):
    for name, bench in list(BENCHES.items()):
        title = "unsuited" if name == "ftcp" else name
        monkeypatch.setitem(BENCHES, name, Quiet(**(vars(bench) | {"title": title, "source": "a paper"})))
    return BENCHES


def run(*words):
    return CliRunner().invoke(noun.app, list(words))


def test_every_benchmark_has_a_module_with_an_entrance():
    import importlib.util

    for name, bench in BENCHES.items():
        found = importlib.util.find_spec(bench.module)
        assert found is not None, name
        assert "def run_bench(" in Path(found.origin).read_text(encoding="utf-8")


def test_every_benchmark_is_a_command():
    said = run("--help").output
    for name in (*BENCHES, "all"):
        assert name in said


def test_all_goes_on_where_one_does_not_suit(benches):
    found = json.loads(run("all", "--json", "--quick").stdout)
    assert set(found) == set(BENCHES)
    assert found["ftcp"]["left_out"] == "The file does not suit; give another."
    assert found["search"]["rows"][0]["ours"] == 0.98765
    assert found["search"]["data"]["quick"] is True
    said = run("all").stdout
    assert "unsuited: left out. The file does not suit" in said
    assert "a paper" in said


def test_all_has_the_composer_too_on_curves_whatever_the_crystals(benches, tmp_path):
    found = json.loads(run("all", "--json", "--quick", "--data", str(tmp_path / "crystals.jsonl")).stdout)
    assert found["dos"]["data"]["file"] == "gpaw_pbe.jsonl.gz, gpaw_pbe_hard.jsonl.gz"
    assert found["systems"]["data"]["file"] == "gpaw_pbe.jsonl.gz"
    assert found["search"]["data"]["file"] == "crystals.jsonl"


def test_a_table_for_a_document_leaves_out_empty_columns():
    lines = markdown_table(ROWS).splitlines()
    assert lines[0] == "| what | ours | n |"
    assert lines[2] == "| a \\| b | 0.9877 | 20 |"
    assert lines[3] == "| c | – | 3 |"
    assert markdown_table([]) == "|  |\n|\n"


def test_tables_of_the_real_commands():
    # the commands are made from the table when the module is loaded: this one costs no training
    result = run("search", "--quick", "--json", "--markdown")
    assert result.exit_code != 0
    assert isinstance(result.exception, InputError)
    assert "exclude each other" in str(result.exception)
