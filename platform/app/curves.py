"""A density of states to compare with, wherever it comes from: a file, a text, columns, a drawing, a stored material.

Whatever its source, it ends as values on the grid of stored curves, about the store's zero, 0 outside its window.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.app import texts
from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.representations.curve_files.reading import AS_IT_IS, Reading, Wish
from fermiloop.platform.representations.grids import GRIDS
from fermiloop.platform.representations.spectral_search import Metric, Window
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.vocabulary import Alignment

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fermiloop.platform.store.dos_search import Neighbour

GRID: Final = GRIDS[SpectrumKind.DOS]
WHOLE: Final = (GRID.lo, GRID.hi)
MOST_POINTS: Final = 20_000  # of a curve that was pasted, drawn or posted
SUFFIXES: Final = frozenset({".csv", ".json", ".dat", ".txt", ".dos", ".agr", ".xml", ".gz", ".tsv"})
HEADING: Final = {
    Metric.COSINE: "DOS similarity",
    Metric.WASSERSTEIN: "DOS distance (eV)",
    Metric.FINGERPRINT: "DOS Tanimoto",
}

Bounds = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """A density of states as the search takes it.

    Parameters
    ----------
    values
        (n,) on `GRID`, in any normalisation, 0 outside the window.
    window
        First and last energy that count, eV about the store's zero.
    remarks
        How it was read, a sentence each.
    own
        Materials that it is of, which are not like it but it.
    """

    values: NDArray[np.float64]
    window: Bounds
    remarks: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


@dataclass(frozen=True)
class Nearness:
    """An order of materials: by how near their density of states is to a curve."""

    curve: Curve
    metric: Metric = Metric.COSINE

    @property
    def key(self) -> str:
        """Name of the value in a row."""
        return key_of(self.metric)

    def ranking(self, limit: int, among: Collection[str] | None = None) -> dict[str, float]:
        """Material id to value, nearest first, without the materials that the curve is of."""
        found = similar(self.curve, metric=self.metric, limit=limit, among=among)
        return {neighbour.material: neighbour.value for neighbour in found}


def key_of(metric: Metric) -> str:
    """Name of the value of a metric in a row."""
    return f"dos_{'distance' if metric is Metric.WASSERSTEIN else 'similarity'}"


def alignment() -> Alignment:
    """What lies at zero of the store's densities of states where they are compared."""
    from fermiloop.platform.store import spectra

    return spectra.alignment()


def similar(
    curve: Curve, *, metric: Metric | str = Metric.COSINE, limit: int = 10, among: Collection[str] | None = None
) -> list[Neighbour]:
    """Materials with the nearest densities of states, nearest first, without those that the curve is of.

    Raises
    ------
    InputError
        If the metric is unknown, the limit is not positive, or the curve vanishes in its window.
    """
    from fermiloop.platform.store import dos_search

    how = Metric(texts.one_of("metric", str(metric), Metric))
    return dos_search.nearest(
        curve.values, metric=how, window=curve.window, limit=limit, exclude=curve.own, among=among
    )


def is_file(text: str) -> bool:
    """Whether a value is meant as a path and not as an id or a formula."""
    return "/" in text or Path(text).suffix.lower() in SUFFIXES or Path(text).is_file()


def of(text: str, window: Bounds | None = None, wish: Wish = AS_IT_IS) -> Curve:
    """The curve of a file, of a material's id, or of a formula with a stored density of states.

    Raises
    ------
    NotFoundError
        If no material of that id or formula has a density of states.
    InputError
        If the file holds no curve that covers the window.
    """
    return of_file(Path(text), window, wish) if is_file(text) else of_material(text, window)


def of_file(path: Path, window: Bounds | None = None, wish: Wish = AS_IT_IS) -> Curve:
    """The curve of a file of any known form.

    Raises
    ------
    InputError
        If it holds none that covers the window.
    """
    from fermiloop.platform.representations.curve_files.registry import read_curve_file

    found = read_curve_file(path, wish)
    try:
        return of_reading(found, window or WHOLE)
    except InputError as error:
        raise InputError(f"The curve file {path} cannot be used: {error}") from None


def of_text(text: str, window: Bounds | None = None, wish: Wish = AS_IT_IS) -> Curve:
    """The curve of the content of a file of any known form.

    Raises
    ------
    InputError
        If it holds none that covers the window, or has too many points.
    """
    from fermiloop.platform.representations.curve_files.registry import read_curve_text

    if not text.strip():
        raise InputError("The text of the curve is empty; give two columns, energy and density.")
    return of_reading(_bounded(read_curve_text(text, "", wish)), window or WHOLE)


def of_columns(energies: ArrayLike, values: ArrayLike, fermi: float = 0.0, window: Bounds | None = None) -> Curve:
    """The curve of energies in eV, with the Fermi level on the same axis, and values.

    Raises
    ------
    InputError
        If they are no density of states that covers the window.
    """
    return of_reading(_bounded(Reading.of(energies, values, fermi)), window or WHOLE)


def of_reading(found: Reading, window: Bounds) -> Curve:
    """What was read, on the grid.

    Raises
    ------
    InputError
        If it does not cover the window, or is too coarse or vanishes there.
    """
    from fermiloop.platform.campaign.curve_file import compared
    from fermiloop.platform.store import spectra

    values, remarks = compared(found, Window.of(GRID, window), spectra.alignment())
    return Curve(values, window, remarks)


def of_pasted(text: str, ends: tuple[float | None, float | None] = (None, None)) -> Curve:
    """The curve of a pasted text; an end of the window that is left open is that of the curve.

    Raises
    ------
    InputError
        If it holds none that covers the window.
    """
    from fermiloop.platform.representations.curve_files.registry import lowered, read_curve_text
    from fermiloop.platform.store import spectra

    if not text.strip():
        raise InputError("The pasted curve is empty; paste two columns, energy and density.")
    try:
        found = _bounded(read_curve_text(text))
        return of_reading(found, _window(found.about(spectra.alignment()).energies, ends))
    except InputError as error:
        raise InputError(f"The pasted curve cannot be used: {lowered(str(error))}") from None


def of_drawing(energies: ArrayLike, values: ArrayLike, ends: tuple[float | None, float | None] = (None, None)) -> Curve:
    """The curve that a person drew, eV about the store's zero: straight lines between distant points are meant.

    Raises
    ------
    InputError
        If it does not cover the window, or vanishes there.
    """
    from fermiloop.platform.campaign.curve_file import curve_problem

    x, y = np.asarray(energies, dtype=float), np.asarray(values, dtype=float)
    window = _window(x, ends)
    part = Window.of(GRID, window)
    problem = curve_problem(x, y, part.as_grid(), drawn=True)
    if problem:
        raise InputError(f"The curve cannot be used: {problem}.")
    return Curve(part.whole(x, np.maximum(y, 0.0)), window)


def of_material(text: str, window: Bounds | None = None) -> Curve:
    """The stored curve of a material's id, or of the first material of a formula that has one.

    Raises
    ------
    NotFoundError
        If none has a density of states.
    """
    from fermiloop.platform.store import materials, spectra

    if text.startswith("m-"):
        ids = [str(materials.get(text).id)]
    else:
        ids = materials.find_ids(materials.MaterialQuery(formula=texts.formula(text), limit=texts.MOST_ROWS))
    for material in ids:
        spectrum = spectra.of_material(material, SpectrumKind.DOS)
        if spectrum is not None:
            whole = Window.of(GRID).whole(spectrum.points(), spectrum.array())
            return Curve(whole, window or WHOLE, own=tuple(ids))
    raise NotFoundError(f"No material {text!r} with a density of states is stored; see fermiloop materials find.")


def _bounded(found: Reading) -> Reading:
    if len(found.energies) > MOST_POINTS:
        raise InputError(f"The curve has {len(found.energies)} points, more than {MOST_POINTS}; give fewer.")
    return found


def _window(energies: NDArray[np.float64], ends: Sequence[float | None]) -> Bounds:
    """The part that is asked for, as far as the curve goes where an end is open."""
    covered = GRID.points[(GRID.points >= energies[0]) & (GRID.points <= energies[-1])]
    whole = (float(covered[0]), float(covered[-1])) if covered.size else WHOLE
    return (whole[0] if ends[0] is None else ends[0], whole[1] if ends[1] is None else ends[1])
