"""Training sets out of the store: crystals with labels of one Method, and curves of all that compare with it.

`curves` are ids of the Methods whose curves count, the best first: of a material that has several, the first is taken.
It is the Method of the labels alone unless more are named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.properties import learned
from fermiloop.platform.representations.spectrum import SLACK, SpectrumGrid
from fermiloop.platform.representations.training import TrainingSet
from fermiloop.platform.store import candidates, labels, materials, spectra
from fermiloop.platform.store.batches import in_batches
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.fields import ArrayField
from fermiloop.schemas.label import Label
from fermiloop.schemas.material import Material
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import Alignment, Origin


def materials_of(method: str, kind: SpectrumKind | None = None, curves: Sequence[str] = ()) -> list[str]:
    """Sorted ids of all materials with a label by this method, or a curve by it or those named; molecules are none.

    Parameters
    ----------
    kind
        Of the curves; any by default.
    """
    found = {row["material"] for row in Label.objects(method=method).only("material").as_pymongo()}
    found = found.union(*(spectra.materials_with(one, kind) for one in curves or (method,)))
    return sorted(found - materials.molecules())


def unverified(material_ids: Iterable[str], method: str, curves: Sequence[str] = ()) -> set[str]:
    """Those made in a campaign that no calculation by these methods has confirmed: nothing may learn from them."""
    proposed = Material.objects(origin=Origin.CAMPAIGN).only("id").as_pymongo()
    made = {row["_id"] for row in proposed} & set(material_ids)
    confirmed = {
        row["material"]
        for kind, methods in ((Label, (method,)), (Spectrum, curves or (method,)))
        for one in methods
        for row in kind.objects(method=one, calculation__ne=None).only("material").as_pymongo()
    }
    return made - confirmed


def proposed_by(material_ids: Iterable[str], generator: str) -> list[str]:
    """Those of the materials that this generator proposed, whatever its preset."""
    made = {key: found.candidate for key, found in materials.get_many(material_ids).items() if found.candidate}
    own = {c.id for c in candidates.of_ids(made.values()) if c.generator == generator}
    return sorted(key for key, candidate in made.items() if candidate in own)


def training_set(
    material_ids: Iterable[str],
    grid: SpectrumGrid,
    method: str,
    *,
    kind: SpectrumKind = SpectrumKind.DOS,
    label_ids: Collection[str] | None = None,
    only_curves: bool = False,
    curves: Sequence[str] = (),
    about: Alignment | None = None,
) -> TrainingSet:
    """Crystals, curves on `grid` and labels of one method, in the order of the ids.

    Parameters
    ----------
    material_ids
        Which materials; those that the store does not hold are left out.
    grid
        Grid of the curves; a material without a curve gets a row of NaN.
    method
        Whose labels; others never mix in.
    kind
        Kind of the curves.
    label_ids
        Labels of the snapshot, so that they are those it was frozen with, whatever came later.
    only_curves
        Leave out materials without a curve.
    curves
        Ids of the Methods whose curves count, the best first; the one of the labels by default.
    about
        What lies at zero of densities of states; by default what the settings say.

    Raises
    ------
    InputError
        If no curve covers the grid, or nothing is left.
    """
    documents = materials.get_many(material_ids)
    known_curves = _curves(list(documents), grid, curves or (method,), kind, about)
    rows = [key for key in documents if key in known_curves or not only_curves]
    if not rows:
        what = f"a {kind} curve" if only_curves else "a curve or a label"
        raise InputError(f"No material has {what} by the method {method}; load a library first.")
    known = labels.table(rows, learned(), method, among=label_ids)
    nothing = np.full(grid.n, np.nan)
    return TrainingSet(
        ids=tuple(rows),
        structures=tuple(documents[key].to_structure() for key in rows),
        crystal_systems=tuple(str(documents[key].crystal_system) for key in rows),
        prototypes=tuple(documents[key].prototype for key in rows),
        grid=replace(grid, alignment=spectra.grid(kind, about).alignment),
        curves=np.stack([known_curves.get(key, nothing) for key in rows]),
        labels={name: np.array([found.get(key, np.nan) for key in rows], dtype=float) for name, found in known.items()},
    )


def curves_of(
    ids: Iterable[str],
    grid: SpectrumGrid,
    methods: Sequence[str],
    kind: SpectrumKind,
    about: Alignment | None = None,
) -> NDArray[np.float64]:
    """(n, grid.n) curves of a kind by these Methods, in the order of the ids; NaN where there is none.

    Parameters
    ----------
    methods
        The best first.
    about
        What lies at zero of densities of states; by default what the settings say.
    """
    wanted = list(ids)
    found, nothing = _curves(wanted, grid, methods, kind, about), np.full(grid.n, np.nan)
    return np.stack([found.get(key, nothing) for key in wanted]) if wanted else np.empty((0, grid.n))


def mean_curve(grid: SpectrumGrid, curves: Sequence[str], about: Alignment | None = None) -> NDArray[np.float64] | None:
    """(grid.n,) mean of the unit-area densities of states by these Methods, None where there are none."""
    ids = sorted(set().union(*(spectra.materials_with(one) for one in curves)))
    found = _curves(ids, grid, curves, SpectrumKind.DOS, about)
    rows = [grid.normalise(curve) for curve in (np.maximum(one, 0.0) for one in found.values()) if curve.any()]
    return np.asarray(np.mean(rows, axis=0)) if rows else None


def _curves(
    ids: list[str], grid: SpectrumGrid, methods: Sequence[str], kind: SpectrumKind, about: Alignment | None
) -> dict[str, NDArray[np.float64]]:
    """Curve on `grid` of each material that has one; one that does not cover the grid is left out where others do."""
    found: dict[str, NDArray[np.float64]] = {}
    short: dict[str, Any] | None = None
    rank, best = {one: place for place, one in enumerate(methods)}, dict.fromkeys(ids, len(methods))
    for batch in in_batches(ids, materials.BATCH):
        # $in beside other conditions is 20 times slower on the embedded server: kind and method are looked at here
        for row in Spectrum.objects(material__in=batch).as_pymongo():
            place = rank.get(row["method"], len(methods))
            if row["kind"] == kind and place < best[row["material"]]:
                lo, hi = spectra.axis(row, about)
                if lo <= grid.lo + SLACK and hi >= grid.hi - SLACK:
                    x, best[row["material"]] = np.linspace(lo, hi, row["n"]), place
                    found[row["material"]] = grid.resample(x, ArrayField.unpack(row["values"]))
                elif lo == row["lo"]:
                    short = row
    if short is not None and not found:
        grid.resample(np.linspace(short["lo"], short["hi"], short["n"]), ArrayField.unpack(short["values"]))  # refused
    return found
