"""Spectra: saved once per material, kind and method; `dos_search` compares them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from mongoengine import NotUniqueError
from numpy.typing import ArrayLike

from fermiloop.platform.store import aliases, merging
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
    return merging.brought_home([material]).get(spectrum.id, str(spectrum.id))


def save_many(spectra: Iterable[Spectrum]) -> int:
    """Insert checked spectra whose ids are new; returns how many were."""
    made = list(spectra)
    new = insert_new(made)
    merging.brought_home(spectrum.material for spectrum in made)
    return new


def of_material(material: str, kind: SpectrumKind = SpectrumKind.DOS, method: str | None = None) -> Spectrum | None:
    """Spectrum of a material, by the method asked or the first there is."""
    query = {"kind": kind} | ({"method": method} if method else {})
    found = Spectrum.objects(material=material, **query).order_by("id").first()
    return found or Spectrum.objects(material=aliases.one(material), **query).order_by("id").first()


def all_of_material(material: str) -> list[Spectrum]:
    """Every spectrum of a material, of any kind and method."""
    found = list(Spectrum.objects(material=material).order_by("kind", "method"))
    at = aliases.one(material) if not found else material
    return all_of_material(at) if at != material else found


def materials_with(method: str, kind: SpectrumKind = SpectrumKind.DOS) -> list[str]:
    """Ids of all materials that have a curve by this method, sorted."""
    rows = Spectrum.objects(kind=kind, method=method).only("material").as_pymongo()
    return sorted(row["material"] for row in rows)
