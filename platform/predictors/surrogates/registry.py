"""All surrogates by name: the one table of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.predictors.files import read_config
from fermiloop.platform.predictors.surrogates.curves import CurveModel
from fermiloop.platform.predictors.surrogates.labels import LabelModel
from fermiloop.platform.predictors.surrogates.options import SurrogateOptions, checked
from fermiloop.platform.predictors.surrogates.partwise import PartModel, Partwise
from fermiloop.platform.predictors.surrogates.protocol import SIMILARITY, SurrogateEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from fermiloop.platform.predictors.surrogates.protocol import Surrogate


def _of_labels(name: str, options: SurrogateOptions) -> Callable[[str], PartModel]:
    def make(part: str) -> PartModel:
        if part == SIMILARITY and options.curve == "model":
            return CurveModel(part)
        return LabelModel(part, name, calibrated=options.calibrated)

    return make


def _of_networks(_name: str, _options: SurrogateOptions) -> Callable[[str], PartModel]:
    from fermiloop.platform.predictors.surrogates.networks import NetworkModel  # torch: who only looks needs none

    return lambda part: CurveModel(part) if part == SIMILARITY else NetworkModel(part)


def _entry(
    name: str,
    title: str,
    make: Callable[[str, SurrogateOptions], Callable[[str], PartModel]] = _of_labels,
    usual: SurrogateOptions | None = None,
    *,
    baseline: bool = False,
) -> SurrogateEntry:
    usual = usual or SurrogateOptions()

    def build(options: Mapping[str, Any]) -> Surrogate:
        chosen = checked(options, usual)
        return Partwise(name, make(name, chosen), asdict(chosen))

    def load(folder: Path) -> Surrogate:
        made = build(read_config(folder, name)["options"])
        made.load(folder)
        return made

    return SurrogateEntry(title, build, load, asdict(usual), baseline)


SURROGATES: Final[dict[str, SurrogateEntry]] = {
    "blend": _entry(
        "blend",
        "trees and two Gaussian processes with chemistry in the kernel; the model of similarity for a curve",
        usual=SurrogateOptions(curve="model"),
    ),
    "process": _entry("process", "the two Gaussian processes alone"),
    "trees": _entry("trees", "extremely randomised trees on all descriptors"),
    "networks": _entry("networks", "ensemble of networks for properties, model of curves for similarity", _of_networks),
    "composition_trees": _entry(
        "composition_trees", "extremely randomised trees on the composition alone", baseline=True
    ),
    "camd": _entry(
        "camd",
        "boosted trees of CAMD's agent, as they ship",
        usual=SurrogateOptions(calibrated=False),
        baseline=True,
    ),
}
"""Every surrogate by name."""


def build_surrogate(name: str, options: Mapping[str, Any] | None = None) -> Surrogate:
    """An untrained surrogate.

    Raises
    ------
    NotFoundError
        If there is none of that name.
    InputError
        If it has no such option, or its value is not one that it takes.
    """
    return _found(name).build(options or {})


def load_surrogate(name: str, folder: Path) -> Surrogate:
    """The trained surrogate that `folder` holds.

    Raises
    ------
    NotFoundError
        If there is none of that name.
    InputError
        If the files are not what that surrogate writes.
    """
    return _found(name).load(folder)


def _found(name: str) -> SurrogateEntry:
    if name not in SURROGATES:
        raise NotFoundError(f"{name} is no surrogate; choose one of {', '.join(SURROGATES)}.")
    return SURROGATES[name]
