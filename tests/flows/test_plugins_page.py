"""The packages of docs/plugins.md, installed as they stand there: they keep the contracts and run by name."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packages import install

from fermiloop.platform.store import campaigns, candidates, checkpoints
from fermiloop.schemas.vocabulary import CampaignState

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r'^```\w+ title="([\w/.-]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
CONTRACTS = """
from pathlib import Path
import numpy as np
from fermiloop.platform.generators.protocol import Space, Target
from fermiloop.platform.plugins.acquisitions import ACQUISITIONS
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.plugins.stages import STAGES
from fermiloop.platform.predictors.potential.analytic import AnalyticPotential
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.training import TrainingSet
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.screening.verdicts import Context
from fermiloop.platform.store import connection
from fermiloop.testing import check_acquisition, check_generator, check_importer, check_stage

symbols = ("Al", "Ti", "Ni", "Cu", "Pd", "Pt", "Au")
kinds = [(kind, symbol, None) for kind in ("A1", "A2") for symbol in symbols]
kinds += [("B2", symbol, "Al") for symbol in symbols[1:]]
crystals = tuple(PROTOTYPES[kind].build(a, b, 14.0) for kind, a, b in kinds)
curves = np.random.default_rng(0).random((len(crystals), DOS_GRID.n))
energies = np.linspace(-0.5, 0.0, len(crystals))
data = TrainingSet(tuple(map(str, range(len(crystals)))), crystals, ("cubic",) * len(crystals),
                   tuple(kind for kind, *_ in kinds), DOS_GRID, curves, {"formation_energy_per_atom": energies})
target = Target(DOS_GRID, DOS_GRID.normalise(curves[0]))
space = Space(symbols, (1, 2), ("cubic",), 8)
check_generator(lambda: GENERATORS["exchange"].build(None, {"draws": 3}), data, target, space)
check_acquisition(ACQUISITIONS["quantile"].build)
check_stage(STAGES["price"], crystals, Context(target, space, AnalyticPotential()), {"most": 20})
connection.connect()
Path("metals.txt").write_text("Ag 4.15 -2.8\\nIr 3.87 -8.8\\nno metal\\n")
check_importer("fcc", "fcc:metals.txt", missing=["fcc:none.txt"])
print("kept")
"""
CAMPAIGN = """
name: of-packages
target: {dos: {material: Pd}, exclude: [Pd], stable_within: null}
space: {elements: [Al, Ni, Cu, Ti, Pt], components: [1, 2], crystal_systems: [cubic], max_sites: 4}
generators: [{name: exchange, proposals: 30, options: {draws: 5}}]
funnel: {stages: [composition, price, geometry, duplicates, target], potential: analytic, options: {price: {most: 50}}}
acquisition: {name: quantile, options: {at: 0.9}}
engine: {name: analytic}
budget: {rounds: 1, evaluations: 2, per_round: 2}
"""


def page() -> dict[str, dict[str, str]]:
    """Folder to files of it, as the page has them."""
    found: dict[str, dict[str, str]] = {}
    for name, text in BLOCK.findall((ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")):
        folder, _, file = name.partition("/")
        found.setdefault(folder, {})[file] = text
    return found


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with all packages of the page, as pip leaves them."""
    folder = tmp_path / "site"
    folder.mkdir()
    for files in page().values():
        told = tomllib.loads(files["pyproject.toml"])["project"]
        modules = {file.removesuffix(".py"): text for file, text in files.items() if file.endswith(".py")}
        install(folder, told["name"], modules, told["entry-points"], told["version"])
    return folder


def run(site: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A program whose Python has the packages on its path."""
    path = os.pathsep.join((str(ROOT / ".src"), str(site)))
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )


def cli(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run(site, folder, "-c", "import sys; from fermiloop.platform.cli.main import main; sys.exit(main())", *words)


def test_every_kind_has_a_package_of_some_sixty_lines() -> None:
    sizes = {name: sum(text.count("\n") for text in files.values()) for name, files in page().items()}
    assert {"exchange", "quantile", "price", "fcc"} <= set(sizes)
    assert all(size <= 110 for size in sizes.values()), sizes


def test_the_packages_keep_the_contracts(site: Path, database: str, tmp_path: Path) -> None:
    done = run(site, tmp_path, "-c", CONTRACTS)
    assert done.stdout.splitlines()[-1:] == ["kept"], done.stderr


def test_doctor_and_lists_know_them(site: Path, database: str, tmp_path: Path) -> None:
    plugins = json.loads(cli(site, tmp_path, "doctor", "--json").stdout)["plugins"]
    mine = {(row["kind"], row["name"], row["package"], row["version"], row["fault"]) for row in plugins}
    assert mine >= {
        ("generators", "exchange", "group-exchange", "1.2", ""),
        ("acquisitions", "quantile", "group-quantile", "0.3", ""),
        ("stages", "price", "group-price", "2.0", ""),
        ("importers", "fcc", "group-fcc", "0.1", ""),
    }
    rows = {row["name"]: row for row in json.loads(cli(site, tmp_path, "generators", "list", "--json").stdout)}
    assert rows["exchange"]["package"] == "group-exchange 1.2"


def test_a_campaign_runs_with_them_by_name(site: Path, library: str, tmp_path: Path) -> None:
    (tmp_path / "of-packages.yaml").write_text(CAMPAIGN)
    done = cli(site, tmp_path, "campaign", "launch", "of-packages.yaml")
    assert done.returncode == 0, done.stderr
    assert campaigns.get("of-packages").state is CampaignState.FINISHED
    found = candidates.of_campaign("of-packages")
    assert {one.generator for one in found} == {"exchange"}
    assert {"price"} <= {verdict["stage"] for one in found for verdict in one.verdicts}
    assert any(one.stage == "evaluated" for one in found)
    assert any("US$/kg" in (one.reason or "") for one in found)
    made = checkpoints.get(found[0].checkpoint)
    assert made.config["plugin"] == {"package": "group-exchange", "version": "1.2"}
    # this process has no such packages: all of it is read, and told to be of a package that is not here
    from fermiloop.platform.cli.main import main

    assert main(["candidates", "explain", found[0].id]) == 0
    assert main(["campaign", "show", "of-packages"]) == 0


@pytest.mark.slow
def test_pip_installs_them_as_they_stand(tmp_path: Path, database: str) -> None:
    folders = []
    for name, files in page().items():
        folders.append(tmp_path / name)
        folders[-1].mkdir()
        for file, text in files.items():
            (folders[-1] / file).write_text(text, encoding="utf-8")
    site = tmp_path / "site"
    options = ("--no-deps", "--no-build-isolation", "--quiet", "--target", str(site))
    done = run(tmp_path, tmp_path, "-m", "pip", "install", *options, *map(str, folders))
    assert done.returncode == 0, done.stderr
    plugins = json.loads(cli(site, tmp_path, "doctor", "--json").stdout)["plugins"]
    assert {row["name"] for row in plugins} >= {"exchange", "quantile", "price", "fcc"}
    assert not any(row["fault"] for row in plugins)
