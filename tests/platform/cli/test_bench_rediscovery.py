"""``fermiloop bench rediscovery``: what is asked for reaches the bench, and its rows are printed three ways."""

import json

import pytest
from typer.testing import CliRunner

from fermiloop.platform.bench import imatgen_rediscovery as bench
from fermiloop.platform.cli import bench as noun
from fermiloop.platform.errors import InputError

RESULT = {"rows": [{"what": "V-O found again", "ours": 0.5, "n": 8}], "data": {}, "settings": {}, "seconds": 1}


@pytest.fixture
def asked(monkeypatch):
    """Options that the bench was run with."""
    found = []
    monkeypatch.setattr(bench, "run", lambda options, progress: found.append(options) or RESULT)
    return found


def run(*words):
    return CliRunner().invoke(noun.app, ["rediscovery", *words])


def test_options_reach_the_bench(asked, tmp_path):
    data, kept = tmp_path / "a", tmp_path / "b"
    said = run(
        "--data", str(data), "--per-group", "4", "--potential", "analytic", "--seed", "5", "--resume", str(kept),
        "--json",
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    assert asked == [bench.RediscoveryOptions(data, 4, "analytic", 5, kept)]
    assert json.loads(said.stdout)["rows"] == RESULT["rows"]


def test_the_quick_bench_is_a_toy(asked, tmp_path):
    said = run("--data", str(tmp_path / "a"), "--quick")
    assert said.exit_code == 0, said.output
    assert (asked[0].potential, asked[0].model) == ("analytic", bench.QUICK)
    assert "V-O found again" in said.stdout
    assert "| 8 |" in run("--markdown").stdout


def test_two_formats_at_once_are_refused(asked):
    with pytest.raises(InputError, match="exclude each other"):
        raise run("--json", "--markdown").exception
    assert not asked
