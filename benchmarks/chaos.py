"""Three campaigns at once while workers, scheduler and database are killed at random: nothing is lost or paid twice.

    python benchmarks/chaos.py [--evaluations 200] [--kills 10] [--workers 2] [--seed 0] [--folder DIR]

Runs on an embedded database of its own with the analytic engine, whose evaluations are cheap and whose
processes are the same as those of the DFT. Ends with exit code 0 where everything holds, and prints the figures
as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ELEMENTS = (
    "Al", "Ni", "Cu", "Pd", "Ti", "Pt", "Ag", "Au", "Rh", "Fe", "Co", "Zn", "Mg", "Ca", "Ga", "V", "Mo", "W", "Ir",
)  # fmt: skip
CAMPAIGN = """
name: {name}
priority: {priority}
mode: {mode}
target:
  dos: {{material: {target}}}
  exclude: [{target}]
space: {{elements: [{elements}], components: [1, 2], crystal_systems: [cubic, hexagonal], max_sites: 8}}
generators:
  - {{name: substitution, proposals: 40}}
  - {{name: random_pick, proposals: 100, options: {{potential: none}}}}
funnel: {{stages: [geometry, duplicates, target], potential: analytic}}
acquisition: {{name: upper_confidence_bound, share: bandit}}
engine: {{name: analytic, time_limit: 120}}
budget: {{rounds: 20, evaluations: {evaluations}, per_round: {per_round}}}
seed: {seed}
"""
PLANS = (("rounds", "Pd", 1), ("asynchronous", "Pt", 2), ("rounds", "Au", 3))  # mode, target, priority
RECOVERY = re.compile(r"recovered firework|reconcile: [a-z -]+|the database is away|leads")


def main() -> int:
    """Run, kill, check; exit code 0 where nothing was lost or paid twice."""
    options = _options()
    folder = Path(options.folder or tempfile.mkdtemp(prefix="chaos-")).resolve()
    os.environ["FERMILOOP_DATA_DIR"] = str(folder)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    names = prepare(folder, options.evaluations, options.seed)
    began = time.monotonic()
    kills = run(names, options)
    report = check(folder, names, options.evaluations, kills)
    report["seconds"] = round(time.monotonic() - began, 1)
    print(json.dumps(report, indent=2))
    from fermiloop.platform.store import connection, embedded

    connection.disconnect()
    embedded.stop(folder)
    return 0 if report["holds"] else 1


def prepare(folder: Path, evaluations: int, seed: int) -> list[str]:
    """A library of made-up crystals in the store, and three campaigns in the queue."""
    from fermiloop.db_init import setup
    from fermiloop.flows.campaigns.enqueue import enqueue
    from fermiloop.flows.queue.launchpad import launchpad
    from fermiloop.platform.campaign.spec import parse_spec
    from fermiloop.platform.store import connection

    connection.connect()
    setup.init()
    library(folder)
    shares = [evaluations // 3, evaluations // 3, evaluations - 2 * (evaluations // 3)]
    names = []
    for (mode, target, priority), share in zip(PLANS, shares, strict=True):
        text = CAMPAIGN.format(
            name=f"{mode}-{target.lower()}", mode=mode, target=target, priority=priority, evaluations=share,
            per_round=min(12, share), seed=seed, elements=", ".join(ELEMENTS),
        )  # fmt: skip
        names.append(enqueue(parse_spec(text), text))
    launchpad().connection.close()
    return names


def library(folder: Path) -> None:
    """Save made-up crystals of `ELEMENTS` with the analytic engine's curves."""
    from fermiloop.flows.engines.lookup import code_of
    from fermiloop.flows.engines.steps import tasks
    from fermiloop.platform.predictors.potential.analytic import AnalyticPotential
    from fermiloop.platform.representations.prototypes import PROTOTYPES
    from fermiloop.platform.store import labels, materials, methods, spectra
    from fermiloop.schemas.vocabulary import Origin, Property

    record = code_of("analytic").method({})
    method = methods.save(record.engine, record.functional, record.settings, record.code_versions)
    pairs = [(kind, a, None) for kind in ("A1", "A2") for a in ELEMENTS]
    couples = [(a, b) for i, a in enumerate(ELEMENTS) for b in ELEMENTS[i + 1 :] if (i + ord(b[0])) % 8 == 0]
    pairs += [(kind, a, b) for kind in ("B1", "B2", "L1_2") for a, b in couples]
    for prototype, a, b in pairs:
        structure = PROTOTYPES[prototype].build(a, b, 14.0)
        found = tasks.analytic_static({"structure": structure.as_dict()}, folder)
        material = materials.save(structure, origin=Origin.SEED, source={"name": "synthetic"}, prototype=prototype)
        spectra.save(material, found["energies"], found["density"], method=method, n_electrons=found["n_electrons"])
        energy = AnalyticPotential().energies([structure])[0]
        labels.save(material, Property.ENERGY_PER_ATOM, energy, method=method)


def run(names: list[str], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Workers and a scheduler until the campaigns have ended, and the kills."""
    rng = random.Random(options.seed)
    workers = spawn("worker", "run", "-n", str(options.workers))
    scheduler = spawn("schedule", "run")
    kills: list[dict[str, Any]] = []
    deadline = time.monotonic() + options.minutes * 60
    planned = sorted(rng.uniform(0.05, 0.85) for _ in range(options.kills))  # shares of the evaluations done
    try:
        while time.monotonic() < deadline and not _ended(names):
            if len(kills) < options.kills and _share_done(names, options.evaluations) >= planned[len(kills)]:
                kills.append(_kill(rng, workers, scheduler, len(kills)))
            if scheduler.poll() is not None:  # as a service manager would
                scheduler = spawn("schedule", "run")
            time.sleep(1.0)
    finally:
        for process in (workers, scheduler):
            process.send_signal(signal.SIGTERM)
        for process in (workers, scheduler):
            process.wait(60)
    return kills


def _kill(
    rng: random.Random, workers: subprocess.Popen[bytes], scheduler: subprocess.Popen[bytes], n: int
) -> dict[str, Any]:
    """Kill -9 of one of them; every third kill is the database's, every fifth the scheduler's."""
    from fermiloop.platform.store import embedded

    if n % 3 == 2:
        what, pid = "database", int(embedded.status(Path(os.environ["FERMILOOP_DATA_DIR"]))["pid"])
    elif n % 5 == 3:
        what, pid = "scheduler", scheduler.pid
    else:
        what, pid = "worker", _busy_worker(rng, _children(workers.pid))
    os.kill(pid, signal.SIGKILL)
    return {"what": what, "pid": pid, "at": time.strftime("%H:%M:%S")}


def _busy_worker(rng: random.Random, workers: list[int]) -> int:
    """A worker in the middle of a job, where one is."""
    from fermiloop.flows.queue.launchpad import launchpad

    pad = launchpad()
    names = [launch["fworker"]["name"] for launch in pad.launches.find({"state": "RUNNING"}, {"fworker": 1})]
    pad.connection.close()
    busy = sorted({int(name.split("~")[1]) for name in names} & set(workers))
    return rng.choice(busy or workers)


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return [int(child) for child in found]


def spawn(*words: str) -> subprocess.Popen[bytes]:
    """Start a command of fermiloop."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "fermiloop.platform.cli.main", *words],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _ended(names: list[str]) -> bool:
    from fermiloop.platform.store import campaigns, connection
    from fermiloop.schemas.vocabulary import CampaignState

    def look() -> bool:
        connection.connect()
        return all(campaigns.get(name).state not in (CampaignState.RUNNING, CampaignState.PAUSED) for name in names)

    return bool(connection.retrying(look))


def _share_done(names: list[str], evaluations: int) -> float:
    from fermiloop.platform.store import candidates, connection
    from fermiloop.schemas.vocabulary import Stage

    def look() -> int:
        connection.connect()
        done = (Stage.EVALUATED, Stage.FAILED)
        return sum(c.stage in done for name in names for c in candidates.outlines(name))

    return float(connection.retrying(look)) / evaluations


def check(folder: Path, names: list[str], evaluations: int, kills: list[dict[str, Any]]) -> dict[str, Any]:
    """What came of it, and whether it holds: all finished, each result once, none lost, none paid twice."""
    from fermiloop.flows.engines.steps import isolation
    from fermiloop.platform.store import calculations, campaigns, candidates, connection, labels
    from fermiloop.schemas.vocabulary import CalculationState, Stage

    connection.retrying(connection.connect)
    states = {name: f"{campaigns.get(name).state}: {campaigns.get(name).reason}" for name in names}
    chosen = [c for name in names for c in candidates.outlines(name) if c.calculation]
    stages = Counter(str(c.stage) for c in chosen)
    done = calculations.of_ids(c.calculation for c in chosen)
    twice = [
        path.parent.name
        for one in done
        for path in isolation.step_folder(one.id, "").glob(f"*/{isolation.COST}")
        if path.read_text(encoding="utf-8").count('"done"') > 1
    ]
    rows = labels.of_calculations([one.id for one in done])
    repeated = [key for key, n in Counter((r.calculation, r.property, r.method) for r in rows).items() if n > 1]
    unrecorded = [c.id for c in done if c.state is CalculationState.COMPLETED and not c.ingested]
    lost = [c.id for c in chosen if c.stage not in (Stage.EVALUATED, Stage.FAILED)]
    logs = [line for log in (folder / "logs").glob("*.log") for line in log.read_text(errors="replace").splitlines()]
    recoveries = Counter(found.group() for line in logs if (found := RECOVERY.search(line)))
    finished = all(state.startswith("finished") for state in states.values())
    failures = Counter(c.reason for c in candidates.of_ids(c.id for c in chosen if c.stage is Stage.FAILED))
    return {
        "holds": finished and not (twice or repeated or unrecorded or lost) and len(chosen) == evaluations,
        "campaigns": states,
        "evaluations": len(chosen),
        "stages": dict(stages),
        "failures": dict(failures),
        "paid_twice": twice,
        "recorded_twice": [list(map(str, key)) for key in repeated],
        "unrecorded": unrecorded,
        "lost": lost,
        "kills": kills,
        "recoveries_in_the_log": dict(recoveries),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evaluations", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
