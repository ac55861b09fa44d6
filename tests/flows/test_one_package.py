"""One package that adds an engine, a property, a generator, a potential and an acquisition, and one that is broken."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from fermiloop.platform.store import campaigns, candidates, labels, materials, methods
from fermiloop.schemas.vocabulary import CampaignState, Stage

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TITLED = re.compile(r'^```\w+ title="([\w/.-]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
COMMENTED = re.compile(r"^```\w+\n# ([^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BROKEN = {
    "pyproject.toml": (
        '[project]\nname = "of-bad-luck"\nversion = "0.0.1"\n'
        '[build-system]\nrequires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"\n'
        '[tool.setuptools]\npy-modules = ["bad_luck"]\n'
        '[project.entry-points."fermiloop.generators"]\nunlucky = "bad_luck:NONE"\n'
        '[project.entry-points."fermiloop.engines"]\ngpaw = "bad_luck:ENGINE"\n'
    ),
    "bad_luck.py": "raise RuntimeError('its licence has expired')\n",
}
CAMPAIGN = """
name: of-one-package
target: {properties: [{name: mass_density, at_least: 12.0}], stable_within: null}
space: {elements: [Ni, Cu, Pt, Pd], components: [1, 2], crystal_systems: [cubic], max_sites: 4}
generators: [{name: exchange, proposals: 16, options: {draws: 5}}]
funnel: {stages: [geometry, duplicates, relaxation, target], potential: emt}
acquisition: {name: quantile, options: {at: 0.9}}
engine: {name: emt, time_limit: 300}
retrain: {source: known}
budget: {rounds: 2, evaluations: 4, per_round: 2}
"""


def package() -> dict[str, str]:
    """Files of a package of the five kinds, out of the pages on plug-ins."""
    texts = {name: (DOCS / name).read_text(encoding="utf-8") for name in ("plugins.md", "plugins-potentials.md")}
    engines = dict(COMMENTED.findall((DOCS / "plugins-engines.md").read_text(encoding="utf-8")))
    pages = {name: text for name, text in TITLED.findall(texts["plugins.md"]) if name.startswith(("exchange", "quant"))}
    potential = dict(NAMED.findall(texts["plugins-potentials.md"]))
    files = {name.rpartition("/")[2]: text for name, text in pages.items() if name.endswith(".py")}
    files |= {name: text for name, text in potential.items() if name.endswith(".py")}
    files |= {name: text for name, text in engines.items() if name.startswith(("my_emt/", "my_density/"))}
    groups: dict[str, dict[str, str]] = {}
    for text in (*pages.values(), *potential.values(), *engines.values()):
        if '[project.entry-points."' in text:
            for group, entries in tomllib.loads(text)["project"]["entry-points"].items():
                groups.setdefault(group, {}).update(entries)
    modules = [name.removesuffix(".py") for name in files if "/" not in name]
    packages = sorted({name.partition("/")[0] for name in files if "/" in name})
    lines = [
        '[project]\nname = "of-one-group"\nversion = "3.1"',
        '[build-system]\nrequires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"',
        f"[tool.setuptools]\npy-modules = {json.dumps(modules)}\npackages = {json.dumps(packages)}",
    ]
    for group, entries in groups.items():
        lines += [f'[project.entry-points."{group}"]', *(f'{name} = "{place}"' for name, place in entries.items())]
    return {**files, **{f"{name}/__init__.py": "" for name in packages}, "pyproject.toml": "\n".join(lines) + "\n"}


def run(site: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A program whose Python finds what is installed in a folder."""
    path = os.pathsep.join((str(ROOT / ".src"), str(site)))
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, timeout=170, check=False,
    )  # fmt: skip


def cli(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run(site, folder, "-c", "import sys; from fermiloop.platform.cli.main import main; sys.exit(main())", *words)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """An environment into which pip has put both packages."""
    folder = tmp_path / "site"
    for name, files in (("whole", package()), ("broken", BROKEN)):
        for file, text in files.items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(text, encoding="utf-8")
        options = ("--no-deps", "--no-build-isolation", "--quiet", "--target", str(folder), "--upgrade")
        done = run(tmp_path, tmp_path, "-m", "pip", "install", *options, str(tmp_path / name))
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def known(library: str) -> None:
    """The synthetic library's crystals, with energies of an imported source to learn from."""
    method = methods.save("external", "made up", {"source": "known"}, {})
    for number, material in enumerate(materials.find(materials.MaterialQuery(limit=100))):
        labels.save(material.id, "energy_per_atom", -3.0 - 0.01 * number, method=method)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_five_by_name_in_one_campaign_and_a_broken_package_hurts_nobody(
    site: Path, known: None, tmp_path: Path
) -> None:
    rows = json.loads(cli(site, tmp_path, "doctor", "--json").stdout)["plugins"]
    sound = {(row["kind"], row["name"]) for row in rows if row["package"] == "of-one-group" and not row["fault"]}
    assert sound == {
        ("generators", "exchange"), ("acquisitions", "quantile"), ("engines", "emt"), ("properties", "mass_density"),
        ("potentials", "emt"),
    }  # fmt: skip
    broken = {row["name"]: row["fault"] for row in rows if row["package"] == "of-bad-luck"}
    assert set(broken) == {"unlucky", "gpaw"}
    assert "its licence has expired" in broken["unlucky"]
    assert "taken by fermiloop" in broken["gpaw"]

    (tmp_path / "c.yaml").write_text(CAMPAIGN, encoding="utf-8")
    for name in ("label", "list"):
        words = ("potentials", name, *(("emt", "--elements", "Ni,Cu,Pt,Pd") if name == "label" else ()))
        done = cli(site, tmp_path, *words)
        assert done.returncode == 0, done.stderr
    done = cli(site, tmp_path, "campaign", "launch", "c.yaml")
    assert done.returncode == 0, done.stderr
    campaign = campaigns.get("of-one-package")
    assert campaign.state is CampaignState.FINISHED, campaign.reason
    found = [one for one in candidates.of_campaign("of-one-package") if one.stage is Stage.EVALUATED]
    assert found
    for one in found:
        assert one.generator == "exchange"
        assert one.scores["computed_mass_density"] > 0
        assert methods.get(labels.of_material(one.material)[0].method).engine in ("emt", "external")
    (tmp_path / "unlucky.yaml").write_text(CAMPAIGN.replace("exchange", "unlucky"), encoding="utf-8")
    refused = cli(site, tmp_path, "campaign", "validate", "unlucky.yaml")
    assert refused.returncode == 2
    assert "of-bad-luck" in refused.stdout + refused.stderr
    assert "its licence has expired" in refused.stdout + refused.stderr
