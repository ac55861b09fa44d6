"""What the target of a campaign means for a search: one number per crystal, the lower the better, in eV per atom.

The energy of a cheap potential above what its elements bring on average in the training set (so that compositions
compare), plus a penalty for each property window that a kernel regression predicts to be missed, minus the
similarity that the forward model predicts for a target curve.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import cdist

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.descriptors import structure_descriptors
from fermiloop.platform.predictors.files import under
from fermiloop.platform.predictors.forward_dos import FEWEST, ForwardDos
from fermiloop.platform.search.oracle import Evaluation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ase import Atoms
    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.generators.protocol import Target, TrainingSet
    from fermiloop.platform.predictors.potential.protocol import CheapPotential
    from fermiloop.platform.search.oracle import Point

    Array = NDArray[np.float64]

REFUSED: Final = 1e4
"""Energy of a cell that is not evaluated, eV."""
VOLUMES: Final = (0.3, 3.5)
"""Volumes evaluated, in units of the expected one."""
MOST_ROWS: Final = 1500
"""Crystals that a kernel regression learns from."""
REFERENCE_ROWS: Final = 150
"""Crystals whose energy is computed to find what each element brings."""


class PotentialFunction:
    """A cheap potential as the function of an oracle.

    Parameters
    ----------
    potential
        Gives an ASE calculator.
    symbols
        Element of each site.
    volume
        Expected volume of the cell, Å³; far from it a cell gets a prohibitive energy unseen.
    """

    def __init__(self, potential: CheapPotential, symbols: tuple[str, ...], volume: float) -> None:
        from ase import Atoms  # seconds to import, and of no use to searches of toys

        self._atoms: Atoms = Atoms(list(symbols), pbc=True)
        self._atoms.calc = potential.calculator()
        self._volume = volume

    def __call__(self, point: Point) -> Evaluation:
        """Energy, eV, (n, 3) forces, eV/Å, and (3, 3) stress, eV/Å³."""
        assert point.cell is not None
        lengths = np.linalg.norm(point.cell, axis=1)
        volume = abs(float(np.linalg.det(point.cell)))
        low, high = (factor * self._volume for factor in VOLUMES)
        if not low < volume < high or volume < 0.05 * float(np.prod(lengths)):
            return Evaluation(REFUSED, np.zeros_like(point.sites), np.zeros((3, 3)))
        self._atoms.set_cell(point.cell)
        self._atoms.set_scaled_positions(point.sites)
        energy = float(self._atoms.get_potential_energy())
        return Evaluation(energy, self._atoms.get_forces(), self._atoms.get_stress(voigt=False))


@dataclass(frozen=True, eq=False)
class WindowModel:
    """Kernel ridge regression of one property on descriptors of crystals.

    Parameters
    ----------
    known
        (n, d) scaled descriptors.
    weights
        (n,) of the kernel at each of them.
    middle, width
        (d,) that scale a descriptor.
    mean
        Of the property.
    """

    known: Array
    weights: Array
    middle: Array
    width: Array
    mean: float

    @classmethod
    def fit(cls, descriptors: Array, values: Array) -> WindowModel:
        """Learn from (n, d) descriptors and (n,) values."""
        middle, width = descriptors.mean(axis=0), descriptors.std(axis=0)
        width = np.where(width > 1e-9, width, np.inf) * np.sqrt(descriptors.shape[1])
        known = (descriptors - middle) / width
        kernel = np.exp(-0.5 * cdist(known, known, "sqeuclidean"))
        factor = cho_factor(kernel + 0.02 * np.eye(len(known)))
        return cls(known, cho_solve(factor, values - values.mean()), middle, width, float(values.mean()))

    def predict(self, structure: Structure) -> float:
        """The property, in its unit."""
        x = (structure_descriptors([structure]) - self.middle) / self.width
        return self.mean + float((np.exp(-0.5 * cdist(x, self.known, "sqeuclidean")) @ self.weights)[0])


@dataclass(eq=False)
class Objective:
    """Everything learned that the value of a crystal needs.

    Parameters
    ----------
    references
        eV per atom that each element brings on average.
    windows
        Regression by property.
    forward
        Crystal to DOS; None where there were no curves.
    similarity_weight
        eV per atom that full similarity is worth.
    window_weight
        eV per atom that a miss by one tolerance costs.
    """

    references: Mapping[str, float] = field(default_factory=dict)
    windows: Mapping[str, WindowModel] = field(default_factory=dict)
    forward: ForwardDos | None = None
    similarity_weight: float = 1.0
    window_weight: float = 0.2

    @classmethod
    def learn(
        cls, data: TrainingSet, potential: CheapPotential, seed: int, progress: Callable[[str, float], None]
    ) -> Objective:
        """Learn from crystals, their labels and their curves.

        Raises
        ------
        InputError
            If there are curves but too few to learn from, or one is not finite.
        """
        rng = np.random.default_rng(seed)
        data.check_curves()
        curves = data.with_curves()
        if 0 < len(curves) < FEWEST:
            raise InputError(f"A search for a curve needs at least {FEWEST} curves to learn from, not {len(curves)}.")
        progress("what elements bring", 0.0)
        references = learn_references(data.structures, potential, rng)
        progress("property windows", 0.3)
        windows = learn_windows(data, rng)
        forward = None
        if len(curves):
            forward = ForwardDos()
            forward.fit(curves, seed, lambda what, share: progress(what, 0.5 + 0.5 * share))
        return cls(references, windows, forward)

    def check(self, target: Target) -> None:
        """Refuse a target that cannot be valued.

        Raises
        ------
        InputError
            If it has neither curve nor window, or one that nothing was learned for.
        """
        if target.curve is None and not target.windows:
            raise InputError("The target has neither a curve nor a property window; add target.dos or properties.")
        if target.curve is not None and self.forward is None:
            raise InputError("The target has a curve, but the training set had none to learn from; import curves.")
        for window in target.windows:
            if window.property not in self.windows:
                raise InputError(
                    f"The target's {window.property} is labelled on no material of the training set; import labels."
                )

    def excess(self, structure: Structure, energy: float) -> float:
        """Energy of a cell, eV, as eV per atom above what its elements bring."""
        brought = sum(n * self.references.get(str(e), 0.0) for e, n in structure.composition.get_el_amt_dict().items())
        return (energy - brought) / len(structure)

    def terms(self, structure: Structure, energy: float, target: Target) -> dict[str, float]:
        """The parts of the value: excess energy, penalty, similarity, and the value."""
        found = {"excess_energy": self.excess(structure, energy)}
        found["penalty"] = sum(float(w.beyond(self.windows[w.property].predict(structure))) for w in target.windows)
        if target.curve is not None and self.forward is not None:
            found["similarity"] = float(self.forward.similarity([structure], target)[0][0])
        found["value"] = (
            found["excess_energy"]
            + self.window_weight * found["penalty"]
            - self.similarity_weight * found.get("similarity", 0.0)
        )
        return found

    def config(self) -> dict[str, Any]:
        """JSON-ready part of the state."""
        return {
            "references": dict(self.references),
            "windows": {name: model.mean for name, model in self.windows.items()},
            "forward": None if self.forward is None else self.forward.named()[0],
        }

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays of the state."""
        arrays: dict[str, NDArray[Any]] = {}
        for name, model in self.windows.items():
            parts = ("known", "weights", "middle", "width")
            arrays |= {f"window.{name}.{part}": getattr(model, part) for part in parts}
        if self.forward is not None:
            arrays |= {f"forward.{name}": value for name, value in self.forward.named()[1].items()}
        return arrays

    @classmethod
    def restore(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Objective:
        """What `config` and `state` described."""
        windows = {
            name: WindowModel(
                known=arrays[f"window.{name}.known"],
                weights=arrays[f"window.{name}.weights"],
                middle=arrays[f"window.{name}.middle"],
                width=arrays[f"window.{name}.width"],
                mean=float(mean),
            )
            for name, mean in config["windows"].items()
        }
        forward = None
        if config["forward"] is not None:
            forward = ForwardDos.restored(config["forward"], under("forward.", arrays))
        return cls({str(k): float(v) for k, v in config["references"].items()}, windows, forward)


def learn_references(
    structures: Sequence[Structure], potential: CheapPotential, rng: np.random.Generator
) -> dict[str, float]:
    """What each element brings, eV per atom: least squares of the potential's energies, drawn to their mean."""
    rows = rng.permutation(len(structures))[:REFERENCE_ROWS]
    asked = [structures[i] for i in sorted(rows.tolist())]
    given = np.array(potential.energies(asked))
    known = np.flatnonzero(np.isfinite(given))  # of the others the potential gives no energy
    chosen, energies = [asked[i] for i in known], given[known]
    symbols = sorted({str(element) for structure in structures for element in structure.composition.elements})
    shares = np.array([[s.composition.get_atomic_fraction(symbol) for symbol in symbols] for s in chosen])
    mean = float(energies.mean())
    solved = np.linalg.solve(shares.T @ shares + 0.05 * np.eye(len(symbols)), shares.T @ (energies - mean))
    return {symbol: mean + float(x) for symbol, x in zip(symbols, solved, strict=True)}


def learn_windows(data: TrainingSet, rng: np.random.Generator) -> dict[str, WindowModel]:
    """A regression for each property that at least two crystals are labelled with."""
    models = {}
    for name, values in sorted(data.labels.items()):
        rows = rng.permutation(np.flatnonzero(np.isfinite(values)))[:MOST_ROWS]
        if len(rows) >= 2:
            descriptors = structure_descriptors([data.structures[i] for i in rows])
            models[name] = WindowModel.fit(descriptors, np.asarray(values[rows], dtype=float))
    return models
