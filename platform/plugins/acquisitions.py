"""Acquisitions by name: what each is and when to use it, what it needs, and how one is made."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.catalogue import Catalogue
from fermiloop.platform.plugins.declaration import CodeDeclaration

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class AcquisitionDeclaration(CodeDeclaration):
    """What an acquisition is, without its code.

    Parameters
    ----------
    load
        Place of its class: a frozen dataclass with the method ``worth`` of `Acquisition`, whose fields are its
        options, all of them numbers.
    when
        When to use it, and when not, in a sentence or two.
    baseline
        Whether it is there to be compared with.
    needs_hits
        Whether the target must say what a hit is.
    fewest_objectives
        Properties to minimise or maximise that the target must have.
    needs_prediction
        Whether it weighs what the stage ``target`` of the funnel predicts.
    """

    when: str
    baseline: bool = False
    needs_hits: bool = False
    fewest_objectives: int = 0
    needs_prediction: bool = True

    def build(self, options: Mapping[str, Any] | None = None) -> Any:
        """The `Acquisition` with its options.

        Raises
        ------
        InputError
            If an option is unknown, or no number within its range.
        PluginError
            If its code cannot be imported.
        """
        given = dict(options or {})
        own = self.option_names()
        for key, value in given.items():
            if key not in own:
                takes = f"it takes {', '.join(own)}" if own else "it takes none"
                raise InputError(f"The acquisition {self.name} has no option {key}; {takes}.")
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InputError(f"The option {key} of the acquisition {self.name} must be a number, not {value!r}.")
        return self.code()(**{key: float(value) for key, value in given.items()})

    def option_names(self) -> tuple[str, ...]:
        """Names of its options."""
        return tuple(field.name for field in fields(self.code()))


ACQUISITIONS: Final = Catalogue(
    "acquisitions",
    AcquisitionDeclaration,
    ("fermiloop.platform.acquisition.declarations",),
)


def acquisition(name: str) -> AcquisitionDeclaration:
    """The declaration of an acquisition.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in ACQUISITIONS:
        raise InputError(ACQUISITIONS.missing(name, "acquisition"))
    return ACQUISITIONS[name]
