"""What short commands import: what they do not need costs seconds at every call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from fermiloop.flows.engines.lookup import code_of
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import campaigns, labels, materials, methods, spectra
from fermiloop.schemas.vocabulary import CampaignState

ROOT = Path(__file__).parents[3]
HEAVY = (
    "jobflow", "torch", "atomate2", "ase", "pymatgen.io.vasp", "pymatgen.io.ase", "pymatgen.core.structure_matcher",
    "pymatgen.analysis.phase_diagram",
    "matplotlib", "plotly", "pandas", "scipy.stats", "fireworks", "dash", "fastapi",
)  # fmt: skip
COMMANDS = (
    "campaign launch held.yaml --queue", "campaign show held", "campaign list", "campaign clone held other",
    "campaign pause held", "campaign cancel held", "calculations find", "worker list", "materials find",
    "candidates find",
)  # fmt: skip
RUN = f"""
import json, sys
from fermiloop.platform.cli.main import main
done = []
for command in {COMMANDS}:
    done.append([command, main(command.split()), sorted(set({HEAVY}) & set(sys.modules))])
print(json.dumps(done), file=sys.stderr)
"""
TEXT = """
name: held
target: {dos: {material: Pd}}
space: {elements: [Ni, Pt]}
generators: [{name: substitution, proposals: 5}]
funnel: {stages: [geometry, duplicates, target]}
engine: {name: gpaw}
budget: {rounds: 1, evaluations: 2, per_round: 2}
"""


def test_short_commands_import_no_engine_and_no_network(database: str, tmp_path: Path) -> None:
    record = code_of("gpaw").method({})
    method = methods.save(record.engine, record.functional, record.settings, record.code_versions)
    axis = [x / 10 for x in range(-100, 101)]
    for symbol in ("Pd", "Ni", "Pt"):
        crystal = PROTOTYPES["A1"].build(symbol, None, volume_per_atom=15.0)
        made = materials.save(crystal, origin="import", source={"name": "test", "key": symbol, "licence": "MIT"})
        labels.save(made, "energy_per_atom", -4.0, method=method)
        spectra.save(made, axis, [1.0 + abs(x) for x in axis], method=method)
    (tmp_path / "held.yaml").write_text(TEXT)
    run = _python(RUN, tmp_path)
    assert json.loads(run.stderr.splitlines()[-1]) == [[command, 0, []] for command in COMMANDS], run.stderr
    assert campaigns.get("held").state is CampaignState.CANCELLED


def test_help_and_version_import_no_store_and_no_chemistry(tmp_path: Path) -> None:
    ask = (
        "import sys\nfrom fermiloop.platform.cli.main import main\n"
        "codes = [main([word]) for word in ('--help', '--version')]\n"
        f"print(codes, sorted({{'mongoengine', 'pymongo', 'pymatgen.core', 'scipy', *{HEAVY}}} & set(sys.modules)))"
    )
    run = _python(ask, tmp_path)
    assert run.stdout.splitlines()[-1] == "[0, 0] []", run.stdout + run.stderr


def test_campaigns_are_read_without_scipy(tmp_path: Path) -> None:
    ask = "import sys, fermiloop.platform.app.campaigns\nprint('scipy' in sys.modules)"
    run = _python(ask, tmp_path)
    assert run.stdout.split() == ["False"], run.stderr


def _python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / ".src")}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
