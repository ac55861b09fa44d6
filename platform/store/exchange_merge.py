"""Materials from elsewhere: what is new is added, what says otherwise than here is told, nothing here is changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fermiloop.platform.store import connection, exchange, spectra
from fermiloop.platform.store.exchange import Known
from fermiloop.platform.store.inserting import insert_new
from fermiloop.platform.store.labels import SAME
from fermiloop.schemas.label import Label
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import Alignment, SpectrumKind

DIGITS: Final = 9  # after the point, of energies that are compared
CALLED: Final = {
    SpectrumKind.DOS: "density of states",
    SpectrumKind.PHONON_DOS: "phonon density of states",
    SpectrumKind.XRD: "powder pattern",
    SpectrumKind.ABSORPTION: "absorption",
}
APART: Final = ("calculation",)  # fields of a curve that may differ: another run that gave the same


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
    labels = _fresh_labels((label for one in known for label in one.labels), told)
    curves = _fresh_spectra((curve for one in known for curve in one.spectra), told)
    # curves and labels first: a material that is there without them would look complete
    insert_new(curves)
    insert_new(labels)
    return Merged(insert_new([one.material for one in known]), told)


def _fresh_labels(labels: Iterable[Label], told: list[str]) -> list[Label]:
    """Labels that are new; of a property by a Method none after the first that says otherwise than the store."""
    listed = sorted(labels, key=lambda one: one.version)
    here = {row["_id"]: row["value"] for row in _stored("labels", listed)}
    fresh: dict[str, Label] = {}
    closed: set[tuple[str, str, str]] = set()
    for label in listed:
        chain = (label.material, str(label.property), label.method)
        there = here.get(label.id, fresh[label.id].value if label.id in fresh else None)
        if chain in closed:
            continue
        if there is None:
            fresh[label.id] = label
        elif abs(there - label.value) > SAME:
            closed.add(chain)
            told.append(
                f"The file says {label.value!r} {label.unit} for the {_words(label.property)} of {label.material} by "
                f"the Method {label.method}, version {label.version}, but it is {there!r} here and stays so."
            )
    return list(fresh.values())


def _fresh_spectra(curves: Iterable[Spectrum], told: list[str]) -> list[Spectrum]:
    listed = list(curves)
    here = {row["_id"]: _content(row) for row in _stored("spectra", listed)}
    fresh: dict[str, Spectrum] = {}
    for one in listed:
        content = _content(one.to_mongo().to_dict())
        there = here.setdefault(one.id, content)
        if there != content:
            differing = ", ".join(sorted(name for name in there | content if there.get(name) != content.get(name)))
            what = f"{CALLED[SpectrumKind(one.kind)]} of {one.material} by the Method {one.method}"
            told.append(f"The {what} is another here (it differs in {differing}) and stays so.")
        elif one.id not in fresh:
            fresh[one.id] = one
    return list(fresh.values())


def _content(row: dict[str, Any]) -> dict[str, Any]:
    """What a curve says, whatever lies at its zero where the gap tells how far one zero is from another."""
    record = exchange.write(row, exchange.SPECTRUM)
    if record["alignment"] in (Alignment.MIDGAP, Alignment.VBM):
        lo, hi = spectra.axis(record, Alignment.MIDGAP)
        record |= {"lo": lo, "hi": hi, "alignment": str(Alignment.MIDGAP)}
    rounded = {name: round(record[name], DIGITS) for name in ("lo", "hi", "gap", "n_electrons") if name in record}
    return {name: value for name, value in (record | rounded).items() if name not in APART}


def _stored(collection: str, documents: Iterable[Label] | Iterable[Spectrum]) -> list[dict[str, Any]]:
    wanted = sorted({one.id for one in documents})
    return list(connection.database()[collection].find({"_id": {"$in": wanted}})) if wanted else []


def _words(name: str) -> str:
    return str(name).replace("_", " ")
