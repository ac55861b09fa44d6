"""Spectra: saved once per material, kind and method; `dos_search` compares them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mongoengine import NotUniqueError
from numpy.typing import ArrayLike

from fermiloop.platform.representations.alignment import offset
from fermiloop.platform.representations.grids import GRIDS
from fermiloop.platform.representations.spectrum import SpectrumGrid
from fermiloop.platform.settings import settings
from fermiloop.platform.store import aliases, merging
from fermiloop.platform.store.inserting import insert_new
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import Alignment


def alignment() -> Alignment:
    """What lies at zero of densities of states as this store gives them, whatever they were stored about."""
    return Alignment(settings().dos_alignment)


def grid(kind: SpectrumKind = SpectrumKind.DOS, about: Alignment | None = None) -> SpectrumGrid:
    """The grid of a kind, for densities of states with what lies at its zero: the store's zero, or another."""
    zero = about or alignment()
    moved = kind is SpectrumKind.DOS and zero is not Alignment.MIDGAP
    return replace(GRIDS[kind], alignment=str(zero)) if moved else GRIDS[kind]


def axis(row: Mapping[str, Any], wanted: Alignment | None = None) -> tuple[float, float]:
    """First and last point of a stored curve about the store's zero, or about another.

    Every reader of stored axes asks here: a document gives its axis as it was stored.

    Parameters
    ----------
    row
        ``lo``, ``hi``, ``alignment`` and ``gap`` of a document as the database has it.
    wanted
        What shall lie at zero; by default what the settings say.
    """
    stored = Alignment(row.get("alignment") or Alignment.FERMI)
    shift = offset(stored, wanted or alignment(), row.get("gap"))
    return float(row["lo"]) + shift, float(row["hi"]) + shift


def aligned(spectrum: Spectrum, wanted: Alignment | None = None) -> Spectrum:
    """The same document about the store's zero, or about another; one whose gap is unknown stays as it is."""
    about = wanted or alignment()
    if spectrum.alignment in (Alignment.MIDGAP, Alignment.VBM):
        row = {name: spectrum[name] for name in ("lo", "hi", "alignment", "gap")}
        ends = axis(row, about)
        for name, value in (("lo", ends[0]), ("hi", ends[1]), ("alignment", about)):
            spectrum[name] = value
    return spectrum


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
    gap: float | None = None,
) -> str:
    """Id of the spectrum, saved where it is new.

    A density of states whose `gap` is given (eV, 0 for a metal) has the middle of its gap at zero; else zero is the
    level that its source gave.

    Raises
    ------
    InputError
        If it is no curve on an even rising grid, or its unit is not that of its kind.
    """
    spectrum = Spectrum.from_arrays(
        material, x, y, method=method, kind=kind, unit=unit, calculation=calculation, n_electrons=n_electrons, gap=gap
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


def by_ids(ids: Iterable[str]) -> dict[str, Spectrum]:
    """Spectra by id as they are stored; unknown ids are left out."""
    return {str(found.id): found for found in Spectrum.objects(id__in=sorted(set(ids)))}


def put_in_place(spectrum: Spectrum) -> None:
    """Put a checked spectrum in the place of the one that an unfinished load saved."""
    spectrum.save(validate=False)


def of_material(
    material: str,
    kind: SpectrumKind = SpectrumKind.DOS,
    method: str | None = None,
    wanted: Alignment | None = None,
) -> Spectrum | None:
    """Spectrum of a material, by the method asked or the first there is, about the store's zero or the one wanted."""
    query = {"kind": kind} | ({"method": method} if method else {})
    found = Spectrum.objects(material=material, **query).order_by("id").first()
    found = found or Spectrum.objects(material=aliases.one(material), **query).order_by("id").first()
    return None if found is None else aligned(found, wanted)


def all_of_material(material: str) -> list[Spectrum]:
    """Every spectrum of a material, of any kind and method, about the store's zero."""
    found = [aligned(one) for one in Spectrum.objects(material=material).order_by("kind", "method")]
    at = aliases.one(material) if not found else material
    return all_of_material(at) if at != material else found


def materials_with(method: str, kind: SpectrumKind | None = SpectrumKind.DOS) -> list[str]:
    """Ids of all materials that have a curve of a kind, or of any, by this method, sorted."""
    rows = Spectrum.objects(method=method, **({} if kind is None else {"kind": kind})).only("material").as_pymongo()
    return sorted({row["material"] for row in rows})
