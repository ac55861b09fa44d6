"""Fork server: a process without threads that has the imports done, and forks a child for each step.

``python -m fermiloop.flows.engines.steps.fork_server DESCRIPTOR PARENT``, started by `warm`. A request is a message on
that socket with a channel of its own: over it go the child's process id, and later its exit code and cost. The server
ends with its worker; a child that is at work then goes on by itself, as that of any killed worker.

multiprocessing has a fork server too. It does not tell what a child has cost, hands its own environment on for ever,
and passes over imports that fail.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np

from fermiloop.flows.engines.steps import child
from fermiloop.flows.engines.steps.children import LOG

LOOK: Final = 2.0  # s between looks whether the worker is there
MESSAGE: Final = 65_536  # bytes


class Server:
    """Forks what it is asked for, and tells how each child ended.

    Parameters
    ----------
    control
        Socket of the requests.
    parent
        Process id of the worker.
    """

    def __init__(self, control: socket.socket, parent: int) -> None:
        self._control, self._parent = control, parent
        self._is_open = True
        self._channels: dict[int, socket.socket] = {}  # by the child's process id
        self._woken, self._wake = os.pipe()  # a child has ended
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)

    def serve(self) -> None:
        """Until the worker has closed the socket and no child of it is left, or the worker is gone."""
        signal.signal(signal.SIGCHLD, lambda *_: None)  # or nothing would be written to the pipe
        signal.set_wakeup_fd(self._wake)
        while (self._is_open or self._channels) and os.getppid() == self._parent:
            watched: list[Any] = [self._woken, *self._channels.values()]
            watched += [self._control] if self._is_open else []
            ready = select.select(watched, [], [], LOOK)[0]
            if self._woken in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._woken, MESSAGE)
            self._tell_of_ended()
            for pid, channel in list(self._channels.items()):
                if channel in ready:  # nobody writes there: its worker is gone
                    self._channels.pop(pid).close()
            if self._control in ready:
                self._answer()

    def _answer(self) -> None:
        try:
            data, descriptors, *_ = socket.recv_fds(self._control, MESSAGE, 1)
        except ConnectionError:
            data, descriptors = b"", []
        if not data:
            self._is_open = False
            return
        asked, channel = json.loads(data), socket.socket(fileno=descriptors[0])
        reason = unfit(asked["needs"])
        if reason is not None:
            _send(channel, {"refused": reason})
            channel.close()
            return
        pid = os.fork()
        if not pid:
            channel.close()
            self._become_child(Path(asked["folder"]))
        self._channels[pid] = channel
        _send(channel, {"pid": pid, "resident": resident()})

    def _tell_of_ended(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if not pid:
                    return
                channel = self._channels.pop(pid, None)
                if channel is not None:
                    code = os.waitstatus_to_exitcode(status)
                    _send(channel, {"code": code, "core_seconds": usage.ru_utime + usage.ru_stime})
                    channel.close()

    def _become_child(self, folder: Path) -> NoReturn:
        """Do a step's task as a process of its own, with nothing of the server's but what it has imported."""
        code = 1
        try:
            os.chdir(folder)  # before it leaves the group, so that it can be found either by this or by that
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for one in (self._control, *self._channels.values()):
                one.close()
            for end in (self._woken, self._wake):
                os.close(end)
            _speak_to(folder / LOG)
            random.seed()
            np.random.seed()  # noqa: NPY002  (or all children would draw the same)
            code = child.main(folder)
        except BaseException:  # noqa: BLE001  (whatever it is, a child never goes on as a server)
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)


def unfit(needs: Sequence[str]) -> str | None:
    """Import what a task needs; why this process cannot be forked for it, None where it can."""
    try:
        for name in needs:
            if name not in sys.modules:
                importlib.import_module(name)
                gc.collect()
                gc.freeze()  # so that a child's collections do not copy the server's memory
    except Exception as error:  # noqa: BLE001  (a module may fail in any way)
        return f"{type(error).__name__}: {error}"
    n = len(list(Path("/proc/self/task").iterdir()))
    return f"it has {n} threads, which a fork would stop in the middle" if n > 1 else None


def resident() -> int:
    """Memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _send(channel: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # a worker that is gone is told nothing
        channel.send(json.dumps(message).encode())


def _speak_to(log: Path) -> None:
    """Nothing to read, and all that is printed into a file."""
    for path, flags, places in (
        (Path(os.devnull), os.O_RDONLY, (0,)),
        (log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, (1, 2)),
    ):
        opened = os.open(path, flags, 0o666)
        for place in places:
            os.dup2(opened, place)
        os.close(opened)


def main(descriptor: int, parent: int) -> None:
    """Serve one worker."""
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=descriptor) as control:
        Server(control, parent).serve()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
