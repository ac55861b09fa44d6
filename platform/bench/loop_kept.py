"""Runs of the loop kept in a file, one JSON object a line, so that a bench that was stopped goes on."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fermiloop.platform.bench.loop_cases import Case


class Kept:
    """What was asked for in earlier runs, by all that they depend on but the code.

    Parameters
    ----------
    path
        Of the file, made with the first run; None where nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: dict[str, list[str]] = {}
        if path is not None and path.exists():
            self._read(path)

    def get(self, key: str) -> list[str] | None:
        """Ids that a run asked for, in their order; None where it has not been made."""
        return self.rows.get(key)

    def put(self, key: str, told: dict[str, Any], asked: Sequence[str]) -> None:
        """Keep a run: what it was, for people, and what it asked for.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        self.rows[key] = list(asked)
        if self.path is None:
            return
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"run": key, **told, "asked": list(asked)}) + "\n")
        except OSError as error:
            raise InputError(f"{self.path} cannot be written: {error.strerror}; give --resume another.") from None

    def _read(self, path: Path) -> None:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path} cannot be read: {error}; give --resume another.") from None
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                self.rows[str(row["run"])] = [str(one) for one in row["asked"]]
            except (ValueError, KeyError, TypeError):
                if number < len(lines):
                    raise InputError(f"Line {number} of {path} is no run of this bench; give another file.") from None
                # cut off when a run was stopped: what comes next would be written behind it
                path.write_text("".join(f"{one}\n" for one in lines[:-1]), encoding="utf-8")


def key_of(case: Case, strategy: str, spec: dict[str, Any]) -> str:
    """Digest of all that a run depends on but the code: ids and answers of the pool, what is known, and the file."""
    oracle = case.oracle
    digest = hashlib.sha256(json.dumps([case.protocol, case.group, case.seed, strategy, spec], sort_keys=True).encode())
    digest.update("\n".join(oracle.pool.ids).encode())
    digest.update(case.known.tobytes())
    for part, values in sorted(oracle.computed.items()):
        digest.update(part.encode() + values.tobytes())
    return digest.hexdigest()[:32]
