"""Intake: batches of entries into the store, each once, and what is bad into quarantine.

Everything of a batch is written before the batch is noted, and every write may be repeated: an import
that was cut off is run again, passes over the batches that are noted, and adds nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable

from fermiloop.db_init.importers.entries import BAD, Batch, Entry, Refusal
from fermiloop.db_init.importers.report import LoadReport, Progress, reason_of, silent
from fermiloop.platform.store import imports, labels, materials, methods, quarantine, spectra
from fermiloop.schemas.label import Label
from fermiloop.schemas.material import Material
from fermiloop.schemas.method import Method
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import PER_CELL, UNIT_OF, Origin


class Documents:
    """Documents of one batch, each checked before it is kept here."""

    def __init__(self) -> None:
        self.materials: list[Material] = []
        self.labels: list[Label] = []
        self.spectra: list[Spectrum] = []
        self.methods: dict[str, Method] = {}

    def add(self, entry: Entry) -> None:
        """Make the documents of an entry, all or none.

        Raises
        ------
        InputError
            If the crystal is none, or a number or the curve does not hold.
        """
        material = Material.from_structure(entry.structure, origin=Origin.IMPORT, source=entry.source)
        factor = material.n_sites / len(entry.structure)  # what came per cell becomes per cell of the material
        found = [
            Label.make(
                material.id,
                name,
                factor * value if UNIT_OF[name] in PER_CELL else value,
                method=method.id,
                calculation=None,
                version=1,
            )
            for name, value, method in entry.numbers
        ]
        curves = []
        if entry.curve is not None:
            curve = entry.curve
            curves.append(
                Spectrum.from_arrays(
                    material.id, curve.energies, factor * curve.values, method=curve.method.id, gap=curve.gap
                )
            )
        for document in (material, *found, *curves):
            document.check()
        self.materials.append(material)
        self.labels += found
        self.spectra += curves
        for method in [method for *_, method in entry.numbers] + ([entry.curve.method] if entry.curve else []):
            self.methods[method.id] = method

    def save(self) -> int:
        """Write all of it; returns how many materials were new."""
        for method in self.methods.values():
            methods.save(method.engine, method.functional, dict(method.settings), dict(method.code_versions))
        # Curves and labels first: a material that is there without them would look complete.
        spectra.save_many(self.spectra)
        labels.save_many(self.labels)
        return materials.save_many(self.materials)


def take_in(source: str, batches: Iterable[Batch], progress: Progress = silent) -> LoadReport:
    """Take in every batch that is new.

    Parameters
    ----------
    source
        Under which name refused entries go to quarantine, where a batch names no file.
    batches
        Read one by one; what follows a batch in an importer runs when the batch is in the store.
    progress
        Told after each batch.
    """
    loaded = already = refused = 0
    for batch in batches:
        known = imports.seen(batch.digest)
        new, there, bad = (0, known.n, known.refused) if known else _take(source, batch)
        loaded, already, refused = loaded + new, already + there, refused + bad
        progress(f"{batch.name}: {loaded} new, {already} there already, {refused} refused", batch.share)
    return LoadReport(loaded, already, refused)


def _take(source: str, batch: Batch) -> tuple[int, int, int]:
    """New materials, known materials and refusals of one batch."""
    documents, refused = Documents(), 0
    for item in batch.read():
        refusals = [item] if isinstance(item, Refusal) else _keep(documents, item)
        for refusal in refusals:
            quarantine.put(batch.file or source, refusal.line, refusal.reason, f"{refusal.key}: {refusal.excerpt}")
        refused += len(refusals)
    new = documents.save()
    n = len(documents.materials)
    if n:  # a source without a good entry leaves nothing behind but its quarantine
        ids = [material.id for material in documents.materials]
        imports.note(batch.digest, source=source, materials=ids, n=n, refused=refused)
    return new, n - new, refused


def _keep(documents: Documents, entry: Entry) -> list[Refusal]:
    """Add an entry; why it, or a part of it, was left out."""
    excerpt = entry.structure.composition.reduced_formula if len(entry.structure) else ""
    try:
        documents.add(entry)
    except BAD as error:
        return [Refusal(entry.key, reason_of(error), excerpt, entry.line)]
    return [Refusal(entry.key, remark, f"{excerpt}, {remark}", entry.line) for remark in entry.remarks]
