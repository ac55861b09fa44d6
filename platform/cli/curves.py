"""The curve that ``--dos-like`` names, a material's, a formula's or a file's, and what resembles it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from fermiloop.platform.cli import filters
from fermiloop.platform.errors import NotFoundError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIMILARITY: Final = {"dos_similarity": "DOS similarity"}


def ranking(text: str) -> dict[str, float]:
    """Cosine similarity of every stored density of states to the one that `text` names.

    Parameters
    ----------
    text
        A material id, a formula of a material with a DOS, or the path of a CSV or JSON file.

    Returns
    -------
    near
        Material id to similarity, without the materials that the curve is of.

    Raises
    ------
    NotFoundError
        If no material of that id or formula bears a DOS.
    InputError
        If the file holds no curve that covers the grid.
    """
    from fermiloop.platform.representations.spectrum import DOS_GRID
    from fermiloop.platform.store import spectra

    curve, own = (_of_file(Path(text)), list[str]()) if filters.is_file(text) else _of_material(text)
    return dict(spectra.similar(curve, DOS_GRID, limit=filters.MOST_ROWS, exclude=own))


def _of_material(text: str) -> tuple[NDArray[np.float64], list[str]]:
    from fermiloop.platform.representations.spectrum import DOS_GRID
    from fermiloop.platform.store import materials, spectra
    from fermiloop.schemas.vocabulary import SpectrumKind

    if text.startswith("m-"):
        ids = [materials.get(text).id]
    else:
        query = materials.MaterialQuery(formula=filters.formula(text), limit=filters.MOST_ROWS)
        ids = [material.id for material in materials.find(query)]
    for material in ids:
        spectrum = spectra.of_material(material, SpectrumKind.DOS)
        if spectrum is not None:
            return DOS_GRID.normalise(DOS_GRID.resample(spectrum.points(), spectrum.array())), ids
    raise NotFoundError(f"No material {text!r} with a density of states is stored; see fermiloop materials find.")


def _of_file(path: Path) -> NDArray[np.float64]:
    from fermiloop.platform.campaign.curve_file import read_curve
    from fermiloop.platform.representations.spectrum import DOS_GRID

    return DOS_GRID.normalise(DOS_GRID.resample(*read_curve(path)))
