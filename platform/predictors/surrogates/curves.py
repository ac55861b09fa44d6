"""The similarity of a crystal's curve to the target's, from a model of curves."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from fermiloop.platform.predictors.forward_dos import FEWEST, ForwardDos
from fermiloop.platform.predictors.surrogates.packing import packed, unpacked
from fermiloop.platform.representations.spectrum import SpectrumGrid
from fermiloop.platform.representations.training import FitReport, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.predictors.surrogates.protocol import Prediction
    from fermiloop.platform.representations.training import TrainingSet


class CurveModel:
    """Predicts the similarity by `ForwardDos`, from curves of all crystals.

    Parameters
    ----------
    part
        ``"similarity"``.
    """

    def __init__(self, part: str) -> None:
        self.part = part
        self.forward = ForwardDos()

    def enough(self, data: TrainingSet, target: Target) -> bool:  # noqa: ARG002 - every curve counts
        """Whether there are curves enough."""
        return int(data.has_curve.sum()) >= FEWEST

    def fit(
        self,
        data: TrainingSet,
        target: Target,
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
        around: Sequence[Structure] = (),  # noqa: ARG002 - scales are those of the curves
    ) -> FitReport:
        """See `Surrogate`."""
        self.target = Target(grid=target.grid, curve=target.curve, window=target.window)
        return self.forward.fit(data, seed, progress, resume)

    def predict(self, structures: Sequence[Structure]) -> Prediction:
        """Mean and standard deviation, (n,) each."""
        return self.forward.similarity(structures, self.target)

    def pack(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What a config and a file of arrays hold of it."""
        config, arrays = packed(self.forward)
        assert self.target.grid is not None
        assert self.target.curve is not None
        window = None if self.target.window is None else list(self.target.window)
        return {"forward": config, "grid": asdict(self.target.grid), "window": window}, {
            **arrays,
            "target": self.target.curve,
        }

    def unpack(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become the model whose `pack` is given."""
        rest = {name: value for name, value in arrays.items() if name != "target"}
        self.forward = unpacked(ForwardDos, config["forward"], rest)
        window = config["window"]
        self.target = Target(
            grid=SpectrumGrid(**config["grid"]),
            curve=np.asarray(arrays["target"], dtype=float),
            window=None if window is None else (float(window[0]), float(window[1])),
        )
