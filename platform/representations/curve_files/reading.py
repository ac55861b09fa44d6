"""What every reader gives: a total density of states with the level that its file names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.representations.alignment import Zeroed, about_zero
from fermiloop.platform.representations.curve_files.sanity import check_density
from fermiloop.schemas.vocabulary import Alignment

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fermiloop.platform.representations.alignment import Edges

NOT_NAMED: Final = "The file names no Fermi level; its energies are taken as eV about it."


@dataclass(frozen=True)
class Wish:
    """What the person says of a file that the file itself does not.

    Parameters
    ----------
    fermi
        Fermi level in eV as the file counts its energies; None leaves it to the file.
    one_spin
        Whether a file of one spin may be taken for half of two alike, and doubled.
    """

    fermi: float | None = None
    one_spin: bool = False


AS_IT_IS: Final = Wish()
"""Nothing is said: the file alone tells."""


@dataclass(frozen=True)
class Reading:
    """A density of states as its file has it.

    Parameters
    ----------
    energies
        (n,) rising, eV as the program counts.
    density
        (n,) states/eV where the file says so, spins summed.
    level
        Fermi level, eV as the program counts; 0 where the file is about it.
    edges
        Band edges, eV as the program counts, from eigenvalues; None where they are unknown.
    form
        Name of the format.
    remarks
        What was assumed or left out, a sentence each.
    """

    energies: NDArray[np.float64]
    density: NDArray[np.float64]
    level: float
    edges: Edges | None = None
    form: str = ""
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        energies: ArrayLike,
        density: ArrayLike,
        level: float,
        edges: Edges | None = None,
        remarks: tuple[str, ...] = (),
    ) -> Reading:
        """A reading whose energies rise and whose density may be one.

        Raises
        ------
        InputError
            If it is no density of states.
        """
        x, y = np.asarray(energies, dtype=float), np.asarray(density, dtype=float)
        if x.size > 1 and (np.diff(x) < 0).all():
            x, y = x[::-1], y[::-1]
            remarks = (*remarks, "Energies that descend were put in rising order.")
        check_density(x, y)
        return cls(x, np.maximum(y, 0.0), float(level), edges, remarks=remarks)

    def about(self, alignment: Alignment = Alignment.MIDGAP) -> Zeroed:
        """The energies with what is wanted at zero."""
        return about_zero(self.energies, self.density, self.level, self.edges, alignment)

    def told(self, form: str) -> Reading:
        """The same with the name of its format."""
        return replace(self, form=form)
