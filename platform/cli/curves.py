"""The options of ``--dos-like``: which curve, a material's, a formula's or a file's, and how it compares."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from fermiloop.platform.app import curves, texts
from fermiloop.platform.app.curves import GRID, HEADING, Nearness
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.curve_files.reading import AS_IT_IS, Wish
from fermiloop.platform.representations.spectral_search import Metric, Window


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
        if (fermi is not None or one_spin) and (text is None or not curves.is_file(text)):
            raise InputError("The options --fermi and --one-spin say how the file of --dos-like is read; name a file.")
        how = Metric(texts.one_of("metric", metric, Metric))
        bounds = texts.window(window)
        if text is None:
            if bounds is not None or how is not Metric.COSINE:
                raise InputError("The options --metric and --window say how --dos-like compares; give it too.")
            return None
        Window.of(GRID, bounds)
        return cls(text, how, bounds, Wish(fermi, one_spin))

    @property
    def column(self) -> dict[str, str]:
        """Key and heading of the column of values."""
        return {curves.key_of(self.metric): HEADING[self.metric]}

    def read(self) -> Nearness:
        """The curve with its metric; how a file was read is told. The database must be connected.

        Raises
        ------
        NotFoundError
            If no material of that id or formula has a density of states.
        InputError
            If the file holds no curve that covers the window.
        """
        found = curves.of(self.text, self.window, self.wish)
        for remark in found.remarks:
            sys.stderr.write(f"{self.text}: {remark}\n")
        return Nearness(found, self.metric)
