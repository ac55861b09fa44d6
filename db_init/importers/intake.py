"""Intake: batches of entries into the store, each once, and what is bad into quarantine.

Everything of a batch is written before the batch is noted, and every write may be repeated: an import
that was cut off is run again, passes over the batches that are noted, and adds nothing twice.

Batches are written one by one, so two entries of one crystal may come in two of them. What each entry says is noted
with its batch; the labels of a crystal that comes again wait for the end of the load, where all that was said of it is
settled at once. So the documents do not depend on the order of entries, nor on where a batch ends.
"""

from __future__ import annotations

from collections.abc import Iterable

from fermiloop.db_init.importers.answers import Answer, left_out
from fermiloop.db_init.importers.documents import Documents, Offer, refusal, save_labels
from fermiloop.db_init.importers.entries import BAD, Batch, Entry, Refusal
from fermiloop.db_init.importers.report import LoadReport, Progress, reason_of, silent
from fermiloop.platform.store import imports, materials, quarantine
from fermiloop.schemas.base import now


class Load:
    """One run of an importer: its batches so far, and which crystals came in more than one of them."""

    def __init__(self, source: str) -> None:
        self.source = source
        began = now()
        self.began = began.replace(microsecond=began.microsecond // 1000 * 1000)  # as the database keeps times
        self.batches: list[Batch] = []
        self.offered: dict[str, Offer] = {}
        self._first: dict[str, int] = {}
        self._again: dict[str, set[int]] = {}

    def enter(self, batch: Batch, materials: Iterable[str]) -> set[str]:
        """Count a batch in; the materials of it that came in an earlier one."""
        place = len(self.batches)
        self.batches.append(batch)
        held = {one for one in materials if self._first.setdefault(one, place) != place}
        for one in held:
            self._again.setdefault(one, {self._first[one]}).add(place)
        return held

    def tell(self, batch: Batch, refusals: Iterable[Refusal]) -> int:
        """Put refusals into quarantine; how many they were."""
        told = list(refusals)
        for one in told:
            quarantine.put(batch.file or self.source, one.line, one.reason, f"{one.key}: {one.excerpt}")
        return len(told)

    def settle(self) -> int:
        """Settle what several batches say of one crystal; how many answers were left out."""
        homes = materials.moved(self._first)
        self._follow(homes)
        if not self._again:
            return 0
        places = sorted(set().union(*self._again.values()))
        files = {self.batches[place].digest: self.batches[place] for place in places}
        noted = imports.answers_of(files)
        answers: dict[str, list[Answer]] = {
            digest: [
                Answer.from_row({**row, "material": home}, files[digest].file)
                for row in found.answers
                if (home := homes.get(row["material"], row["material"])) in self._again
            ]
            for digest, found in noted.items()
        }
        mine = {label for found in noted.values() for label in found.added}
        whole = [one for given in answers.values() for one in given]
        added, contradictions = save_labels(whole, mine, self.began)
        if added:
            imports.add_labels(next(reversed(files)), added)
        held = self._held(answers)
        told = [(one, refusal(one, reason)) for one, reason in left_out(whole)]
        for one, refused in told:
            quarantine.put(one.file or self.source, one.line, refused.reason, f"{one.key}: {refused.excerpt}")
        for refused in contradictions:
            quarantine.put(self.source, refused.line, refused.reason, f"{refused.key}: {refused.excerpt}")
        return len([one for one, _ in told if one not in held]) + len(contradictions)

    def _follow(self, homes: dict[str, str]) -> None:
        """Count materials that turned out to be one crystal as one."""
        for former, home in sorted(homes.items()):
            places = {place for one in (former, home) if one in self._first for place in self._places(one)}
            self._first[home] = min(places)
            if len(places) > 1:
                self._again[home] = places
            self._again.pop(former, None)

    def _places(self, material: str) -> set[int]:
        return self._again.get(material, {self._first[material]})

    def _held(self, answers: dict[str, list[Answer]]) -> set[Answer]:
        """Answers that were left out, and told, with their own batch."""
        found: set[Answer] = set()
        for place, batch in enumerate(self.batches):
            first = [one for one in answers.get(batch.digest, []) if self._first[one.place[0]] == place]
            found |= {one for one, _ in left_out(first)}
        return found


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
    load = Load(source)
    loaded = already = refused = 0
    for batch in batches:
        known = imports.seen(batch.digest)
        if known:
            load.enter(batch, known.materials)
        new, there, bad = (0, known.n, known.refused) if known else _take(load, batch)
        loaded, already, refused = loaded + new, already + there, refused + bad
        progress(f"{batch.name}: {loaded} new, {already} there already, {refused} refused", batch.share)
    return LoadReport(loaded, already, refused + load.settle())


def _take(load: Load, batch: Batch) -> tuple[int, int, int]:
    """New materials, known materials and refusals of one batch."""
    documents, refused = Documents(), 0
    for item in batch.read():
        refused += load.tell(batch, [item] if isinstance(item, Refusal) else _keep(documents, item, batch.file))
    n = len(documents.materials)
    if not n:  # a source without a good entry leaves nothing behind but its quarantine
        return 0, 0, refused
    ids = documents.save_materials()
    written = documents.save(load.enter(batch, ids), load.offered)
    refused += load.tell(batch, written.told)
    imports.note(
        batch.digest, source=load.source, materials=ids, n=n, refused=refused,
        answers=[one.row() for one in documents.answers], added=written.added,
    )  # fmt: skip
    return documents.new, n - documents.new, refused


def _keep(documents: Documents, entry: Entry, file: str | None) -> list[Refusal]:
    """Add an entry; why it, or a part of it, was left out."""
    excerpt = entry.structure.composition.reduced_formula if len(entry.structure) else ""
    try:
        documents.add(entry, file)
    except BAD as error:
        return [Refusal(entry.key, reason_of(error), excerpt, entry.line)]
    return [Refusal(entry.key, remark, f"{excerpt}, {remark}", entry.line) for remark in entry.remarks]
