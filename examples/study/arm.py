"""One arm as it runs: its data folder, its server, its campaign, its records."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from arms import arm_of, text_of

FERMILOOP: Final = (sys.executable, "-m", "fermiloop.platform.cli.main")
MOST: Final = "100000"  # candidates
CANDIDATES, REPORT = "candidates.json", "report.json"
LIVE: Final = ("running", "paused")
STOPPED: Final = "The study was stopped; the same command goes on."

stopping = threading.Event()
_campaigns: set[subprocess.Popen[bytes]] = set()


def stop() -> None:
    """Let the campaigns give back what runs and end; nothing new begins."""
    stopping.set()
    for child in list(_campaigns):
        child.terminate()


class Arm:
    """One arm of the study in its own part of the folder."""

    def __init__(self, folder: Path, name: str, tree: dict[str, Any]) -> None:
        self.name, self.folder = name, folder.resolve() / name
        self.campaign = arm_of(tree, name)

    def run(self) -> None:
        """Go on to the end of the campaign and write its records."""
        with self._alone() as lock:
            if not self._is_done() and not stopping.is_set():
                with self._server():
                    self._prepare()
                    self._launch(lock)
                    self._write_records()

    def look(self) -> None:
        """Write the records as they are now, also while the arm runs."""
        if not (self.folder / "loaded").exists():
            return
        try:
            with self._alone(wait=False), self._server():
                self._write_records()
        except BlockingIOError:
            self._write_records()

    def records(self, name: str) -> Any:
        """What was last written of the campaign, None before that."""
        path = self.folder / name
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def _is_done(self) -> bool:
        report = self.records(REPORT)
        return report is not None and report["state"] not in LIVE

    @contextlib.contextmanager
    def _alone(self, *, wait: bool = True) -> Iterator[IO[bytes]]:
        """Hold the arm's lock; a campaign that outlived a killed study holds it too, and is waited for."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield lock

    @contextlib.contextmanager
    def _server(self) -> Iterator[None]:
        self._call("db", "start")
        try:
            yield
        finally:
            self._call("db", "stop")

    def _prepare(self) -> None:
        """Write the campaign file and fill the store, once."""
        file, text = self.folder / "campaign.yaml", text_of(self.campaign)
        if file.exists() and file.read_text(encoding="utf-8") != text:
            sys.exit(f"{file} is of another study; name another folder, or remove {self.folder}.")
        file.write_text(text, encoding="utf-8")
        if not (self.folder / "loaded").exists():
            self._call("db", "init")
            self._call("db", "load", "seed")
            (self.folder / "loaded").touch()

    def _launch(self, lock: IO[bytes]) -> None:
        """Stay with the campaign until it ends, by one worker."""
        arguments = ("campaign", "launch", str(self.folder / "campaign.yaml"), "--workers", "1")
        with self._log() as log:
            child = subprocess.Popen(
                [*FERMILOOP, *arguments], env=self._environment(), stdout=log, stderr=log, pass_fds=(lock.fileno(),)
            )
            _campaigns.add(child)
            if stopping.is_set():
                child.terminate()
            code = child.wait()
            _campaigns.discard(child)
        if stopping.is_set():
            sys.exit(STOPPED)
        if code > 1:  # 1 is a campaign that failed, of which there are records
            raise subprocess.CalledProcessError(code, ["fermiloop", *arguments])

    def _write_records(self) -> None:
        """Keep every candidate and the report as JSON; the server must run."""
        name = self.campaign["name"]
        find = ("candidates", "find", "--campaign", name, "--limit", MOST, "--json")
        for path, arguments in ((CANDIDATES, find), (REPORT, ("campaign", "report", name, "--json"))):
            told = subprocess.run([*FERMILOOP, *arguments], env=self._environment(), check=True, stdout=subprocess.PIPE)
            part = self.folder / f"{path}.part"
            part.write_bytes(told.stdout)
            part.rename(self.folder / path)

    def _call(self, *arguments: str) -> None:
        with self._log() as log:
            subprocess.run([*FERMILOOP, *arguments], env=self._environment(), stdout=log, stderr=log, check=True)

    def _log(self) -> IO[bytes]:
        return (self.folder / "log").open("ab")

    def _environment(self) -> dict[str, str]:
        """Of a store of its own, whatever store is in use elsewhere."""
        kept = {name: value for name, value in os.environ.items() if name != "FERMILOOP_MONGODB_URI"}
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        return {**kept, **threads, "FERMILOOP_DATA_DIR": str(self.folder / "data")}
