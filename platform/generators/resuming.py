"""Composition models that a stopped training has finished: found again, so that the rest alone is trained.

The networks of a composer train in a minute each; the unit that is kept is one of its models, such as that of a crystal
system.
"""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.inverse import InverseSpectrumModel
from fermiloop.platform.predictors.files import read_model, write_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fermiloop.platform.generators.samples import Samples

NAME: Final = "composer-model-2"


def fitted(
    preset: str,
    epochs: int | None,
    samples: Samples,
    seed: int,
    progress: Callable[[str, float], None],
    resume: Path | None,
) -> tuple[InverseSpectrumModel, tuple[float, ...]]:
    """A trained model and its loss by epoch; the one that an earlier training of the same samples has kept.

    Parameters
    ----------
    preset, epochs
        Of the model.
    resume
        Folder of the models kept; None keeps none.
    """
    digest = _digest(preset, epochs, samples, seed)
    folder = None if resume is None else resume / f"model-{digest}"
    if folder is not None and (found := _kept(folder)) is not None:
        return found
    model = InverseSpectrumModel(preset, epochs)
    history = model.fit(samples, seed, progress)
    if folder is not None:
        half = folder.with_suffix(".part")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        write_model(half, {"name": NAME, "inverse": model.config(), "history": list(history)}, model.state())
        shutil.rmtree(folder, ignore_errors=True)
        half.rename(folder)  # in one move: a kill leaves a whole model or none
    return model, history


def _kept(folder: Path) -> tuple[InverseSpectrumModel, tuple[float, ...]] | None:
    """What a folder holds; None where it holds nothing whole."""
    if not folder.is_dir():
        return None
    try:
        config, arrays = read_model(folder, NAME)
        return InverseSpectrumModel.restore(config["inverse"], arrays), tuple(map(float, config["history"]))
    except (InputError, KeyError, TypeError, ValueError):
        return None


def _digest(preset: str, epochs: int | None, samples: Samples, seed: int) -> str:
    """Of all that a training is made of."""
    told = hashlib.sha256(repr((preset, epochs, seed, samples.rows, samples.step, samples.zero)).encode())
    told.update(np.ascontiguousarray(samples.curves).tobytes())
    told.update("\n".join(samples.systems.tolist()).encode())
    return told.hexdigest()[:16]
