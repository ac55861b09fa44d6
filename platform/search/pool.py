"""Virtual screening: given crystals, proposed in their order, those left out that have an answer already.

Given are the crystals of a file, or without one the rows of the training set that bear neither curve nor label: the
store's materials that nothing was computed for by the Method that is learned from.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import FitReport, Proposal
from fermiloop.platform.predictors.files import Arrays, Config, Packed, SavedModel
from fermiloop.platform.representations.answer_file import Register, read_answers

if TYPE_CHECKING:
    from collections.abc import Callable

    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet

SYMMETRY = 0.01  # Å


@dataclass(frozen=True)
class PoolOptions:
    """Which crystals are given.

    Parameters
    ----------
    file
        Path of a file as `representations.answer_file` reads it; empty for the store's materials without an answer.
    """

    file: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.file, str):
            raise InputError(f"The option file of pool must be a path, not {self.file!r}.")


class Pool(SavedModel):
    """Proposes given crystals.

    Parameters
    ----------
    options
        Which.
    """

    name = "pool"

    def __init__(self, options: PoolOptions | None = None) -> None:
        self.options = options or PoolOptions()
        self.failures: Counter[str] = Counter()
        self.keys: tuple[str, ...] = ()
        self.structures: tuple[Structure, ...] | None = None

    def fit(
        self,
        data: TrainingSet,
        seed: int,  # noqa: ARG002 - nothing is random in it
        progress: Callable[[str, float], None],
        resume: Path | None = None,  # noqa: ARG002 - nor slow
    ) -> FitReport:
        """Keep the given crystals that have no answer in `data`, none twice.

        Raises
        ------
        InputError
            If the file cannot be read, or no crystal is given at all.
        """
        began = time.process_time()
        answered = _answered(data)
        if self.options.file:
            found = read_answers(Path(self.options.file))
            given = [(one.key, one.structure) for one in found]
        else:
            given = [(data.ids[i], data.structures[i]) for i in np.flatnonzero(~answered)]
        if not given:
            raise InputError(
                "pool has no crystals to propose: name a file of them in its option file, or load crystals without "
                "labels into the store."
            )
        if not any(structure.is_ordered for _, structure in given):
            raise InputError(
                "pool has no ordered crystal to propose: every one that is given has sites of more than one element; "
                "give crystals with one element a site."
            )
        known, kept = Register([data.structures[i] for i in np.flatnonzero(answered)]), []
        for place, (key, structure) in enumerate(given):
            progress(self.name, place / len(given))
            if structure.is_ordered and known.find(structure) is None:
                known.add(structure)
                kept.append((key, structure))
        self.keys, self.structures = tuple(key for key, _ in kept), tuple(structure for _, structure in kept)
        progress(self.name, 1.0)
        return FitReport({"crystals": float(len(kept))}, (), len(given), 0, 0, time.process_time() - began)

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:  # noqa: ARG002
        """The first `n` crystals inside the space.

        Raises
        ------
        InputError
            If it was not fitted.
        """
        if self.structures is None:
            raise InputError("pool has seen no training set; fit or load it first.")
        self.failures = Counter()
        made: list[Proposal] = []
        for key, structure in zip(self.keys, self.structures, strict=True):
            if len(made) == n:
                break
            reason = _outside(structure, target, space)
            if reason:
                self.failures[reason] += 1
            else:
                made.append(Proposal(structure, 0.0, None, None, {"key": key}))
        return made

    def packed(self) -> Packed:
        """How many crystals in the arrays, the crystals in the config."""
        if self.structures is None:
            raise InputError("pool has seen no training set; fit or load it first.")
        crystals = [structure.as_dict() for structure in self.structures]
        config = {"options": asdict(self.options), "keys": list(self.keys), "crystals": crystals}
        return json.loads(json.dumps(config, default=float)), {"n": np.array([len(crystals)])}

    @classmethod
    def restored(cls, config: Config, arrays: Arrays) -> Pool:
        """The same out of what `packed` gave."""
        pool = cls(PoolOptions(**config["options"]))
        pool.keys = tuple(config["keys"])
        pool.structures = tuple(Structure.from_dict(one) for one in config["crystals"])
        if not len(pool.keys) == len(pool.structures) == int(arrays["n"][0]):
            raise InputError("some crystals are missing")
        return pool


def _answered(data: TrainingSet) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(n,) which rows bear a curve or a label."""
    found = np.asarray(data.has_curve, dtype=bool)
    for values in data.labels.values():
        found = found | np.isfinite(values)
    return found


def _outside(structure: Structure, target: Target, space: Space) -> str:
    """Why a crystal may not be proposed; empty where it may."""
    elements = {element.symbol for element in structure.composition.elements}
    low, high = space.n_components
    if not elements <= set(space.elements) or not low <= len(elements) <= high:
        return "elements outside the space"
    if structure.composition.reduced_formula in target.exclude_formulas:
        return "excluded formula"
    if len(structure) > space.max_sites:
        return "more sites than the space allows"
    system = SpacegroupAnalyzer(structure, symprec=SYMMETRY).get_crystal_system()
    return "" if system in space.crystal_systems else "crystal system outside the space"
