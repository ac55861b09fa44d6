"""Run the study: ``python examples/study/run.py FOLDER``; stopped or killed at any time, the same command goes on.

Each arm has a data folder of its own in FOLDER, with an embedded server and a store of its own, so that no arm learns
from another. What is run is the command line of fermiloop and nothing else.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import yaml
from arm import Arm, stop
from arms import ARMS

FILE: Final = Path(__file__).parent / "pd.yaml"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the arms that were asked for."""
    asked = _parser().parse_args(arguments)
    tree = yaml.safe_load(asked.file.read_text(encoding="utf-8"))
    run([Arm(asked.folder, name, tree) for name in asked.arms], asked.jobs)


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
    return parser


if __name__ == "__main__":
    sys.exit(main())
