"""Potentials by name: what each is, what it was trained on, and what must be installed for it."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from fermiloop.platform.errors import InputError, PluginError
from fermiloop.platform.plugins.catalogue import Catalogue
from fermiloop.platform.plugins.declaration import PLACE, Declaration, load

DEFAULT: Final = "chgnet"
"""The potential of a campaign that names none; docs/results.md says why."""


@dataclass(frozen=True)
class PotentialDeclaration(Declaration):
    """What a potential is, without its code.

    Parameters
    ----------
    place
        Of its class or of a function that makes one: what keeps the protocol `CheapPotential`.
    model
        Model and version of its weights: energies of two models never share a hull, so it is part of the Method.
    trained_on
        Data and functional of the training, for people.
    method
        How it works and where it is published, for people.
    arguments
        What `place` is called with.
    package
        Distribution that must be installed for it, empty where none beyond our own.
    module
        Module by which that is seen.
    extra
        Extra of ours that installs it, empty where `package` is to be named to pip.
    elements
        Symbols of the elements that it describes; None where nobody has listed them.
    licence
        Of code and weights.
    """

    place: str
    model: str
    trained_on: str = ""
    method: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)
    package: str = ""
    module: str = ""
    extra: str = ""
    elements: frozenset[str] | None = None
    licence: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not PLACE.fullmatch(self.place):
            raise PluginError(f"{self.place!r} is no place of code: write package.module:attribute.")
        if not self.model.strip():
            raise PluginError(f"The potential {self.name} names no model, by which its energies are kept apart.")

    def installed(self) -> bool:
        """Whether its package is there; nothing is imported."""
        module = self.module or self.package.replace("-", "_")
        return not module or importlib.util.find_spec(module) is not None

    def remedy(self) -> str:
        """How its package is installed, as a command."""
        return f"pip install '.[{self.extra}]' in fermiloop's folder" if self.extra else f"pip install {self.package}"

    def missing(self) -> str | None:
        """Why it cannot be used here, in a sentence with the remedy; None where it can."""
        if self.installed():
            return None
        return f"The potential {self.name} needs the package {self.package}, which is not installed: {self.remedy()}."

    def versions(self) -> dict[str, str]:
        """Installed version of its package."""
        try:
            return {self.package: version(self.package)} if self.package else {}
        except PackageNotFoundError:
            return {}

    def build(self) -> Any:
        """The potential itself, a `CheapPotential`.

        Raises
        ------
        InputError
            If its package is not installed.
        PluginError
            If its code cannot be imported.
        """
        if lacking := self.missing():
            raise InputError(lacking)
        return load(self.place)(**self.arguments)


POTENTIALS: Final = Catalogue(
    "potentials",
    PotentialDeclaration,
    ("fermiloop.platform.predictors.potential.declarations",),
)


def potential(name: str) -> PotentialDeclaration:
    """The declaration of a potential.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in POTENTIALS:
        broken = next((one.reason for one in POTENTIALS.broken if one.name == name), None)
        told = (
            f"its package cannot be used: {broken.rstrip('.')}" if broken else f"choose one of {', '.join(POTENTIALS)}"
        )
        raise InputError(f"{name} is no potential; {told}.")
    return POTENTIALS[name]


def usable(name: str, others: tuple[str, ...] = ()) -> None:
    """Refuse the name of a potential that is not there, or whose package is not.

    Parameters
    ----------
    others
        What an option takes beside potentials, such as ``"none"``.

    Raises
    ------
    InputError
        In one sentence with the remedy.
    """
    if name in others:
        return
    if name not in POTENTIALS and others:
        raise InputError(f"{name} is no potential; choose one of {', '.join((*POTENTIALS, *others))}.")
    if lacking := potential(name).missing():
        raise InputError(lacking)
