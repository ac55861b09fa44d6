"""How the FTCP generator trains and draws."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

from fermiloop.platform.errors import InputError

PRESETS: Final = ("paper", "convolutional", "structured")
"""The default is the last."""
STRATEGIES: Final = ("local", "slerp", "global", "gradient", "bayesian")
_PUBLISHED: Final = {
    "epochs": 200, "batch_size": 256, "latent": 256, "width": 1024, "beta": 2.0, "learning_rate": 5e-4,
}  # fmt: skip
OWN: Final[dict[str, dict[str, Any]]] = {
    "paper": _PUBLISHED,
    "convolutional": _PUBLISHED,
    "structured": {
        "epochs": 150,
        "batch_size": 128,
        "latent": 128,
        "width": 512,
        "beta": 0.003,
        "learning_rate": 2e-3,
    },
}
"""What each preset takes where the options say None."""
PRESET_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "paper": {"parents": 10, "oversample": 1, "novel": True, "test_share": 0.2},
}
"""What a preset takes in place of the defaults: designs around ten known crystals, a fifth held out."""


@dataclass(frozen=True)
class FtcpOptions:
    """How an Ftcp trains and draws; None takes the preset's own.

    Parameters
    ----------
    epochs
        Of the training.
    strategy
        ``"local"`` (perturbation of known crystals near the target), ``"slerp"`` (between two of them),
        ``"global"`` (the Gaussian of all latent points), ``"gradient"`` or ``"bayesian"`` (search in the latent space).
    scale
        Of the perturbation: in latent units for ``paper`` and ``convolutional``, as published, in standard deviations
        of the latent points for ``structured``.
    geometry
        Share of the scale by which those latent dimensions are moved that hold the geometry, of ``structured``, whose
        others hold the elements: near 0 the crystal that a design starts from keeps its structure and changes elements.
    max_sites, max_elements
        Largest crystals; larger ones are left out of the training.
    batch_size
        Crystals of a step.
    latent
        Dimensions of the latent space.
    width
        Units of the dense layers.
    beta
        Weight of the Kullback-Leibler term, in the units of each preset's own loss.
    learning_rate
        The highest.
    parents
        Known crystals next to the target that designs start from.
    oversample
        Latent points drawn for each design asked for; those nearest to the target by the model's own prediction
        come first.
    novel
        Propose only formulas that the training set lacks, as the paper counts.
    test_share
        Share of the crystals held out for the report, where there are many.
    """

    epochs: int | None = None
    strategy: str = "local"
    scale: float = 0.6
    geometry: float = 1.0
    max_sites: int = 20
    max_elements: int = 3
    batch_size: int | None = None
    latent: int | None = None
    width: int | None = None
    beta: float | None = None
    learning_rate: float | None = None
    parents: int = 100
    oversample: int = 5
    novel: bool = False
    test_share: float = 0.1

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise InputError(f"{self.strategy} is no strategy of ftcp; choose one of {', '.join(STRATEGIES)}.")
        for name in ("epochs", "max_sites", "max_elements", "batch_size", "latent", "width", "parents", "oversample"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} of ftcp must be at least 1, not {value}.")
        if self.latent is not None and self.latent < 2 * self.max_elements:
            raise InputError(f"latent of ftcp must be at least twice max_elements, not {self.latent}.")
        if self.geometry < 0:
            raise InputError(f"geometry of ftcp must not be negative, not {self.geometry}.")
        if self.scale < 0 or not 0 <= self.test_share < 1:
            raise InputError("scale of ftcp must not be negative, and test_share must lie in [0, 1).")


@dataclass(frozen=True)
class Training:
    """Sizes and training of a network, nothing left open; see `FtcpOptions`."""

    max_sites: int
    max_elements: int
    epochs: int
    batch_size: int
    latent: int
    width: int
    beta: float
    learning_rate: float


def training_of(preset: str, options: FtcpOptions) -> Training:
    """The options with the preset's own where they say None.

    Raises
    ------
    InputError
        If there is no such preset.
    """
    if preset not in OWN:
        raise InputError(f"{preset} is no preset of ftcp; choose one of {', '.join(PRESETS)}.")
    missing = {name: value for name, value in OWN[preset].items() if getattr(options, name) is None}
    full = replace(options, **missing)
    return Training(**{field.name: getattr(full, field.name) for field in fields(Training)})


def options_of(preset: str) -> FtcpOptions:
    """Options of a preset where none are given."""
    return FtcpOptions(**PRESET_OPTIONS.get(preset, {}))
