"""Spectra: saved once per material, kind and method; similar curves among them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from mongoengine import NotUniqueError
from numpy.typing import ArrayLike, NDArray

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import SpectrumGrid, cosine
from fermiloop.platform.store.inserting import insert_new
from fermiloop.schemas.fields import ArrayField
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import SpectrumKind

_curves: dict[tuple[Any, ...], tuple[list[str], NDArray[np.float64]]] = {}


def save(
    material: str,
    x: ArrayLike,
    y: ArrayLike,
    *,
    method: str,
    kind: SpectrumKind = SpectrumKind.DOS,
    unit: str | None = None,
    calculation: str | None = None,
    n_electrons: float | None = None,
) -> str:
    """Id of the spectrum, saved where it is new.

    Raises
    ------
    InputError
        If it is no curve on an even rising grid, or its unit is not that of its kind.
    """
    spectrum = Spectrum.from_arrays(
        material, x, y, method=method, kind=kind, unit=unit, calculation=calculation, n_electrons=n_electrons
    )
    spectrum.check()
    if not Spectrum.objects(id=spectrum.id).only("id").first():
        with contextlib.suppress(NotUniqueError):  # another process saved the same curve in between
            spectrum.save(force_insert=True)
    return str(spectrum.id)


def save_many(spectra: Iterable[Spectrum]) -> int:
    """Insert checked spectra whose ids are new; returns how many were."""
    return insert_new(spectra)


def of_material(material: str, kind: SpectrumKind = SpectrumKind.DOS, method: str | None = None) -> Spectrum | None:
    """Spectrum of a material, by the method asked or the first there is."""
    query = {"material": material, "kind": kind} | ({"method": method} if method else {})
    return Spectrum.objects(**query).order_by("id").first()


def all_of_material(material: str) -> list[Spectrum]:
    """Every spectrum of a material, of any kind and method."""
    return list(Spectrum.objects(material=material).order_by("kind", "method"))


def materials_with(method: str, kind: SpectrumKind = SpectrumKind.DOS) -> list[str]:
    """Ids of all materials that have a curve by this method, sorted."""
    rows = Spectrum.objects(kind=kind, method=method).only("material").as_pymongo()
    return sorted(row["material"] for row in rows)


def similar(
    curve: ArrayLike,
    grid: SpectrumGrid,
    limit: int = 10,
    exclude: Iterable[str] = (),
    kind: SpectrumKind = SpectrumKind.DOS,
) -> list[tuple[str, float]]:
    """Materials whose curve of one kind is nearest to a curve on `grid`, by cosine, best first.

    A material with curves by several methods counts with its nearest.

    Raises
    ------
    InputError
        If the curve is not on the grid, or the limit is not positive.
    """
    curve = np.asarray(curve, dtype=float)
    if curve.shape != (grid.n,) or not np.isfinite(curve).all():
        raise InputError(f"The curve to compare with needs {grid.n} finite values, one for each grid point.")
    if limit < 1:
        raise InputError(f"The limit must be at least 1, not {limit}.")
    ids, stored = _all_curves(grid, kind)
    if not ids:
        return []
    scores = cosine(stored, curve)
    left_out = set(exclude)
    best: dict[str, float] = {}
    for i in np.argsort(-scores, kind="stable"):
        if ids[i] not in left_out:
            best.setdefault(ids[i], float(scores[i]))
        if len(best) == limit:
            break
    return list(best.items())


def _all_curves(grid: SpectrumGrid, kind: SpectrumKind) -> tuple[list[str], NDArray[np.float64]]:
    """All stored curves of a kind that cover the grid, kept while nothing is added."""
    collection = Spectrum._get_collection()  # noqa: SLF001  (a projection over all: mongoengine's objects are slow)
    newest = collection.find_one({}, {"_id": 1}, sort=[("created_at", -1), ("_id", -1)])
    key = (
        collection.database.name,
        collection.estimated_document_count(),
        newest["_id"] if newest else None,
        grid,
        kind,
    )
    if key not in _curves:
        _curves.clear()
        ids, rows = [], []
        fields = {"material": 1, "lo": 1, "hi": 1, "n": 1, "values": 1}
        for row in collection.find({"kind": str(kind)}, fields).sort("_id", 1):
            if row["lo"] <= grid.lo + 1e-6 and row["hi"] >= grid.hi - 1e-6:
                x = np.linspace(row["lo"], row["hi"], row["n"])
                ids.append(row["material"])
                rows.append(np.interp(grid.points, x, ArrayField.unpack(row["values"])))
        _curves[key] = (ids, np.array(rows).reshape(len(ids), grid.n))
    return _curves[key]
