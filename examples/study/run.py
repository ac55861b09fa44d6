"""Run the study: ``python examples/study/run.py FOLDER``; stopped or killed at any time, the same command goes on.

Each arm has a data folder of its own in FOLDER, with an embedded server and a store of its own, so that no arm learns
from another. What is run is the command line of fermiloop and nothing else.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import yaml
from arm import CANDIDATES, REPORT, Arm, stop
from arms import ARMS
from table import markdown, small, table

FILE: Final = Path(__file__).parent / "pd.yaml"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the arms that were asked for, then write what came of all arms in the folder."""
    asked = _parser().parse_args(arguments)
    tree = yaml.safe_load(asked.file.read_text(encoding="utf-8"))
    if not asked.table:
        run([Arm(asked.folder, name, tree) for name in asked.arms], asked.jobs)
    every = [Arm(asked.folder, name, tree) for name in ARMS]
    if asked.table:
        for arm in every:
            arm.look()
    sys.stdout.write(write(asked.folder, every))


def write(folder: Path, arms: Sequence[Arm]) -> str:
    """Write the records, the table as JSON and as Markdown into ``FOLDER/results``; the Markdown."""
    results = folder / "results"
    results.mkdir(exist_ok=True)
    found = {}
    for arm in arms:
        report, candidates = arm.records(REPORT), arm.records(CANDIDATES)
        if report is not None and candidates is not None:
            found[arm.name] = small(report, candidates)
            (results / f"{arm.name}.json").write_text(_compact(found[arm.name]), encoding="utf-8")
    made = table(found)
    (results / "table.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    (results / "table.md").write_text(markdown(made), encoding="utf-8")
    return markdown(made)


def _compact(records: dict[str, Any]) -> str:
    """JSON with a line for each candidate: small, and readable in a difference."""
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in records["candidates"])
    report = json.dumps(records["report"], ensure_ascii=False)
    return f'{{"report": {report},\n"candidates": [\n{rows}\n]}}\n'


def run(arms: Sequence[Arm], jobs: int) -> None:
    """Run arms, so many at a time; SIGTERM and Ctrl-C let each give back what it runs."""

    def stopped(*_: Any) -> None:
        stop()

    for kind in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(kind, stopped)
    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(arm.run) for arm in arms]
        for one in running:
            one.result()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where all data of the study lie")
    parser.add_argument("--file", type=Path, default=FILE, help="campaign file of the arm full (default: %(default)s)")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS), help="these arms alone")
    parser.add_argument("--jobs", type=int, default=1, help="arms that run at a time, one processor each")
    parser.add_argument("--table", action="store_true", help="run nothing: write what has come so far")
    return parser


if __name__ == "__main__":
    sys.exit(main())
