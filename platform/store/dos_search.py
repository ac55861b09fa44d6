"""The stored curves nearest to a given one, among all materials and all results of candidates.

Every process keeps the curves of a kind in memory, 12 MB for 20,000 densities of states, and asks before each search
whether they still are what the store holds: how many there are, and which came since the newest it knows. What was
added is read alone; if anything was removed or replaced, the ids are compared and the difference is read.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.curves import GRIDS
from fermiloop.platform.representations.spectral_search import SLACK, Metric, Window, compare, order, prepare
from fermiloop.platform.representations.spectrum import SpectrumGrid
from fermiloop.schemas.fields import DTYPE
from fermiloop.schemas.material import Material
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import SpectrumKind

BATCH: Final = 5000
MOST_PREPARED: Final = 6  # pairs of metric and window kept at once
FIELDS: Final = {"material": 1, "method": 1, "created_at": 1, "lo": 1, "hi": 1, "n": 1, "values": 1}


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
    newest: datetime | None = None
    edge: frozenset[str] = frozenset()
    about: Mapping[str, tuple[str, str, datetime]] = field(default_factory=dict)
    cover: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    curves: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    prepared: dict[tuple[Metric, Window], Any] = field(default_factory=dict)

    def ready_for(self, metric: Metric, window: Window) -> Any:
        """The prepared curves, made where they are not kept."""
        made = self.prepared.pop((metric, window), None)
        if made is None:
            made = prepare(self.curves, metric, window)
            while len(self.prepared) >= MOST_PREPARED:
                self.prepared.pop(next(iter(self.prepared)))
        self.prepared[metric, window] = made
        return made


_tables: dict[SpectrumKind, tuple[Any, _Table]] = {}
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
        First and last point that count, in the unit of the axis, eV about the Fermi level for a density of states; the
        whole grid by default.
    limit
        Most materials.
    method
        Curves by this method alone.
    kind
        Kind of the curves.
    exclude, among
        Ids of materials left out, and of those that are asked about.

    Raises
    ------
    InputError
        If the curve is not on the grid or vanishes in the window, the window or metric does not hold, or the limit is
        not positive.
    """
    where, how = Window.of(GRIDS[kind], window), _metric(metric)
    one = _checked(curve, where)
    if limit < 1:
        raise InputError(f"The limit must be at least 1, not {limit}.")
    with _lock:
        table = _current(kind)
        if not table.about:
            return []
        prepared = table.ready_for(how, where)
    values = compare(prepared, prepare(one[None], how, where)[0], how, where)
    covering = (table.cover[:, 0] <= where.lo + SLACK) & (table.cover[:, 1] >= where.hi - SLACK)
    rows, left_out = list(table.about.items()), set(exclude)
    wanted = None if among is None else set(among)
    best: dict[str, tuple[str, str, float]] = {}
    for i in order(values, how):
        spectrum, (material, by, _) = rows[i]
        counts = covering[i] and method in (None, by) and material not in left_out
        if counts and (wanted is None or material in wanted):
            best.setdefault(material, (spectrum, by, float(values[i])))
        if len(best) == limit:
            break
    formulas = _formulas(best)
    return [Neighbour(key, s, by, formulas.get(key), value) for key, (s, by, value) in best.items()]


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


def _checked(curve: ArrayLike, window: Window) -> NDArray[np.float64]:
    values = np.asarray(curve, dtype=float)
    if values.shape != (window.grid.n,) or not np.isfinite(values).all():
        raise InputError(f"The curve to compare with needs {window.grid.n} finite values, one for each grid point.")
    if not (window.part(values) > 0).any():
        raise InputError(
            f"The curve vanishes between {window.lo:g} and {window.hi:g} {window.grid.unit}, so nothing can be like it."
        )
    return values


def _formulas(ids: Iterable[str]) -> dict[str, str]:
    wanted, found = list(ids), dict[str, str]()
    for start in range(0, len(wanted), BATCH):
        rows = Material._get_collection().find({"_id": {"$in": wanted[start : start + BATCH]}}, {"formula": 1})  # noqa: SLF001
        found |= {row["_id"]: row["formula"] for row in rows}
    return found


def _current(kind: SpectrumKind) -> _Table:
    """The table of a kind as the store is now."""
    collection = Spectrum._get_collection()  # noqa: SLF001  (projections of many: mongoengine's objects are slow)
    owner, table = _tables.get(kind, (None, _Table()))
    if owner != collection:
        table = _Table()
    # Counted before anything is read: what comes in between makes the next count differ.
    total = collection.estimated_document_count()
    since = {"created_at": {"$gte": table.newest}} if table.newest else {}
    fresh = {row["_id"]: row for row in collection.find(since, {"kind": 1, "created_at": 1})}
    late = {key: row["created_at"] for key, row in fresh.items() if key not in table.edge}
    if total != table.total or late:
        only_added = total == table.total + len(late) and not table.about.keys() & late.keys()
        if only_added or table.newest is None:
            new = [key for key in late if fresh[key]["kind"] == kind]
        else:
            table, new = _compared(collection, kind, table)
        newest = max((row["created_at"] for row in fresh.values()), default=None)
        edge = frozenset(key for key, row in fresh.items() if row["created_at"] == newest)
        table = replace(_extended(collection, table, GRIDS[kind], new), total=total, newest=newest, edge=edge)
        _tables[kind] = (collection, table)
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
    for start in range(0, len(new), BATCH):
        rows = list(collection.find({"_id": {"$in": new[start : start + BATCH]}}, FIELDS))
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
