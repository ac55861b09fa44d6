"""Documents of one batch: made and checked entry by entry, settled among each other, then written."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import numpy as np

from fermiloop.db_init.importers.answers import (
    Answer,
    Place,
    Standing,
    by_place,
    left_out,
    settle_all,
    standing,
    winner,
)
from fermiloop.db_init.importers.entries import Entry, Refusal
from fermiloop.platform.plugins.properties import PROPERTIES, grows
from fermiloop.platform.representations.grids import GRIDS
from fermiloop.platform.representations.spectrum import cosine
from fermiloop.platform.store import labels, materials, methods, spectra
from fermiloop.schemas.label import Label
from fermiloop.schemas.material import Material
from fermiloop.schemas.method import Method
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import Origin, Property

ALIKE: Final = 0.99  # cosine similarity of two curves that are one calculation and its repeat
ENERGIES: Final = (Property.ENERGY_PER_ATOM, Property.FORMATION_ENERGY_PER_ATOM)


@dataclass(frozen=True, order=True)
class Offer:
    """A curve of an entry; of several for one crystal and Method the first in order is kept."""

    energy: float  # eV/atom, of its entry; infinite where it states none
    content: str  # digest of the values
    spectrum: Spectrum = field(compare=False)
    key: str = field(compare=False)
    line: int | None = field(compare=False)

    @classmethod
    def of(cls, spectrum: Spectrum, entry: Entry) -> Offer:
        """Offer of an entry's curve."""
        energies = {
            name: value for name, value, method in entry.numbers if name in ENERGIES and method.id == spectrum.method
        }
        energy = next((energies[name] for name in ENERGIES if name in energies), float("inf"))
        content = hashlib.sha256(bytes(spectrum.values) + repr((spectrum.lo, spectrum.hi)).encode()).hexdigest()
        return cls(energy, content, spectrum, entry.key, entry.line)

    def at(self, material: str, factor: float) -> Offer:
        """The same curve under the id of the material that its crystal is; `factor` times as large, if of the cell."""
        one = self.spectrum
        if one.material == material:
            return self
        values = factor * one.array() if grows(one.unit) else one.array()
        moved = Spectrum.from_arrays(material, one.points(), values, method=one.method, kind=one.kind, gap=one.gap)
        return replace(self, spectrum=moved)


@dataclass
class Written:
    """What a batch brought: ids of new labels, and what was left out."""

    added: list[str]
    told: list[Refusal]


class Documents:
    """Documents of one batch, each checked before it is kept here."""

    def __init__(self) -> None:
        self.materials: list[Material] = []
        self.answers: list[Answer] = []
        self.offers: list[Offer] = []
        self.methods: dict[str, Method] = {}
        self.ids: dict[str, str] = {}
        self.new = 0

    def add(self, entry: Entry, file: str | None = None) -> None:
        """Make the documents of an entry, all or none.

        Raises
        ------
        InputError
            If the crystal is none, or a number or the curve is invalid.
        """
        material = Material.from_structure(entry.structure, origin=Origin.IMPORT, source=entry.source)
        material.check()
        factor = material.n_sites / len(entry.structure)  # what came per cell becomes per cell of the material
        numbers = [
            (name, factor * value if PROPERTIES[name].per_cell else value, method)
            for name, value, method in entry.numbers
        ]
        for name, value, method in numbers:
            Label.make(material.id, name, value, method=method.id, calculation=None, version=1).check()
        offers = []
        if entry.curve is not None:
            curve = entry.curve
            whole = factor * curve.values if grows(curve.kind.declared.unit) else curve.values
            made = Spectrum.from_arrays(
                material.id, curve.energies, whole, method=curve.method.id, kind=curve.kind, gap=curve.gap
            )
            made.check()
            offers.append(Offer.of(made, entry))
        self.materials.append(material)
        self.answers += [
            Answer((material.id, method.id, name), value, entry.key, entry.line, file)
            for name, value, method in numbers
        ]
        self.offers += offers
        for method in [method for *_, method in entry.numbers] + ([entry.curve.method] if entry.curve else []):
            self.methods[method.id] = method

    def save_materials(self) -> set[str]:
        """Write the crystals first, which says what material each of them is; the ids of these."""
        # of entries of one crystal that of the first key names its source, wherever it stands: the last one counts
        ordered = sorted(self.materials, key=lambda one: str(one.source.get("key")), reverse=True)
        self.ids, self.new = materials.take_in(ordered)
        known = materials.get_many(home for one, home in self.ids.items() if one != home)
        sites = {one.id: int(one.n_sites) for one in self.materials}
        factors = {one: known[home].n_sites / sites[one] if home in known else 1.0 for one, home in self.ids.items()}
        self.answers = [one.at(self.ids[one.place[0]], factors[one.place[0]]) for one in self.answers]
        self.offers = [one.at(self.ids[one.spectrum.material], factors[one.spectrum.material]) for one in self.offers]
        return set(self.ids.values())

    def save(self, held: Collection[str] = (), offered: dict[str, Offer] | None = None) -> Written:
        """Write what is known of the crystals.

        Parameters
        ----------
        held
            Ids of materials of which earlier batches of the load spoke: their labels are settled at its end.
        offered
            Curves that earlier batches of the load saved, by id; those of this batch are added.
        """
        for method in self.methods.values():
            methods.save(method.engine, method.functional, dict(method.settings), dict(method.code_versions))
        told = save_curves(self.offers, {} if offered is None else offered)
        now = [one for one in self.answers if one.place[0] not in held]
        told += [refusal(one, reason) for one, reason in left_out(now)]
        added, contradictions = save_labels(now)
        again = ((self.ids[one.id], dict(one.source)) for one in self.materials if self.ids[one.id] in held)
        materials.name_after(again)
        return Written(added, told + contradictions)


def save_labels(
    answers: Collection[Answer], mine: Collection[str] = (), since: datetime | None = None
) -> tuple[list[str], list[Refusal]]:
    """Write the values that count; ids of the labels that were new, and what contradicts an earlier load.

    Parameters
    ----------
    answers
        All that a load says of its places, as far as it is known.
    mine
        Ids of labels that the same load added before: they are no earlier answer and give way.
    since
        When the load began: labels that are as young are its own, under whatever ids they are now.
    """
    said = by_place(answers)
    stored = _stored(said)
    first: list[Label] = []
    added, told = [], []
    for place, value in settle_all(answers).items():
        rows = stored.get(place, [])
        own = [one for one in rows if one.id in mine or (since is not None and one.created_at >= since)]
        earlier = [one for one in rows if one not in own]
        given = said[place]
        if value is not None and [(one.value, one.entry) for one in own] == [(value, winner(given, value))]:
            continue
        labels.withdraw(label.id for label in own)
        if value is None:
            continue
        how = standing(place[2], value, {one.key for one in given}, [(one.value, one.entry) for one in earlier])
        material, method, name = place
        if how is Standing.NEXT and not earlier:
            entry = winner(given, value)
            first.append(Label.make(material, name, value, method=method, calculation=None, version=1, entry=entry))
        elif how is Standing.NEXT:
            added.append(labels.save(material, name, value, method=method, entry=winner(given, value)))
        elif how is Standing.CONTRADICTS:
            told += [refusal(one, _against(one, earlier[-1])) for one in given if one.value == value]
    labels.save_many(first)
    return [*added, *(str(label.id) for label in first)], told


def save_curves(offers: Collection[Offer], offered: dict[str, Offer]) -> list[Refusal]:
    """Write the curves; those that are left out for another one of the same crystal and Method."""
    by_id: dict[str, list[Offer]] = {}
    for one in offers:
        by_id.setdefault(str(one.spectrum.id), []).append(one)
    stored = spectra.by_ids(by_id)
    fresh, told = [], []
    for key, given in by_id.items():
        before = offered.get(key)
        best, *rest = sorted([*given, *([before] if before else [])])
        if key not in stored:
            fresh.append(best.spectrum)
        elif before is not None and best is not before:
            spectra.put_in_place(best.spectrum)
        elif before is None:  # of an earlier load: curves have no versions
            told += [
                _curve_told(one, "was loaded before and") for one in given if not _alike(one.spectrum, stored[key])
            ]
            continue
        offered[key] = best
        told += [
            _curve_told(one, f"comes with {best.key} and") for one in rest if not _alike(one.spectrum, best.spectrum)
        ]
    spectra.save_many(fresh)
    return told


def refusal(one: Answer, reason: str) -> Refusal:
    """An answer that was left out, as quarantine keeps it."""
    name = one.place[2]
    return Refusal(one.key, reason, f"{name} {one.value:g} {PROPERTIES[name].unit}", one.line)


def _stored(places: Iterable[Place]) -> dict[Place, list[Label]]:
    found: dict[Place, list[Label]] = {}
    for label in labels.of_materials(material for material, *_ in places):
        found.setdefault((label.material, label.method, label.property), []).append(label)
    return found


def _against(one: Answer, latest: Label) -> str:
    name = one.place[2]
    unit = latest.unit
    return (
        f"{name} of {one.value:g} {unit} left out: the entry {latest.entry} of an earlier load says {latest.value:g} "
        f"{unit} of the same crystal and Method; give this source another name with --source if both shall be kept."
    )


def _curve_told(one: Offer, which: str) -> Refusal:
    title = one.spectrum.kind.declared.title
    excerpt = f"{title}, {one.content[:12]}"
    reason = f"{title} left out: another one of the same crystal and Method {which} is kept."
    return Refusal(one.key, reason, excerpt, one.line)


def _alike(one: Spectrum, other: Spectrum) -> bool:
    points = GRIDS[one.kind].points
    curves = [np.interp(points, spectrum.points(), spectrum.array()) for spectrum in (one, other)]
    return bool(cosine(*curves) >= ALIKE)
