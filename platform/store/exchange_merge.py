"""Materials from elsewhere: what is new is added, what says otherwise than here is told, nothing here is changed.

A crystal that is here under another id is that material: labels and curves go there, per cell of it.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fermiloop.platform.plugins.properties import grows
from fermiloop.platform.store import aliases, connection, exchange, identity, materials, spectra
from fermiloop.platform.store.exchange_material import Known
from fermiloop.platform.store.inserting import insert_new
from fermiloop.platform.store.labels import SAME
from fermiloop.schemas.base import content_id
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.fields import ArrayField
from fermiloop.schemas.label import Label
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import Alignment

DIGITS: Final = 9  # after the point, of energies that are compared
APART: Final = ("calculation",)  # fields of a curve that may differ: another run that gave the same

Row = dict[str, Any]
Chain = tuple[str, str, str]  # material, property, Method


@dataclass
class Merged:
    """What came of it.

    Parameters
    ----------
    new
        Materials that were new.
    contradictions
        Sentences, each about one label or curve that says otherwise here.
    """

    new: int = 0
    contradictions: list[str] = field(default_factory=list)


def save(known: Sequence[Known]) -> Merged:
    """Add what is new; Methods must be there already."""
    told: list[str] = []
    moves = _moves(known)
    labels = _fresh_labels((_moved(label, moves) for one in known for label in one.labels), told)
    curves = _fresh_spectra((_moved(curve, moves) for one in known for curve in one.spectra), told)
    # curves and labels first: a material that is there without them would look complete
    insert_new(curves)
    insert_new(labels)
    _, new = identity.take_in([one.material for one in known])
    # the other cells when the materials are there, or one of them would say where its material came from
    identity.take_in([crystal for one in known for crystal in one.crystals[1:]])
    return Merged(new, told)


def _moves(known: Sequence[Known]) -> dict[str, tuple[str, float]]:
    """Materials that stand here under another id: that id, and how many times as large its cell is."""
    at = aliases.resolve(one.material.id for one in known)
    there = materials.get_many({home for key, home in at.items() if key != home})
    return {
        one.material.id: (at[one.material.id], there[at[one.material.id]].n_sites / one.material.n_sites)
        for one in known
        if at.get(one.material.id, one.material.id) != one.material.id
    }


def _moved(document: Any, moves: Mapping[str, tuple[str, float]]) -> Any:
    """A label or a curve as that of the material here, per cell of it."""
    if document.material not in moves:
        return document
    home, factor = moves[document.material]
    row = document.to_mongo().to_dict()
    if factor != 1.0 and grows(row["unit"]):
        if "values" in row:
            row["values"] = ArrayField.pack(ArrayField.unpack(row["values"]) * factor)
            row |= {"n_electrons": row["n_electrons"] * factor} if row.get("n_electrons") is not None else {}
        else:
            row["value"] *= factor
    what = ("s", home, row["kind"], row["method"]) if "kind" in row else (
        "l", home, row["property"], row["method"], row["version"]
    )  # fmt: skip
    return type(document)._from_son({**row, "_id": content_id(*what), "material": home})  # noqa: SLF001


def _fresh_labels(labels: Iterable[Label], told: list[str]) -> list[Label]:
    """Labels that are new, by material, property and Method."""
    chains: dict[Chain, list[Label]] = defaultdict(list)
    for label in labels:
        chains[label.material, str(label.property), label.method].append(label)
    here: dict[Chain, dict[int, float]] = defaultdict(dict)
    wanted = sorted({material for material, *_ in chains})
    for row in connection.database()["labels"].find({"material": {"$in": wanted}}) if wanted else ():
        here[row["material"], row["property"], row["method"]][row["version"]] = row["value"]
    return [one for chain, rows in chains.items() for one in _fresh_versions(rows, here[chain], told)]


def _fresh_versions(labels: list[Label], stored: Mapping[int, float], told: list[str]) -> list[Label]:
    """New versions of one value; none after the first that says otherwise than here, before which they would stand."""
    ordered = sorted(labels, key=lambda one: int(one.version))
    fresh: dict[int, Label] = {}
    for place, label in enumerate(ordered):
        there = stored.get(label.version, fresh[label.version].value if label.version in fresh else None)
        if there is None:
            fresh[label.version] = label
        elif abs(there - label.value) > SAME:
            # values that are here as other versions are no contradiction
            left = (one for one in ordered[place:] if all(abs(value - one.value) > SAME for value in stored.values()))
            told += [_sentence(one, stored.get(one.version, there)) for one in itertools.islice(left, 1)]
            break
    return list(fresh.values())


def _sentence(label: Label, there: float) -> str:
    return (
        f"The file says {label.value!r} {label.unit} for the {str(label.property).replace('_', ' ')} of "
        f"{label.material} by the Method {label.method}, version {label.version}, but it is {there!r} here and "
        "stays so."
    )


def _fresh_spectra(curves: Iterable[Spectrum], told: list[str]) -> list[Spectrum]:
    listed = list(curves)
    wanted = sorted({one.id for one in listed})
    rows = connection.database()["spectra"].find({"_id": {"$in": wanted}}) if wanted else ()
    here = {row["_id"]: _content(row) for row in rows}
    fresh: dict[str, Spectrum] = {}
    for one in listed:
        content = _content(one.to_mongo().to_dict())
        there = here.setdefault(one.id, content)
        if there != content:
            differing = ", ".join(sorted(name for name in there | content if there.get(name) != content.get(name)))
            what = f"{SpectrumKind(one.kind).declared.title} of {one.material} by the Method {one.method}"
            told.append(f"The {what} is another here (it differs in {differing}) and stays so.")
        elif one.id not in fresh:
            fresh[one.id] = one
    return list(fresh.values())


def _content(row: Row) -> Row:
    """What a curve says, whatever lies at its zero where the gap tells how far one zero is from another."""
    record = exchange.write(row, exchange.SPECTRUM)
    if record["alignment"] in (Alignment.MIDGAP, Alignment.VBM):
        lo, hi = spectra.axis(record, Alignment.MIDGAP)
        record |= {"lo": lo, "hi": hi, "alignment": str(Alignment.MIDGAP)}
    rounded = {name: round(record[name], DIGITS) for name in ("lo", "hi", "gap", "n_electrons") if name in record}
    return {name: value for name, value in (record | rounded).items() if name not in APART}
