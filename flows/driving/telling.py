"""What a launch tells while it waits: how far the round is, what runs, and what the steps log."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from fermiloop.db_init.importers.report import Progress
from fermiloop.flows.queue import giving_back, running
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.store import campaigns, candidates
from fermiloop.schemas.vocabulary import ENDED_ROUNDS, Stage

TELL_EVERY: Final = 10.0  # s between lines on what runs


class Watch:
    """Tell what has changed since the last look, and now and then what runs."""

    def __init__(self, spec: CampaignSpec, progress: Progress) -> None:
        self._spec, self._progress, self._last = spec, progress, ""
        self._told_at = float("-inf")

    def __call__(self) -> None:
        """Look once."""
        rounds = campaigns.rounds(self._spec.name)
        if not rounds:
            return
        line, moment = f"round {rounds[-1].number}: {_where(self._spec.name, rounds[-1].number)}", time.monotonic()
        if line != self._last or moment - self._told_at > TELL_EVERY:
            self._progress(f"{line}{_doing(self._spec.name)}", share_of(self._spec.name)())
            self._last, self._told_at = line, moment


def _where(name: str, number: int) -> str:
    """How far a round has come, in a few words."""
    current = campaigns.round_of(name, number)
    if current.state in ENDED_ROUNDS:
        return str(current.state)
    proposed = candidates.of_round(name, number)
    chosen = [c for c in proposed if c.calculation]
    if chosen:
        done = sum(c.stage in (Stage.EVALUATED, Stage.FAILED) for c in chosen)
        return f"{done} of {len(chosen)} evaluations done ({', '.join(c.formula for c in chosen)})"
    if current.counts:
        return f"{current.counts['passed']} of {current.counts['proposed']} passed the funnel"
    if proposed:
        return f"screening {len(proposed)} candidates"
    return "sampling" if current.checkpoints else "training the generators"


def _doing(name: str) -> str:
    """What runs, in brackets; the seconds are left out, so that a line is told when something has changed."""
    told = [f"{one.formula} {one.progress.sentence or 'runs'}" for one in running.of_campaign(name)]
    return f" [{'; '.join(told)}]" if told else ""


def share_of(name: str) -> Callable[[], float]:
    """Share of the budget's evaluations that are done."""

    def share() -> float:
        budget = int(campaigns.get(name).spec["budget"]["evaluations"])
        done = [c for c in candidates.outlines(name) if c.stage in (Stage.EVALUATED, Stage.FAILED)]
        return min(1.0, len(done) / budget)

    return share


@contextlib.contextmanager
def telling(name: str, progress: Progress) -> Iterator[None]:
    """Tell now and then what runs: this process itself waits for it."""
    over = threading.Event()

    def tell() -> None:
        while not over.wait(TELL_EVERY):
            with contextlib.suppress(*giving_back.AWAY):
                if doing := _doing(name):
                    progress(doing.strip(" []"), share_of(name)())

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(1.0)


@contextlib.contextmanager
def steps_told(progress: Progress, share: Callable[[], float]) -> Iterator[None]:
    """Pass on what the steps log, as progress."""

    class Teller(logging.Handler):
        def emit(self, entry: logging.LogRecord) -> None:
            progress(entry.getMessage(), share())

    log, teller, here = logging.getLogger("fermiloop.flows"), Teller(logging.INFO), os.getcwd()  # noqa: PTH109
    before = log.level
    log.addHandler(teller)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(teller)
        log.setLevel(before)
        os.chdir(here)
