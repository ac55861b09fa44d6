"""Spectra: saved once per material, kind and method; `dos_search` compares them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from mongoengine import NotUniqueError
from numpy.typing import ArrayLike

from fermiloop.platform.store.inserting import insert_new
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import SpectrumKind


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


def by_ids(ids: Iterable[str]) -> dict[str, Spectrum]:
    """Spectra by id; unknown ids are left out."""
    return {str(found.id): found for found in Spectrum.objects(id__in=sorted(set(ids)))}


def replace(spectrum: Spectrum) -> None:
    """Put a checked spectrum in the place of the one that an unfinished load saved."""
    spectrum.save(validate=False)


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
