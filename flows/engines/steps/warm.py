"""Warm children: forked by a server that has their imports done, one server for each process that runs steps.

The server is started at the first step that wants it and again where it was killed, has grown, or the environment of
children has changed. What cannot be forked (see `NEEDS`, and `fork_server.unfit`) gets a fresh process.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from fermiloop.flows.engines.steps import children, orphans

logger = logging.getLogger("fermiloop.flows")
NEEDS: Final[dict[str, tuple[str, ...]]] = {  # what the server imports beside `tasks`; other kinds are never forked
    "analytic_relax": (),
    "analytic_static": (),
    "chgnet_relax": ("torch", "chgnet.model"),  # imported only: threads and devices are begun by the child
}
PROGRAM: Final = "fermiloop.flows.engines.steps.fork_server"
PATIENCE: Final = 120.0  # s that imports may take on a busy machine
GROWTH: Final = 256 * 2**20  # bytes that the server may gain after its imports
UNTOLD: Final = -signal.SIGKILL  # code of a child whose server was killed: if it left nothing, it was killed as well
POLL: Final = 0.1  # s
MESSAGE: Final = 65_536  # bytes


class WarmChild:
    """A child that the server has forked.

    Parameters
    ----------
    channel
        On which the server tells of its end.
    """

    def __init__(self, channel: socket.socket, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.core_seconds = 0.0
        self._channel: socket.socket | None = channel
        self._began = orphans.looked_up(pid)[0]

    def wait(self, seconds: float) -> bool:
        """Wait so long for its end; whether it has ended."""
        if self.returncode is None and self._channel is not None:
            if not select.select([self._channel], [], [], seconds)[0]:
                return False
            told = _received(self._channel)
            self._channel.close()
            self._channel = None
            if told:
                self.returncode, self.core_seconds = int(told["code"]), float(told["core_seconds"])
        if self.returncode is None:
            self._look(seconds)
        return self.returncode is not None

    def _look(self, seconds: float) -> None:
        """Look for it among the processes: its server, which would tell, was killed."""
        began, taken = orphans.looked_up(self.pid)
        if began and began == self._began:
            self.core_seconds = taken
            time.sleep(min(seconds, POLL))
        else:
            self.returncode = UNTOLD


class _Server:
    """The server's process, and what is known of it here."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.refused: dict[tuple[str, ...], str] = {}  # why, by what was needed
        self.has_grown = False
        self._resident: dict[tuple[str, ...], int] = {}  # after the imports that a kind needs
        self._control, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far, contextlib.ExitStack() as undone:
            undone.callback(self._control.close)
            self.process = subprocess.Popen(
                [sys.executable, "-m", PROGRAM, str(far.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=environment,
                pass_fds=[far.fileno()],
                start_new_session=True,  # the keyboard is the worker's
            )
            undone.pop_all()

    def fork(self, folder: Path, needs: tuple[str, ...]) -> WarmChild | None:
        """A child for a folder; None where the server refuses.

        Raises
        ------
        OSError
            If the server is gone, or says nothing.
        """
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with far:
                asked = json.dumps({"folder": str(folder), "needs": needs}).encode()
                socket.send_fds(self._control, [asked], [far.fileno()])
            told = _first_word(near)
        except BaseException:
            near.close()
            raise
        if "refused" in told:
            near.close()
            self.refused[needs] = told["refused"]
            logger.warning("steps that need %s get a fresh process each: %s", needs or "no more", told["refused"])
            return None
        self._resident.setdefault(needs, told["resident"])
        self.has_grown = told["resident"] > max(self._resident.values()) + GROWTH
        return WarmChild(near, int(told["pid"]))

    def retire(self) -> None:
        """Let it end once its children have."""
        self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1.0)

    def kill(self) -> None:
        """End it, and a child that it was just about to fork."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._control.close()
        self.process.wait()

    def forget(self) -> None:
        """Leave it to the process that this one was forked from."""
        self._control.close()
        self.process.returncode = 0


class _Keeper:
    """Keeps one server, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current: _Server | None = None
        self._retired: list[_Server] = []

    def fork(self, folder: Path, needs: tuple[str, ...]) -> WarmChild | None:
        """A child, None where it must be a fresh process."""
        with self._lock:
            server = self._ready()
            if needs in server.refused:
                return None
            try:
                return server.fork(folder, needs)
            except OSError as error:
                logger.warning("%s; it is started again at the next step", error)
                self._drop()
                return None
            except BaseException:  # interrupted between the question and the answer
                self._drop()
                raise

    def retire(self) -> None:
        """Let the server end, if there is one."""
        with self._lock:
            self._retire()

    def forget(self) -> None:
        """Leave everything to the process that this one was forked from."""
        for one in (*self._retired, *([self._current] if self._current is not None else [])):
            one.forget()
        self.__init__()  # type: ignore[misc]

    def pid(self) -> int | None:
        """Process id of the server, None where there is none."""
        return None if self._current is None else self._current.process.pid

    def _ready(self) -> _Server:
        """The server, a new one where the old one has ended, has grown or would give children another environment."""
        self._retired = [one for one in self._retired if one.process.poll() is None]
        environment = children.environment()
        if self._current is not None and self._current.process.poll() is not None:
            self._drop()
        if self._current is not None and (self._current.has_grown or self._current.environment != environment):
            self._retire()
        if self._current is None:
            self._current = _Server(environment)
        return self._current

    def _retire(self) -> None:
        if self._current is not None:
            self._current.retire()
            self._retired.append(self._current)
            self._current = None

    def _drop(self) -> None:
        if self._current is not None:
            self._current.kill()
            self._current = None


_keeper: Final = _Keeper()


def start(folder: Path, kind: str) -> WarmChild | None:
    """A forked child that does the task of a folder; None where it must be a fresh process."""
    needs = NEEDS.get(kind)
    if needs is None or not sys.platform.startswith("linux"):  # other systems' libraries do not survive a fork
        return None
    return _keeper.fork(folder, needs)


def server() -> int | None:
    """Process id of the server of this process, None where there is none."""
    return _keeper.pid()


def _first_word(channel: socket.socket) -> dict[str, Any]:
    """What the server says to a request.

    Raises
    ------
    OSError
        If it is gone, or says nothing.
    """
    if not select.select([channel], [], [], PATIENCE)[0]:
        raise TimeoutError("the fork server says nothing")
    told = _received(channel)
    if not told:
        raise ConnectionResetError("the fork server is gone")
    return told


def _received(channel: socket.socket) -> dict[str, Any]:
    """A message of the server; nothing where it is gone."""
    try:
        return dict(json.loads(channel.recv(MESSAGE) or b"{}"))
    except ConnectionError:
        return {}


atexit.register(_keeper.retire)
os.register_at_fork(after_in_child=_keeper.forget)
