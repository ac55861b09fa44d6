"""The curve that ``--dos-like`` names: a material's, a formula's, or a file's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fermiloop.platform.cli import filters
from fermiloop.platform.errors import NotFoundError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def curve_like(text: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Unit-area curve on the grid of densities of states, and the material ids that it is the curve of.

    Parameters
    ----------
    text
        A material id, a formula of a material with a DOS, or the path of a CSV or JSON file.

    Returns
    -------
    curve, own
        (DOS_GRID.n,) states/eV per unit area.

    Raises
    ------
    NotFoundError
        If no material of that id or formula bears a DOS.
    InputError
        If the file holds no curve that covers the grid.
    """
    from fermiloop.platform.representations.spectrum import DOS_GRID

    if filters.is_file(text):
        from fermiloop.platform.campaign.curve_file import read_curve

        energies, density = read_curve(Path(text))
        return DOS_GRID.normalise(DOS_GRID.resample(energies, density)), ()
    from fermiloop.platform.store import materials, spectra

    ids = [text] if text.startswith("m-") else [found.id for found in _of_formula(text)]
    for material in ids:
        spectrum = spectra.of_material(materials.get(material).id, "dos")
        if spectrum is not None:
            return DOS_GRID.normalise(DOS_GRID.resample(spectrum.points(), spectrum.array())), tuple(ids)
    raise NotFoundError(f"No material {text!r} with a density of states is stored; see fermiloop materials find.")
