"""The stored curves nearest to a given one, among all materials and all results of candidates.

Every process keeps the curves of a kind in memory, 12 MB for 20,000 densities of states. Before each search it asks
what came since the newest that it knows and reads that alone; after it, whether what was found is still there as it
was. If not, or if the number of spectra differs, which is looked at every other second because counting is what takes
longest, all ids are compared and the difference is read.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.grids import GRIDS
from fermiloop.platform.representations.spectral_search import SLACK, Metric, Window, compare, order, prepare
from fermiloop.platform.representations.spectrum import SpectrumGrid
from fermiloop.platform.store import methods, spectra
from fermiloop.platform.store.batches import in_batches
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.fields import DTYPE
from fermiloop.schemas.material import Material
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import Alignment

BATCH: Final = 5000
COUNT_SECONDS = 2.0  # at most so often the spectra are counted
MOST_PREPARED: Final = 6  # pairs of metric and window kept at once
FIELDS: Final = dict.fromkeys(("material", "method", "created_at", "lo", "hi", "n", "values", "alignment", "gap"), 1)


@dataclass(frozen=True)
class Neighbour:
    """A material near to what was asked for.

    Parameters
    ----------
    material, spectrum, method
        Ids of the material, of its nearest curve, and of how that was computed.
    formula
        Reduced formula; None where the store has a curve without its material.
    value
        Of the metric: cosine or Tanimoto coefficient, 1 for the same shape; or the Wasserstein distance in the
        unit of the axis, 0 for the same shape.
    """

    material: str
    spectrum: str
    method: str
    formula: str | None
    value: float


@dataclass(frozen=True)
class _Table:
    """All curves of one kind as they were read.

    Parameters
    ----------
    total
        Spectra of all kinds in the store.
    counted
        When they were counted, by the monotonic clock, in seconds.
    newest, edge
        Latest time of a spectrum of any kind, and the ids that bear it.
    about
        (material, method, time of writing) by spectrum id, in the order of the rows.
    cover
        (k, 2) first and last point of each curve, in the unit of the axis.
    curves
        (k, n) float32 on the kind's grid, 0 where a curve does not reach.
    prepared
        What each metric needs in each window, latest last.
    """

    total: int = 0
    counted: float = 0.0
    newest: datetime | None = None
    edge: frozenset[str] = frozenset()
    about: Mapping[str, tuple[str, str, datetime]] = field(default_factory=dict)
    cover: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    curves: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    prepared: dict[tuple[Metric, Window], Any] = field(default_factory=dict)

    @cached_property
    def ids(self) -> list[str]:
        """Spectrum of each row."""
        return list(self.about)

    @cached_property
    def materials(self) -> list[str]:
        """Material of each row."""
        return [material for material, _, _ in self.about.values()]

    @cached_property
    def methods(self) -> list[str]:
        """Method of each row."""
        return [method for _, method, _ in self.about.values()]

    def ready_for(self, metric: Metric, window: Window) -> Any:
        """The prepared curves, made where they are not kept."""
        made = self.prepared.pop((metric, window), None)
        if made is None:
            made = prepare(self.curves, metric, window)
            while len(self.prepared) >= MOST_PREPARED:
                self.prepared.pop(next(iter(self.prepared)))
        self.prepared[metric, window] = made
        return made


_tables: dict[SpectrumKind, tuple[Any, Alignment, _Table]] = {}
_lock = threading.Lock()


def nearest(
    curve: ArrayLike,
    *,
    metric: Metric | str = Metric.COSINE,
    window: tuple[float, float] | None = None,
    limit: int = 10,
    method: str | None = None,
    kind: SpectrumKind = SpectrumKind.DOS,
    exclude: Collection[str] = (),
    among: Collection[str] | None = None,
) -> list[Neighbour]:
    """Materials whose curve is nearest to one on the kind's grid, nearest first.

    A material with curves by several methods counts with its nearest. Curves that do not cover the window take no part.

    Parameters
    ----------
    curve
        (n,) values on ``GRIDS[kind]``, in any normalisation; outside the window they do not count.
    metric
        How curves are compared.
    window
        First and last point that count, in the unit of the axis, eV about the store's zero for a density of states; the
        whole grid by default.
    limit
        Most materials.
    method
        Curves by this method, and by those whose curves may stand beside its own.
    kind
        Kind of the curves.
    exclude, among
        Ids of materials left out, and of those that are asked about.

    Raises
    ------
    InputError
        If the curve is not on the grid or vanishes in the window, the window or metric is invalid, or the limit is
        not positive.
    """
    where, how = Window.of(GRIDS[kind], window), _metric(metric)
    _check(curve, where)
    if limit < 1:
        raise InputError(f"The limit must be at least 1, not {limit}.")
    one, thorough = np.asarray(curve, dtype=float), False
    left_out, wanted = set(exclude), None if among is None else set(among)
    allowed = None if method is None else set(methods.curves_beside(method))
    while True:
        with _lock:
            table = _current(kind, thorough=thorough)
            prepared = table.ready_for(how, where) if table.about else None
        if prepared is None:
            return []
        values = compare(prepared, prepare(one[None], how, where)[0], how, where)
        best = _best(table, order(values, how), where, allowed, left_out, wanted, limit)
        if thorough or _still_there(table, best):
            break
        thorough = True
    names = [table.materials[i] for i in best]
    formulas = _formulas(names)
    return [
        Neighbour(name, table.ids[i], table.methods[i], formulas.get(name), float(values[i]))
        for name, i in zip(names, best, strict=True)
    ]


def _best(
    table: _Table, ranked: NDArray[np.intp], where: Window, allowed: set[str] | None, left_out: set[str],
    wanted: set[str] | None, limit: int,
) -> list[int]:  # fmt: skip
    """Rows of the first `limit` materials that count, each with its nearest curve."""
    covering = (table.cover[:, 0] <= where.lo + SLACK) & (table.cover[:, 1] >= where.hi - SLACK)
    best: dict[str, int] = {}
    for i in ranked[covering[ranked]]:
        material = table.materials[i]
        comparable = allowed is None or table.methods[i] in allowed
        counts = comparable and material not in left_out and material not in best
        if counts and (wanted is None or material in wanted):
            best[material] = int(i)
            if len(best) == limit:
                break
    return list(best.values())


def _still_there(table: _Table, rows: list[int]) -> bool:
    """Whether the spectra of these rows are in the store as they were read."""
    there: dict[str, datetime] = {}
    for batch in in_batches(rows, BATCH):
        ids = [table.ids[i] for i in batch]
        found = Spectrum._get_collection().find({"_id": {"$in": ids}}, {"created_at": 1})  # noqa: SLF001
        there |= {row["_id"]: row["created_at"] for row in found}
    return all(there.get(table.ids[i]) == table.about[table.ids[i]][2] for i in rows)


def fingerprints(materials: Iterable[str | None]) -> dict[str, list[int]]:
    """Fingerprint of the density of states of each material, that of its first spectrum by id.

    Materials without a curve over the whole grid are left out.
    """
    where, wanted = Window.of(GRIDS[SpectrumKind.DOS]), set(materials)
    with _lock:
        table = _current(SpectrumKind.DOS)
    rows: dict[str, int] = {}
    for i, (material, _, _) in enumerate(table.about.values()):
        covers = table.cover[i, 0] <= where.lo + SLACK and table.cover[i, 1] >= where.hi - SLACK
        if covers and material in wanted:
            rows.setdefault(material, i)
    if not rows:
        return {}
    levels = prepare(table.curves[list(rows.values())], Metric.FINGERPRINT, where)
    return {material: [int(level) for level in row] for material, row in zip(rows, levels, strict=True)}


def _metric(metric: Metric | str) -> Metric:
    try:
        return Metric(metric)
    except ValueError:
        raise InputError(f"The metric {metric!r} is unknown; known are {', '.join(Metric)}.") from None


def _check(curve: ArrayLike, window: Window) -> None:
    values = np.asarray(curve, dtype=float)
    if values.shape != (window.grid.n,) or not np.isfinite(values).all():
        raise InputError(f"The curve to compare with needs {window.grid.n} finite values, one for each grid point.")
    if not (window.part(values) > 0).any():
        raise InputError(
            f"The curve vanishes between {window.lo:g} and {window.hi:g} {window.grid.unit}, so nothing can be like it."
        )


def _formulas(ids: Iterable[str]) -> dict[str, str]:
    wanted, found = list(ids), dict[str, str]()
    for batch in in_batches(wanted, BATCH):
        rows = Material._get_collection().find({"_id": {"$in": batch}}, {"formula": 1})  # noqa: SLF001
        found |= {row["_id"]: row["formula"] for row in rows}
    return found


def _current(kind: SpectrumKind, *, thorough: bool = False) -> _Table:
    """The table of a kind as the store is now; where `thorough`, all ids are compared."""
    collection = Spectrum._get_collection()  # noqa: SLF001  (projections of many: mongoengine's objects are slow)
    zero = spectra.alignment()
    owner, about, table = _tables.get(kind, (None, zero, _Table()))
    if owner != collection or about is not zero:
        table = _Table()
    # Counted before anything is read: what comes in between makes the next count differ.
    due = thorough or table.newest is None or time.monotonic() - table.counted > COUNT_SECONDS
    total = collection.estimated_document_count() if due else None
    since = {"created_at": {"$gte": table.newest}} if table.newest else {}
    fresh = {row["_id"]: row for row in collection.find(since, {"kind": 1, "created_at": 1})}
    late = {key: row["created_at"] for key, row in fresh.items() if key not in table.edge}
    grown = table.total + len(late)
    if not late and total in (None, table.total) and not thorough:
        if due:
            table = replace(table, counted=time.monotonic())
            _tables[kind] = (collection, zero, table)
        return table
    replaced = bool(table.about.keys() & late.keys())
    if table.newest is None or (total in (None, grown) and not replaced and not thorough):
        new = [key for key in late if fresh[key]["kind"] == kind]
    else:
        table, new = _compared(collection, kind, table)
    newest = max((row["created_at"] for row in fresh.values()), default=None)
    edge = frozenset(key for key, row in fresh.items() if row["created_at"] == newest)
    table = _extended(collection, table, GRIDS[kind], new)
    counted = time.monotonic() if due else table.counted
    table = replace(table, total=grown if total is None else total, counted=counted, newest=newest, edge=edge)
    _tables[kind] = (collection, zero, table)
    return table


def _compared(collection: Any, kind: SpectrumKind, table: _Table) -> tuple[_Table, list[str]]:
    """The table without what was removed or replaced, and the ids that it lacks."""
    there = {row["_id"]: row["created_at"] for row in collection.find({"kind": str(kind)}, {"created_at": 1})}
    kept = np.array([there.get(key) == row[2] for key, row in table.about.items()], dtype=bool)
    about = {key: row for (key, row), keep in zip(table.about.items(), kept, strict=True) if keep}
    left = _Table(about=about, cover=table.cover[kept], curves=table.curves[kept])
    return left, [key for key in there if key not in about]


def _extended(collection: Any, table: _Table, grid: SpectrumGrid, new: list[str]) -> _Table:
    """The table with curves that are new, its rows by spectrum id."""
    if not new:
        return table
    about, cover, curves = dict(table.about), [table.cover], [table.curves.reshape(-1, grid.n)]
    for batch in in_batches(new, BATCH):
        found = collection.find({"_id": {"$in": batch}}, FIELDS)
        rows = [row | dict(zip(("lo", "hi"), spectra.axis(row), strict=True)) for row in found]
        about |= {row["_id"]: (row["material"], row["method"], row["created_at"]) for row in rows}
        cover.append(np.array([(row["lo"], row["hi"]) for row in rows]).reshape(-1, 2))
        curves.append(_on_grid(rows, grid))
    by_id = sorted(range(len(about)), key=list(about).__getitem__)
    return _Table(
        about=dict(sorted(about.items())), cover=np.concatenate(cover)[by_id], curves=np.concatenate(curves)[by_id]
    )


def _on_grid(rows: list[dict[str, Any]], grid: SpectrumGrid) -> NDArray[np.float32]:
    """(k, n) curves interpolated onto a grid, 0 where they do not reach, those of one axis together."""
    out = np.zeros((len(rows), grid.n), dtype=np.float32)
    axes: dict[tuple[float, float, int], list[int]] = {}
    for i, row in enumerate(rows):
        axes.setdefault((row["lo"], row["hi"], row["n"]), []).append(i)
    for (lo, hi, n), members in axes.items():
        values = np.stack([np.frombuffer(rows[i]["values"], dtype=DTYPE) for i in members])
        place = (grid.points - lo) / (hi - lo) * (n - 1)
        left = np.clip(np.floor(place + SLACK).astype(int), 0, n - 2)
        share = (place - left).astype(np.float32)
        inside = (grid.points >= lo - SLACK) & (grid.points <= hi + SLACK)
        out[members] = (values[:, left] * (1 - share) + values[:, left + 1] * share) * inside
    return out
