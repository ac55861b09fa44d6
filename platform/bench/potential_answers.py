"""What potentials answer, kept in a file, one JSON object a line, so that a bench that was stopped goes on."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.potentials import potential
from fermiloop.platform.predictors.potential.relaxing import relax

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pymatgen.core import Structure

CHUNK: Final = 32  # crystals in one batch of energies
STRETCH: Final = 0.08  # a relaxation begins at up to this share more or less than the volume by DFT
FMAX: Final = 0.1  # eV/Å, as the funnel relaxes
STEPS: Final = 150

Row = dict[str, Any]


class Answers:
    """Energies and relaxations by potentials, by model, kind and id of the crystal.

    Parameters
    ----------
    path
        Of the file, made with the first answer; None where nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows: dict[tuple[str, str, str], Row] = {}
        if path is not None and path.exists():
            for number, line in enumerate(self._lines(path), start=1):
                try:
                    row = json.loads(line)
                    self._rows[str(row["model"]), str(row["kind"]), str(row["id"])] = row
                except (ValueError, KeyError, TypeError):
                    raise InputError(
                        f"Line {number} of {path} is no answer of this bench; give another file."
                    ) from None

    def get(self, model: str, kind: str, name: str) -> Row | None:
        """An answer that was kept, None where there is none."""
        return self._rows.get((model, kind, name))

    def put(self, rows: Sequence[Row]) -> None:
        """Keep answers.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        for row in rows:
            self._rows[row["model"], row["kind"], row["id"]] = row
        if self._path is None:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(json.dumps(row) + "\n" for row in rows))
        except OSError as error:
            raise InputError(f"{self._path} cannot be written: {error.strerror}; give --resume another.") from None

    @staticmethod
    def _lines(path: Path) -> list[str]:
        """Whole lines: what was cut off when a run was stopped goes."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path} cannot be read: {error}; give --resume another.") from None
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            path.write_text(whole, encoding="utf-8")
        return whole.splitlines()


def energies(
    name: str, ids: Sequence[str], structures: Sequence[Structure], answers: Answers, progress: Callable[[float], None]
) -> list[Row]:
    """Energy of each crystal at its given geometry: ``energy`` (eV/atom, None where there is none), ``seconds``."""
    model = potential(name).model
    open_ones = [i for i, one in enumerate(ids) if answers.get(model, "energy", one) is None]
    if open_ones:
        made = potential(name).build()
        made.energies(structures[:1])  # the weights are loaded once, which no crystal pays
    for first in range(0, len(open_ones), CHUNK):
        chunk = open_ones[first : first + CHUNK]
        began = time.process_time()
        found = made.energies([structures[i] for i in chunk])
        seconds = (time.process_time() - began) / len(chunk)
        answers.put(
            [
                {"model": model, "kind": "energy", "id": ids[i], "energy": _finite(energy), "seconds": seconds}
                for i, energy in zip(chunk, found, strict=True)
            ]
        )
        progress((first + len(chunk)) / len(open_ones))
    return [row for one in ids if (row := answers.get(model, "energy", one)) is not None]


def relaxations(
    name: str, ids: Sequence[str], structures: Sequence[Structure], answers: Answers, progress: Callable[[float], None]
) -> list[Row]:
    """Relaxation of each crystal from a stretched or pressed cell: ``volume`` (share of the given one), ``seconds``.

    How far a cell is stretched depends on its id alone, so that all potentials begin alike.
    """
    model, made = potential(name).model, None
    for place, one in enumerate(ids):
        if answers.get(model, "relaxation", one) is not None:
            continue
        made = made or potential(name).build()
        given = structures[place]
        start = given.copy()
        random = np.random.default_rng([ord(letter) for letter in one])
        start.scale_lattice(given.volume * (1 + random.uniform(-STRETCH, STRETCH)))
        found = relax(made, start, fmax=FMAX, steps=STEPS)
        answers.put(
            [
                {
                    "model": model,
                    "kind": "relaxation",
                    "id": one,
                    "volume": found.structure.volume / given.volume,
                    "energy": _finite(found.energy_per_atom),
                    "converged": found.converged,
                    "fault": found.fault,
                    "steps": found.steps,
                    "seconds": found.core_seconds,
                }
            ]
        )
        progress((place + 1) / len(ids))
    return [row for one in ids if (row := answers.get(model, "relaxation", one)) is not None]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
