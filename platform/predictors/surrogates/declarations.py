"""What the surrogates are; read without their code."""

from __future__ import annotations

from typing import Any, Final

from fermiloop.platform.plugins.surrogates import SurrogateDeclaration

ROOM: Final = "fermiloop.platform.predictors.surrogates"


def _declared(name: str, title: str, *, baseline: bool = False, **usual: Any) -> SurrogateDeclaration:
    """One that has a model for each part of the target: all take the same options."""
    return SurrogateDeclaration(
        name,
        title,
        load=f"{ROOM}.registry:{name}",
        options=f"{ROOM}.options:SurrogateOptions",
        usual=usual,
        baseline=baseline,
    )


BLEND: Final = _declared(
    "blend",
    "trees and two Gaussian processes with chemistry in the kernel; the model of similarity for a curve",
    curve="model",
)
PROCESS: Final = _declared("process", "the two Gaussian processes alone")
TREES: Final = _declared("trees", "extremely randomised trees on all descriptors")
NETWORKS: Final = _declared("networks", "ensemble of networks for properties, model of curves for similarity")
COMPOSITION_TREES: Final = _declared(
    "composition_trees", "extremely randomised trees on the composition alone", baseline=True
)
CAMD: Final = _declared("camd", "boosted trees of CAMD's agent, as they ship", baseline=True, calibrated=False)
