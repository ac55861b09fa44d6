"""Files that other users of the machine cannot read: one umask for the process, and the data folder's own modes.

All that fermiloop writes, wherever it writes it, is its user's alone; children inherit that. With
``FERMILOOP_SHARED_GROUP`` it is a group's as well, except what holds passwords: the embedded database and the
environment of cluster jobs.
"""

from __future__ import annotations

import contextlib
import grp
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.settings import settings

SECRET: Final = frozenset({"database", "queue"})  # folders with passwords in them, whatever group shares the rest
OURS: Final = frozenset({"calculations", "database", "launches", "logs", "queue", "trainings"})
OTHERS: Final = stat.S_IRWXO
GROUP: Final = stat.S_IRWXG


@dataclass(frozen=True)
class Access:
    """Who may read: the owner, and a group where `group` is its number."""

    group: int | None = None

    @property
    def umask(self) -> int:
        """What is taken away from every new file."""
        return OTHERS if self.group is not None else OTHERS | GROUP

    def mode(self, now: int, *, folder: bool) -> int:
        """Permissions in place of those that a file or folder has."""
        kept = stat.S_IMODE(now) & ~(OTHERS | GROUP | stat.S_ISGID)
        if self.group is None:
            return kept
        as_owner = (kept & stat.S_IRWXU) >> 3
        return kept | as_owner | (stat.S_ISGID if folder else 0)


def access() -> Access:
    """As set.

    Raises
    ------
    InputError
        If the group does not exist, or its user is not in it.
    """
    name = settings().shared_group
    if name is None:
        return Access()
    try:
        group = grp.getgrnam(name).gr_gid
    except KeyError:
        raise InputError(f"There is no group {name!r}; correct FERMILOOP_SHARED_GROUP, or unset it.") from None
    if os.geteuid() != 0 and group not in {*os.getgroups(), os.getegid()}:
        raise InputError(f"You are not in the group {name!r}; correct FERMILOOP_SHARED_GROUP, or ask to be added.")
    return Access(group)


def protect() -> str | None:
    """Keep what this process writes from other users, and close what stands open; a sentence where something did."""
    os.umask(OTHERS | GROUP)
    try:
        settings()
    except InputError:
        return None  # told by the commands that need them; `fermiloop doctor` and `version` do not
    wanted = access()
    os.umask(wanted.umask)
    root = settings().data_dir.expanduser()
    changed = _close(root, wanted)
    if not changed:
        return None
    whom = "other users of this machine" if wanted.group is None else f"all but the group {settings().shared_group}"
    return f"The data folder {root} is closed to {whom} now: files and folders that stood open: {changed}."


def _close(root: Path, wanted: Access) -> int:
    """Close a data folder; how many files and folders were open.

    What lies below a folder that was closed already is closed too, so it is not walked through again.
    """
    if not root.is_dir():
        return 0
    alone = _is_a_data_folder(root)
    changed = int(alone and _set(root, wanted))
    for child in sorted(root.iterdir()):
        if not alone and child.name not in OURS:
            continue
        access_of = Access() if child.name in SECRET else wanted
        if _set(child, access_of):
            changed += 1 + sum(_set(path, access_of) for path in _below(child))
    return changed


def _is_a_data_folder(root: Path) -> bool:
    """Whether a folder is fermiloop's own; a home folder, ``/tmp`` or a mounted disk has other things in it."""
    shared = root.stat().st_mode & stat.S_ISVTX
    return not (shared or root.resolve() in (Path("/"), Path.home().resolve()) or root.is_mount())


def _below(folder: Path) -> list[Path]:
    if folder.is_symlink() or not folder.is_dir():
        return []
    return [Path(place) / name for place, folders, files in os.walk(folder) for name in (*folders, *files)]


def _set(path: Path, wanted: Access) -> bool:
    """Set the permissions of what is ours; whether they were others. Links lead elsewhere and are left."""
    with contextlib.suppress(OSError):  # it is gone by now, or of a file system without permissions
        now = path.lstat()
        if stat.S_ISLNK(now.st_mode) or now.st_uid != os.geteuid():
            return False
        folder = stat.S_ISDIR(now.st_mode)
        mode = wanted.mode(now.st_mode, folder=folder)
        if mode == stat.S_IMODE(now.st_mode) and wanted.group in (None, now.st_gid):
            return False
        if wanted.group not in (None, now.st_gid):
            os.chown(path, -1, wanted.group)
        path.chmod(mode)
        return True
    return False
