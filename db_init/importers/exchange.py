"""Taking in what fermiloop wrote: materials with labels, curves, Methods, source and licence, checked field by field.

What the store holds stays as it is. A label or a curve that says otherwise than the one here is told in quarantine, and
left out with its later versions, which would stand before the one here. Loading what is here adds nothing; two files
that overlap give their union.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fermiloop.db_init.importers import exchange_file
from fermiloop.db_init.importers.entries import BAD, digest
from fermiloop.db_init.importers.exchange_file import Line
from fermiloop.db_init.importers.report import LoadReport, Progress, reason_of, silent
from fermiloop.platform.store import exchange, exchange_material, exchange_merge, imports, methods, quarantine
from fermiloop.platform.store.exchange_material import Known
from fermiloop.schemas.method import Method

CHUNK: Final = 200  # materials that are saved together
EXCERPT: Final = 200


@dataclass
class Tally:
    """What became of the records of a file."""

    source: str
    loaded: int = 0
    already: int = 0
    refused: int = 0
    read: dict[str, int] = field(default_factory=lambda: dict.fromkeys(exchange_file.TYPES, 0))

    def refuse(self, number: int | None, reason: str, excerpt: str = "") -> None:
        """Keep a refusal with its reason."""
        quarantine.put(self.source, number, _sentence(reason), excerpt)
        self.refused += 1


def load(path: Path, progress: Progress = silent) -> LoadReport:
    """Load a file of ours; a repeat adds nothing.

    Candidates are checked and passed over: they belong to a campaign, which comes with its archive.

    Raises
    ------
    InputError
        If the file cannot be read at all, or is of a later version.
    """
    opened = exchange_file.read(path)
    tally, known = Tally(path.name), _Methods()
    total = max(1, opened.counts["material"])
    for chunk in _chunks(opened.lines, tally, known):
        _save(chunk, tally, known)
        done = tally.loaded + tally.already
        progress(
            f"{path.name}: {tally.loaded} new, {tally.already} there already, {tally.refused} refused", done / total
        )
    _told_at_the_end(opened.counts, tally)
    n = tally.read["candidate"]
    passed = f"{n} candidates were passed over: they come with the archive of their campaign (campaign export)."
    return LoadReport(tally.loaded, tally.already, tally.refused, (passed,) if n else ())


class _Methods:
    """Methods of a file that were found right, saved when a material needs them."""

    def __init__(self) -> None:
        self._read: dict[str, Method] = {}
        self._saved: set[str] = set()

    def add(self, method: Method) -> None:
        self._read[method.id] = method

    def lacking(self, names: set[str]) -> list[str]:
        """Those that neither the file nor the store holds."""
        return sorted(names - self._read.keys() - methods.known(names))

    def save(self, names: set[str]) -> None:
        for name in sorted((names & self._read.keys()) - self._saved):
            one = self._read[name]
            methods.save(one.engine, one.functional, dict(one.settings), dict(one.code_versions))
            self._saved.add(name)

    def digest(self) -> list[str]:
        return sorted(self._read)


def _chunks(lines: Iterator[Line], tally: Tally, known: _Methods) -> Iterator[list[Line]]:
    """Materials in chunks; Methods, candidates and what is no record are dealt with on the way."""
    chunk: list[Line] = []
    for line in lines:
        if line.type is None:
            tally.refuse(line.number, line.fault)
            continue
        if not line.type:
            continue
        tally.read[line.type] += 1
        if line.type == "material":
            chunk.append(line)
        else:
            _check_other(line, tally, known)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _check_other(line: Line, tally: Tally, known: _Methods) -> None:
    try:
        if line.type == "method":
            known.add(exchange.method(line.record))
        elif line.record:
            exchange.candidate(line.record)
    except BAD as error:
        tally.refuse(line.number, reason_of(error), _excerpt(line.record))


def _save(chunk: list[Line], tally: Tally, known: _Methods) -> None:
    """Take in a chunk, unless it is wholly here."""
    mark = digest(exchange.FORMAT, exchange.VERSION, known.digest(), [line.record for line in chunk])
    seen = imports.seen(mark)
    if seen is not None:
        tally.already, tally.refused = tally.already + seen.n, tally.refused + seen.refused
        return
    before = tally.refused
    good = [found for line in chunk if (found := _checked(line, tally, known)) is not None]
    known.save({name for one in good for name in one.methods()})
    merged = exchange_merge.save(good)
    for sentence in merged.contradictions:
        tally.refuse(None, sentence, sentence)
    tally.loaded, tally.already = tally.loaded + merged.new, tally.already + len(good) - merged.new
    if good and not merged.contradictions:  # or a repeat would not look at them again
        ids = [one.material.id for one in good]
        imports.note(mark, source=tally.source, materials=ids, n=len(good), refused=tally.refused - before)


def _checked(line: Line, tally: Tally, known: _Methods) -> Known | None:
    try:
        found = exchange_material.read(line.record)
    except BAD as error:
        tally.refuse(line.number, reason_of(error), _excerpt(line.record))
        return None
    lacking = known.lacking(found.methods())
    if lacking:
        reason = (
            f"a label or a curve of {found.material.id} is by the Method {lacking[0]}, which the file does not contain"
        )
        tally.refuse(line.number, reason, _excerpt(line.record))
        return None
    for remark in found.remarks:
        tally.refuse(line.number, remark, f"{_excerpt(line.record)} {remark}")
    return found


def _told_at_the_end(counts: Mapping[str, int], tally: Tally) -> None:
    """Tell of what the header promises and the file lacks: a file that was cut off at the end of a line looks whole."""
    for name in ("material", "candidate"):
        if tally.read[name] < counts[name]:
            reason = f"the file was cut off: it holds {tally.read[name]} of {counts[name]} {name}s"
            tally.refuse(None, reason, reason)


def _excerpt(record: Mapping[str, Any]) -> str:
    return str({name: record[name] for name in ("id", "formula") if name in record})[:EXCERPT]


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:] + ("" if reason.endswith(".") else ".")
