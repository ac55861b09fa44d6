"""Which compositions a search is worth: simple ratios, as frequent as in the training set, neutral or an alloy."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pymatgen.core import Composition

from fermiloop.platform.representations.neutrality import is_neutral_or_alloy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from pymatgen.core import Structure

    from fermiloop.platform.generators.protocol import Space, Target

SIMPLE: Final[dict[int, tuple[tuple[int, ...], ...]]] = {
    1: ((1,),),
    2: ((1, 1), (1, 2), (1, 3), (2, 3)),
    3: ((1, 1, 1), (1, 1, 2), (1, 1, 3), (1, 2, 4)),
    4: ((1, 1, 1, 1), (1, 1, 1, 3), (1, 1, 2, 6), (1, 1, 1, 4)),
    5: ((1, 1, 1, 1, 1), (1, 1, 1, 1, 6), (1, 1, 2, 2, 6)),
    6: ((1, 1, 1, 1, 1, 1), (1, 1, 1, 1, 2, 6), (1, 1, 1, 1, 2, 8)),
}
"""Ratios that are always possible, by number of elements, each once beside those of the training set."""
DRAWS: Final = 60
"""Draws for each composition wanted, after which those found must do."""


def count_ratios(structures: Sequence[Structure]) -> dict[str, int]:
    """How often each ratio occurs, as ``"1:1:3"``."""
    counts: Counter[str] = Counter()
    for structure in structures:
        amounts = structure.composition.reduced_composition.get_el_amt_dict().values()
        counts[":".join(str(n) for n in sorted(round(x) for x in amounts))] += 1
    return dict(sorted(counts.items()))


def draw_compositions(
    counts: Mapping[str, int], target: Target, space: Space, n: int, formula_units: int, rng: np.random.Generator
) -> list[dict[str, int]]:
    """At most `n` different cells, each as atoms by element, in the order drawn.

    Parameters
    ----------
    counts
        Ratios by frequency, of `count_ratios`.
    formula_units
        Most formula units of a cell.
    """
    ratios = _ratios(counts, space)
    if not ratios:
        return []
    total = sum(ratios.values())
    names = list(ratios)
    shares = [ratios[name] / total for name in names]
    found: dict[tuple[tuple[str, int], ...], dict[str, int]] = {}
    for _ in range(DRAWS * n):
        ratio = names[int(rng.choice(len(names), p=shares))]
        places = rng.permutation(len(space.elements))[: len(ratio)]
        units = int(rng.integers(1, formula_units + 1))
        cell = {space.elements[i]: k * units for i, k in zip(places, rng.permutation(ratio).tolist(), strict=True)}
        key = tuple(sorted(cell.items()))
        if key in found or sum(cell.values()) > space.max_sites:
            continue
        composition = Composition(cell)
        if composition.reduced_formula not in target.exclude_formulas and is_neutral_or_alloy(composition):
            found[key] = dict(key)
            if len(found) >= n:
                break
    return list(found.values())


def _ratios(counts: Mapping[str, int], space: Space) -> dict[tuple[int, ...], int]:
    """Weights of the ratios that the space has room for."""
    low, high = space.n_components
    weights: Counter[tuple[int, ...]] = Counter(ratio for k in range(low, high + 1) for ratio in SIMPLE.get(k, ()))
    for text, count in counts.items():
        weights[tuple(int(part) for part in text.split(":"))] += count
    fits = {
        ratio: weight
        for ratio, weight in weights.items()
        if low <= len(ratio) <= high and len(ratio) <= len(space.elements) and sum(ratio) <= space.max_sites
    }
    return dict(sorted(fits.items()))
