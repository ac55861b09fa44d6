"""The example of a generator that is a program of its own, run as one, and then in a campaign to its end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from fermiloop.flows.driving import launching
from fermiloop.platform.campaign.spec import load_spec, parse_spec
from fermiloop.platform.cli.main import main
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.store import campaigns, candidates, checkpoints, lineage
from fermiloop.schemas.vocabulary import CampaignState

FOLDER = Path(__file__).parents[2] / "examples" / "command_generator"


@pytest.fixture
def own_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of the file begin with python3, which is looked for in the environment of the tests."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def test_the_file_finds_its_program_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = load_spec(FOLDER / "campaign.yaml").generators[0].options
    assert options["sample"] == ["python3", str(FOLDER / "propose.py"), "sample"]
    GENERATORS["command"].build(None, options)


def test_a_campaign_runs_by_it_with_lineage(own_python: None, library: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (FOLDER / "campaign.yaml").read_text(encoding="utf-8")
    text = text.replace("engine: {name: gpaw, time_limit: 900}", "engine: {name: analytic, time_limit: 60}")
    text = text.replace("rounds: 2, evaluations: 6, per_round: 3", "rounds: 1, evaluations: 2, per_round: 2")
    launching.launch(parse_spec(text, folder=FOLDER), text)
    found = campaigns.get("command-generator")
    assert found.state is CampaignState.FINISHED, found.reason
    proposed = candidates.of_campaign("command-generator")
    assert len(proposed) > 5
    chain = lineage.explain(proposed[0].id)
    program = chain["detail"]["program"]
    assert program["command"] == ["python3", str(FOLDER / "propose.py"), "sample"]
    config = checkpoints.get(proposed[0].checkpoint).to_mongo().to_dict()["config"]
    assert config["program"]["command"][-1] == "fit"
    assert [name for name, _ in config["program"]["model"]] == ["volumes.json"]
    capsys.readouterr()
    assert main(["candidates", "explain", proposed[0].id]) == 0
    told = capsys.readouterr().out.replace("\n", "")
    assert "propose.py fit" in told
    assert "propose.py sample" in told
    assert program["files"][1][1][:16] in told
    cost = campaigns.round_of("command-generator", 1).costs
    assert cost["sample"] > 0.05  # the program's own seconds are in it
