"""What an evaluation costs a worker where the engine itself costs nothing: whole campaigns of the analytic engine.

    python benchmarks/throughput.py [--evaluations 48] [--per-round 24] [--workers 1 2 4] [--repeats 1] [--json]

Each campaign has an embedded database and a folder of its own and is run by `fermiloop worker run`. What counts is the
time from the beginning of the first evaluation of a round to the end of its last one: worker-seconds per evaluation are
that time by the number of workers, and beside it stands the processor time of the workers and all that they started,
which a busy machine changes less. Then the parts: the fireworks of an evaluation, what lies between two of them, and,
measured by themselves, a child process and the recording of a result.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import chaos

CAMPAIGN = """
name: throughput
target:
  dos: {{material: Pd}}
  exclude: [Pd]
space: {{elements: [{elements}], components: [1, 2], crystal_systems: [cubic, hexagonal], max_sites: 8}}
generators:
  - {{name: random_pick, proposals: {proposals}, options: {{potential: none}}}}
funnel: {{stages: [geometry, duplicates, target], potential: analytic}}
acquisition: {{name: upper_confidence_bound}}
engine: {{name: analytic, time_limit: 120}}
budget: {{rounds: {rounds}, evaluations: {evaluations}, per_round: {per_round}}}
seed: 0
"""
LOOK = 0.25  # s between two looks at processor time
TICK = os.sysconf("SC_CLK_TCK")
CHILDREN = 10  # that are measured by themselves


@dataclass(frozen=True)
class Run:
    """One run of a firework: times in s since the epoch."""

    worker: str
    name: str
    round: int
    began: float
    ended: float
    evaluates: bool


def main() -> int:
    """Run, measure, print."""
    options = _options()
    rows = []
    for workers in options.workers:
        for _ in range(options.repeats):
            rows.append(measured(workers, options))
            if not options.json:
                _show(rows[-1])
    parts = by_themselves()
    if options.json:
        print(json.dumps({"campaigns": rows, "parts": parts}, indent=2))
        return 0
    print("\nby themselves, s (median, least, most)")
    for name, (median, least, most) in parts.items():
        print(f"  {name:<48} {median:.3f} ({least:.3f}-{most:.3f})")
    return 0


def _show(row: dict[str, Any]) -> None:
    print(f"\n{row['workers']} workers, {row['evaluations']} evaluations in {row['seconds']:.1f} s")
    for name, value in row.items():
        if name not in ("workers", "evaluations", "seconds"):
            print(f"  {name:<48} {value:.3f}", flush=True)


def measured(workers: int, options: argparse.Namespace) -> dict[str, Any]:
    """Figures of one campaign."""
    with _database() as server:
        text = CAMPAIGN.format(
            elements=", ".join(chaos.ELEMENTS), evaluations=options.evaluations, per_round=options.per_round,
            proposals=6 * options.per_round, rounds=-(-options.evaluations // options.per_round) + 2,
        )  # fmt: skip
        _enqueue(text)
        began = time.time()
        samples = _watched(workers, server)
        runs = _runs()
        return {"workers": workers, **_figures(runs, samples, workers), "seconds": time.time() - began}


def _figures(runs: list[Run], samples: list[tuple[float, float, float]], workers: int) -> dict[str, Any]:
    """Of one campaign, per evaluation unless it says per firework."""
    from fermiloop.platform.store import calculations
    from fermiloop.schemas.vocabulary import CalculationState

    done = [one for one in calculations.of_campaign("throughput") if one.state is CalculationState.COMPLETED]
    n = len(done)
    ours = [run for run in runs if run.evaluates]
    windows = [
        (min(run.began for run in ours if run.round == number), max(run.ended for run in ours if run.round == number))
        for number in sorted({run.round for run in ours})
    ]
    wall = sum(end - begin for begin, end in windows)
    processor = sum(_at(samples, end, 1) - _at(samples, begin, 1) for begin, end in windows)
    server = sum(_at(samples, end, 2) - _at(samples, begin, 2) for begin, end in windows)
    between = list(_between(ours))
    names = defaultdict(list)
    for run in ours:
        names[run.name].append(run.ended - run.began)
    return {
        "evaluations": n,
        "worker-seconds per evaluation": wall * workers / n,
        "processor-seconds of the workers per evaluation": processor / n,
        "  of these the steps' own": statistics.fmean(one.core_seconds for one in done),
        "processor-seconds of the database per evaluation": server / n,
        "fireworks per evaluation": len(ours) / n,
        "worker-seconds per firework": wall * workers / len(ours),
        "  of these between two fireworks": statistics.fmean(between) if between else 0.0,
        **{f"  {name}, mean": statistics.fmean(seconds) for name, seconds in sorted(names.items())},
    }


def _between(runs: list[Run]) -> Iterator[float]:
    """Time from the end of an evaluation's firework to the beginning of the same worker's next one."""
    by_worker = defaultdict(list)
    for run in sorted(runs, key=lambda one: one.began):
        by_worker[run.worker, run.round].append(run)
    for own in by_worker.values():
        yield from (after.began - before.ended for before, after in itertools.pairwise(own))


def by_themselves() -> dict[str, tuple[float, float, float]]:
    """A child process and a recording, without a queue."""
    with _database():
        from fermiloop.flows.engines.steps import isolation
        from fermiloop.platform.representations.prototypes import PROTOTYPES

        whole, work = [], []
        for number in range(CHILDREN):
            structure = PROTOTYPES["L1_2"].build("Cu", "Pd", 12.0 + 0.1 * number)
            task = {"kind": "analytic_relax", "structure": structure.as_dict(), "fmax": 0.05, "steps": 200}
            began = time.perf_counter()
            isolation.run(f"calc-{number}", "relax", task, 60.0)
            whole.append(time.perf_counter() - began)
            work.append(isolation.core_seconds(f"calc-{number}"))
    rest = [a - b for a, b in zip(whole, work, strict=True)]
    return {
        "a step in a child process": _spread(whole),
        "  of this its own processor time": _spread(work),
        "  of this start, waiting and files": _spread(rest),
    }


def _spread(values: list[float]) -> tuple[float, float, float]:
    return statistics.median(values), min(values), max(values)


@contextlib.contextmanager
def _database() -> Iterator[int]:
    """An embedded database of its own; process id of its server."""
    from fermiloop.platform.settings import settings
    from fermiloop.platform.store import connection, embedded

    with tempfile.TemporaryDirectory(prefix="throughput-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch).resolve()
        os.environ["FERMILOOP_DATA_DIR"] = str(folder)
        settings.cache_clear()
        connection.connect()
        try:
            yield int(embedded.status(folder)["pid"])
        finally:
            connection.disconnect()
            embedded.stop(folder)


def _enqueue(text: str) -> None:
    from fermiloop.db_init import setup
    from fermiloop.flows.campaigns.enqueue import enqueue
    from fermiloop.flows.queue.launchpad import launchpad
    from fermiloop.platform.campaign.spec import parse_spec
    from fermiloop.platform.settings import settings

    setup.init()
    chaos.library(settings().data_dir)
    enqueue(parse_spec(text), text)
    launchpad().connection.close()


def _watched(workers: int, server: int) -> list[tuple[float, float, float]]:
    """Time, processor time of the workers' processes and of the server's, again and again until the workers end."""
    process = chaos.spawn("worker", "run", "-n", str(workers), "--until-idle")
    samples = []
    while process.poll() is None:
        samples.append((time.time(), _processor_time(process.pid), _processor_time(server)))
        time.sleep(LOOK)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return samples


def _processor_time(root: int) -> float:
    """Processor time (s) of a process, of all that it started and of all that these have waited for."""
    total = 0.0
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{root}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        total = sum(map(int, fields[11:15])) / TICK
        for task in Path(f"/proc/{root}/task").iterdir():
            children = (task / "children").read_text(encoding="utf-8").split()
            total += sum(_processor_time(int(child)) for child in children)
    return total


def _at(samples: list[tuple[float, float, float]], moment: float, column: int) -> float:
    """Processor time at a moment, between two looks in proportion."""
    before = max((s for s in samples if s[0] <= moment), default=samples[0])
    after = min((s for s in samples if s[0] > moment), default=samples[-1])
    share = (moment - before[0]) / (after[0] - before[0]) if after[0] > before[0] else 0.0
    return before[column] + share * (after[column] - before[column])


def _runs() -> list[Run]:
    from fermiloop.flows.campaigns.resuming import ROUND_KEY
    from fermiloop.flows.queue.documents import fireworks, launches, workflows
    from fermiloop.flows.queue.launchpad import launchpad

    pad = launchpad()
    every, keys = fireworks.every(pad), workflows.values_by_node(pad, ROUND_KEY)
    rounds = {node: int(str(key).rpartition("/")[2]) for node, key in keys.items()}
    found = []
    for launch in launches.completed(pad):
        own = every[launch.fw_id]
        began, ended = _seconds(launch.began_at), _seconds(launch.completed_at)
        evaluates = own.calculation is not None
        found.append(Run(launch.worker, own.name, rounds.get(own.fw_id, 0), began, ended, evaluates))
    pad.connection.close()
    return found


def _seconds(moment: Any) -> float:
    found = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return float(found.replace(tzinfo=found.tzinfo or UTC).timestamp())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evaluations", type=int, default=48)
    parser.add_argument("--per-round", type=int, default=24)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
