"""Surrogates as they are made and read back: one model for each part of a target."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.plugins.surrogates import surrogate
from fermiloop.platform.predictors.files import read_config
from fermiloop.platform.predictors.surrogates.curves import CurveModel
from fermiloop.platform.predictors.surrogates.labels import LabelModel
from fermiloop.platform.predictors.surrogates.partwise import PartModel, Partwise
from fermiloop.platform.predictors.surrogates.protocol import SIMILARITY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fermiloop.platform.predictors.surrogates.options import SurrogateOptions
    from fermiloop.platform.predictors.surrogates.protocol import Surrogate


def _of_labels(name: str, options: SurrogateOptions) -> Partwise:
    def make(part: str) -> PartModel:
        if part == SIMILARITY and options.curve == "model":
            return CurveModel(part)
        return LabelModel(part, name, calibrated=options.calibrated)

    return Partwise(name, make, asdict(options))


def networks(options: SurrogateOptions) -> Partwise:
    """An ensemble of networks for each property."""
    from fermiloop.platform.predictors.surrogates.networks import NetworkModel  # torch: who only looks needs none

    return Partwise(
        "networks", lambda part: CurveModel(part) if part == SIMILARITY else NetworkModel(part), asdict(options)
    )


blend: Final = partial(_of_labels, "blend")
process: Final = partial(_of_labels, "process")
trees: Final = partial(_of_labels, "trees")
composition_trees: Final = partial(_of_labels, "composition_trees")
camd: Final = partial(_of_labels, "camd")


def load_surrogate(name: str, folder: Path, config: Mapping[str, Any] | None = None) -> Surrogate:
    """The trained surrogate that `folder` holds.

    Parameters
    ----------
    config
        Of its checkpoint, which tells its package where that is no longer installed.

    Raises
    ------
    NotFoundError
        If there is none of that name.
    InputError
        If the files are not what that surrogate writes.
    """
    declared = surrogate(name, config)
    made: Surrogate = declared.build(read_config(folder, name).get("options"))
    made.load(folder)
    return made
