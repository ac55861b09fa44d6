"""The curve that ``--dos-like`` names, a material's, a formula's or a file's, and what resembles it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fermiloop.platform.cli import filters
from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.representations.curve_files.reading import AS_IT_IS, Wish
from fermiloop.platform.representations.curves import GRIDS
from fermiloop.platform.representations.spectral_search import Metric, Window
from fermiloop.schemas.vocabulary import SpectrumKind

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    from numpy.typing import NDArray

GRID: Final = GRIDS[SpectrumKind.DOS]
HEADING: Final = {
    Metric.COSINE: "DOS similarity",
    Metric.WASSERSTEIN: "DOS distance (eV)",
    Metric.FINGERPRINT: "DOS Tanimoto",
}


@dataclass(frozen=True)
class Likeness:
    """A wish to resemble a density of states.

    Parameters
    ----------
    text
        A material id, a formula of a material with a DOS, or the path of a file of any known form.
    metric
        How curves are compared.
    window
        Where, in eV about the store's zero.
    wish
        What the person says of a file.
    """

    text: str
    metric: Metric
    window: tuple[float, float] | None
    wish: Wish = AS_IT_IS

    @classmethod
    def of(
        cls, text: str | None, metric: str, window: str | None, fermi: float | None = None, one_spin: bool = False
    ) -> Likeness | None:
        """The wish of the options, None where there is none.

        Raises
        ------
        InputError
            If the metric or window is invalid, or is given without a curve.
        """
        if (fermi is not None or one_spin) and (text is None or not filters.is_file(text)):
            raise InputError("The options --fermi and --one-spin say how the file of --dos-like is read; name a file.")
        how = Metric(filters.one_of("metric", metric, Metric))
        bounds = filters.window(window)
        if text is None:
            if bounds is not None or how is not Metric.COSINE:
                raise InputError("The options --metric and --window say how --dos-like compares; give it too.")
            return None
        Window.of(GRID, bounds)
        return cls(text, how, bounds, Wish(fermi, one_spin))

    @property
    def column(self) -> dict[str, str]:
        """Key and heading of the column of values."""
        return {f"dos_{'distance' if self.metric is Metric.WASSERSTEIN else 'similarity'}": HEADING[self.metric]}

    def ranking(self, limit: int, among: Collection[str] | None = None) -> dict[str, float]:
        """Material id to value, nearest first, without the materials that the curve is of.

        Raises
        ------
        NotFoundError
            If no material of that id or formula bears a DOS.
        InputError
            If the file holds no curve that covers the window.
        """
        from fermiloop.platform.store import dos_search

        curve, own = (self._of_file(), list[str]()) if filters.is_file(self.text) else _of_material(self.text)
        found = dos_search.nearest(curve, metric=self.metric, window=self.window, limit=limit, exclude=own, among=among)
        return {neighbour.material: neighbour.value for neighbour in found}

    def _of_file(self) -> NDArray[np.float64]:
        from fermiloop.platform.campaign.curve_file import compared
        from fermiloop.platform.representations.curve_files.registry import read_curve_file
        from fermiloop.platform.store import spectra

        found = read_curve_file(Path(self.text), self.wish)
        try:
            curve, remarks = compared(found, Window.of(GRID, self.window), spectra.alignment())
        except InputError as error:
            raise InputError(f"The curve file {self.text} cannot be used: {error}") from None
        for remark in remarks:
            sys.stderr.write(f"{self.text}: {remark}\n")
        return curve


def _of_material(text: str) -> tuple[NDArray[np.float64], list[str]]:
    from fermiloop.platform.store import materials, spectra

    if text.startswith("m-"):
        ids = [materials.get(text).id]
    else:
        ids = materials.find_ids(materials.MaterialQuery(formula=filters.formula(text), limit=filters.MOST_ROWS))
    for material in ids:
        spectrum = spectra.of_material(material, SpectrumKind.DOS)
        if spectrum is not None:
            return Window.of(GRID).whole(spectrum.points(), spectrum.array()), ids
    raise NotFoundError(f"No material {text!r} with a density of states is stored; see fermiloop materials find.")
