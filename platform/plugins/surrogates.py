"""Surrogates by name: what each is, what may be chosen of it, and how one is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from fermiloop.platform.plugins.catalogue import Catalogue
from fermiloop.platform.plugins.declaration import CodeDeclaration, check_place
from fermiloop.platform.plugins.options import chosen_options
from fermiloop.platform.plugins.provenance import entry_of


@dataclass(frozen=True)
class SurrogateDeclaration(CodeDeclaration):
    """What a surrogate is, without its code.

    Parameters
    ----------
    load
        Place of what makes an untrained `Surrogate` of its options: ``make(options)``, without them where it takes
        none. What it saves must have them in ``config.json`` under ``options``, beside its ``name``.
    options
        Place of the dataclass of its options, in a module that imports nothing heavy: it is read with a campaign
        file. Empty where it takes none.
    usual
        Defaults that differ from those of the dataclass.
    baseline
        Whether it is there to be compared with.
    """

    options: str = ""
    usual: Mapping[str, Any] = field(default_factory=dict)
    baseline: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.options:
            check_place(self.options)

    def settings(self, given: Mapping[str, Any] | None = None) -> Any:
        """Options of a person in the dataclass, the others as usual; None where it takes none.

        Raises
        ------
        InputError
            If an option is unknown or its value is not one that it takes.
        """
        return chosen_options(self.options, f"surrogate {self.name}", given, self.usual)

    def defaults(self) -> dict[str, Any]:
        """Its options with their usual values."""
        return asdict(self.settings()) if self.options else {}

    def build(self, options: Mapping[str, Any] | None = None) -> Any:
        """An untrained `Surrogate`.

        Raises
        ------
        InputError
            If it has no such option, or its value is not one that it takes.
        PluginError
            If its code cannot be imported.
        """
        chosen = self.settings(options)
        make = self.code()
        return make() if chosen is None else make(chosen)


SURROGATES: Final = Catalogue(
    "surrogates",
    SurrogateDeclaration,
    ("fermiloop.platform.predictors.surrogates.declarations",),
)


def surrogate(name: str, config: Mapping[str, Any] | None = None) -> SurrogateDeclaration:
    """The declaration of a surrogate; see `entry_of`."""
    return entry_of(SURROGATES, name, "surrogate", config)
