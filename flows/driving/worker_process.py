"""One worker, ``python -m fermiloop.flows.driving.worker_process``: recover, advance, run a job, again."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from fireworks import FWorker
from fireworks.core import rocket
from fireworks.core.rocket_launcher import launch_rocket
from pymongo.errors import PyMongoError

from fermiloop.flows.campaigns.fair_share import draw, queue_shares
from fermiloop.flows.driving.advance import advance_all
from fermiloop.flows.driving.reconcile import reconcile
from fermiloop.flows.driving.recover import give_back, recover
from fermiloop.flows.processes.heartbeat import ping_seconds
from fermiloop.flows.processes.identity import worker_name
from fermiloop.flows.queue import listening
from fermiloop.flows.queue.documents import fireworks
from fermiloop.flows.queue.launchpad import SafeLaunchPad, configure_jobflow, launchpad
from fermiloop.platform import privacy
from fermiloop.platform.errors import DatabaseError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import campaigns, connection
from fermiloop.schemas.vocabulary import CampaignState

logger = logging.getLogger("fermiloop.flows.worker")
PAUSE: Final = 0.5  # s between looks at an empty queue
ADVANCE_EVERY: Final = 1.0  # s, while there is work; a worker that finds none advances at once
RECOVER_EVERY: Final = 5.0  # s
RECONCILE_EVERY: Final = 60.0  # s


class Worker:
    """A loop that ends by a signal, or when nothing is left to do."""

    def __init__(self, until_idle: bool) -> None:
        self.until_idle = until_idle
        self.stopping = False
        self.name = worker_name()
        self.pad: SafeLaunchPad | None = None
        self.rng = np.random.default_rng()  # whose turn it is: each worker draws by itself
        self._advanced = self._recovered = float("-inf")
        self._reconciled = time.monotonic() + self.rng.uniform(0, RECONCILE_EVERY)  # not all workers at once

    def run(self) -> None:
        """Work until told to stop; the job in hand is ended, with its child, and given back."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor minds the keyboard
        rocket.PING_TIME_SECS = ping_seconds()
        folder = settings().data_dir.expanduser() / "launches" / self.name
        folder.mkdir(parents=True, exist_ok=True)
        os.chdir(folder)
        with listening.heard(self.name, lambda: self.pad.in_hand if self.pad else ""):
            try:
                self._work()
            except KeyboardInterrupt:
                logger.info("told to stop in the middle of a job")
            if self.stopping and self.pad is not None:
                with contextlib.suppress(PyMongoError, DatabaseError):  # then it is found as that of a lost worker
                    give_back(self.pad, self.name)

    def _work(self) -> None:
        while not self.stopping:
            try:
                if self.pad is None:
                    connection.retrying(connection.connect)
                    configure_jobflow()
                    self.pad = launchpad()
                if not self.turn(self.pad):
                    if self.until_idle and self.idle(self.pad):
                        return
                    time.sleep(PAUSE)
            except (PyMongoError, DatabaseError) as error:
                logger.warning("the database is away (%s); trying again", type(error).__name__)
                connection.disconnect()
                self.pad, self._recovered = None, float("-inf")
                time.sleep(PAUSE)

    def turn(self, pad: SafeLaunchPad) -> bool:
        """One look at everything; whether a job was run."""
        moment = time.monotonic()
        if moment - self._recovered > RECOVER_EVERY:
            recover(pad, self.name)
            self._recovered = moment
        if moment - self._reconciled > RECONCILE_EVERY:
            reconcile(pad, self.name)
            self._reconciled = moment
        if moment - self._advanced > ADVANCE_EVERY:
            self._advance(pad)
        query = draw(pad, self.rng)
        if query is None and self._advanced < moment:
            self._advance(pad)
            query = draw(pad, self.rng)
        if query is None:
            return False
        return bool(launch_rocket(pad, FWorker(self.name, query=query), strm_lvl="CRITICAL"))

    def _advance(self, pad: SafeLaunchPad) -> None:
        self._advanced = time.monotonic()
        advance_all(pad, self.name)

    def idle(self, pad: SafeLaunchPad) -> bool:
        """Whether no campaign runs, and no job runs or waits that may be taken."""
        return not fireworks.is_any_held(pad) and not queue_shares(pad) and not campaigns.find(CampaignState.RUNNING)

    def _stop(self, *_: Any) -> None:
        self.stopping = True
        if self.pad is not None:
            self.pad.stopping = True
            if self.pad.in_hand:  # nowhere else, so that no run is cut off while it is written down
                raise KeyboardInterrupt


def main() -> None:
    """Run one worker, its log beside its launches."""
    privacy.protect()
    log = settings().data_dir.expanduser() / "logs"
    log.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=Path(log) / f"worker-{worker_name()}.log",
        level=logging.INFO,
        format="%(asctime)s %(name)s %(message)s",
    )
    worker = Worker("--until-idle" in sys.argv)
    worker.run()
    if worker.stopping:  # a thread of FireWorks may still sleep before it says that a run lives
        logging.shutdown()
        os._exit(0)


if __name__ == "__main__":
    main()
