"""The package of docs/plugins-potentials.md: installed as the page has it, it is a potential like ours."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packages import install, on_path

from fermiloop.platform.plugins.potentials import POTENTIALS, potential
from fermiloop.platform.predictors.potential.relaxing import relax
from fermiloop.platform.representations.prototypes import PROTOTYPES

PAGE = Path(__file__).parents[2] / "docs" / "plugins-potentials.md"


@pytest.fixture
def text():
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture
def installed(text, tmp_path, monkeypatch):
    blocks = re.findall(r"`([\w.]+)`:\n\n```(?:toml|python)\n(.*?)```", text, re.DOTALL)
    files = dict(blocks)
    project = tomllib.loads(files.pop("pyproject.toml"))
    modules = {name.removesuffix(".py"): body for name, body in files.items()}
    assert list(modules) == project["tool"]["setuptools"]["py-modules"]
    about = project["project"]
    install(tmp_path, about["name"], modules, about["entry-points"], about["version"])
    on_path(monkeypatch, tmp_path)
    POTENTIALS.reload()
    yield
    monkeypatch.undo()
    POTENTIALS.reload()


def test_its_own_test_passes_and_it_is_a_potential_by_name(installed, text):
    check = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[-1]
    assert "check_potential" in check
    exec(compile(check, str(PAGE), "exec"), {})  # the page's own code
    made = potential("emt").build()
    assert POTENTIALS.source("emt").distribution == "emt-potential"
    assert made.fault(PROTOTYPES["B2"].build("Al", "Fe", 12.0)) == "EMT knows seven metals, not Fe"
    relaxed = relax(made, PROTOTYPES["A1"].build("Cu", None, 12.5))
    assert relaxed.converged
    assert relaxed.structure.volume == pytest.approx(11.6, abs=0.3)


def test_a_campaign_file_and_a_generator_may_name_it(installed):
    from fermiloop.platform.campaign.spec import FunnelSpec
    from fermiloop.platform.search.random_pick import RandomPickOptions

    assert FunnelSpec(potential="emt").potential == "emt"
    assert RandomPickOptions(potential="emt").potential == "emt"


def test_the_table_of_the_page_names_all_of_ours(text):
    rows = "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(\w+)`", rows)) == {name for name in POTENTIALS if POTENTIALS.source(name) is None}
