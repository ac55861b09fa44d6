"""How fast the store answers with 100,000 candidates and 20,000 densities of states, beside bare pymongo.

    python benchmarks/database.py [--candidates N] [--curves N] [--queries N] [--folder FOLDER] [--json]

A scratch database is filled with variations of the seed library: its crystals with other elements, its curves moved
and mixed. Then every kind of query is asked as often as told, each time with other elements, ranges or curves, in turn
by the store and by pymongo alone, which asks the server for the same rows and fields and makes nothing of them. The
server is the embedded one of the folder, or the one that FERMILOOP_MONGODB_URI names.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pymongo.database import Database

DATABASE: Final = "fermiloop_benchmark"
ELEMENTS: Final = (
    "Li", "Be", "Na", "Mg", "Al", "Si", "K", "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga",
    "Ge", "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Cs", "Ba", "La", "Ce",
    "Nd", "Gd", "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Tl", "Pb", "Bi",
)  # fmt: skip
CAMPAIGNS: Final = 20
ROUNDS: Final = 10
BATCH: Final = 2000
SEED_AXIS: Final = np.linspace(-10.0, 8.0, 361)  # eV, of the seed library
LIMIT: Final = 20  # rows of a query, the default of the command line


def main(arguments: list[str] | None = None) -> int:
    """Fill, ask, print."""
    asked = _arguments(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["FERMILOOP_DATA_DIR"] = str(asked.folder or scratch)
        os.environ["FERMILOOP_DATABASE"] = DATABASE
        from fermiloop.platform.settings import settings
        from fermiloop.platform.store import connection, embedded

        try:
            fill(connection.database(), asked.candidates, asked.curves)
            rows = [*candidate_rows(asked.queries), *curve_rows(asked.queries)]
        finally:
            if asked.folder is None and not settings().mongodb_uri:
                embedded.stop(settings().data_dir)
    sys.stdout.write(json.dumps(rows, indent=2) + "\n" if asked.json else _table(rows))
    return 0


def fill(database: Database[dict[str, Any]], n_candidates: int, n_curves: int) -> None:
    """Make the collections, where they do not hold as many documents already."""
    from fermiloop.db_init import setup

    rng = np.random.default_rng(0)
    records = _records()
    have = database["candidates"].count_documents({}), database["spectra"].count_documents({})
    if have != (n_candidates, n_curves):
        for name in ("candidates", "spectra", "materials"):
            database.drop_collection(name)
        setup.init()
        start = time.perf_counter()
        for first in range(0, n_candidates, BATCH):
            numbers = range(first, min(first + BATCH, n_candidates))
            database["candidates"].insert_many([_candidate(records, i, rng) for i in numbers])
        for first in range(0, n_curves, BATCH):
            numbers = range(first, min(first + BATCH, n_curves))
            made = [_material_and_curve(records, i, rng) for i in numbers]
            database["materials"].insert_many([material for material, _ in made])
            database["spectra"].insert_many([curve for _, curve in made])
        sys.stderr.write(f"filled in {time.perf_counter() - start:.0f} s\n")


def candidate_rows(n: int) -> list[dict[str, Any]]:
    """Candidates by elements and a range, in several forms."""
    from fermiloop.platform.store.candidates import CandidateQuery, find, rows

    rng = np.random.default_rng(1)
    pairs = [tuple(str(e) for e in rng.choice(ELEMENTS, 2, replace=False)) for _ in range(n)]
    highs = [float(high) for high in rng.uniform(0.01, 0.3, n)]
    hull, similarity = "energy_above_hull", "score"
    kinds: dict[str, list[dict[str, Any]]] = {
        "two elements, hull": [{"elements": p, "scores": {hull: (0.0, h)}} for p, h in zip(pairs, highs, strict=True)],
        "one element, hull": [
            {"elements": p[:1], "scores": {hull: (0.0, h)}} for p, h in zip(pairs, highs, strict=True)
        ],
        "one element, similarity": [
            {"elements": p[:1], "scores": {similarity: (1 - h, 1.0)}} for p, h in zip(pairs, highs, strict=True)
        ],
        "one element, hull and similarity": [
            {"elements": p[:1], "scores": {hull: (0.0, h), similarity: (0.6, 1.0)}}
            for p, h in zip(pairs, highs, strict=True)
        ],
    }
    measured = [
        _measure(f"candidates: {name}", queries, lambda q: rows(CandidateQuery(**q, limit=LIMIT)), _bare_candidates)
        for name, queries in kinds.items()
    ]
    name, queries = next(iter(kinds.items()))
    whole = _measure(
        f"candidates, whole: {name}", queries, lambda q: find(CandidateQuery(**q, limit=LIMIT)), _bare_whole
    )
    return [*measured, whole]


def curve_rows(n: int) -> list[dict[str, Any]]:
    """The nearest of all curves by every metric, on the whole grid and in a window of its own each time."""
    from fermiloop.platform.representations.spectral_search import Metric
    from fermiloop.platform.representations.spectrum import DOS_GRID
    from fermiloop.platform.store import dos_search

    rng, records = np.random.default_rng(2), _records()
    queries = [DOS_GRID.resample(SEED_AXIS, _curve(records, i, rng)) for i in range(n)]
    start = time.perf_counter()
    dos_search.nearest(queries[0])
    first = {"query": "DOS: first search of a process", "n": 1, "p50_ms": 1e3 * (time.perf_counter() - start)}
    measured = [
        _measure(f"DOS: {metric}", queries, lambda q, m=metric: dos_search.nearest(q, metric=m, limit=LIMIT))
        for metric in Metric
    ]
    few = [
        (q, (round(float(a), 1), round(float(a) + 4, 1))) for q, a in zip(queries, rng.uniform(-7, 3, n), strict=True)
    ]
    moving = _measure(
        "DOS: cosine, another window each", few, lambda q: dos_search.nearest(q[0], window=q[1], limit=LIMIT)
    )
    bare = _measure("DOS: pymongo reads all curves", queries[:5], lambda _: _bare_curves())
    return [first, *measured, moving, bare]


def _measure(
    name: str, queries: Sequence[Any], ours: Callable[[Any], Any], bare: Callable[[Any], Any] | None = None
) -> dict[str, Any]:
    """Times of one kind of query; ours and the bare one take turns, so that both meet the same load."""
    taken: dict[str, list[float]] = {"": [], "pymongo_": []}
    hits = []
    for query in queries:
        for prefix, call in (("", ours), ("pymongo_", bare)):
            if call is not None:
                start = time.perf_counter()
                answer = call(query)
                taken[prefix].append(1e3 * (time.perf_counter() - start))
        hits.append(len(answer))
    row: dict[str, Any] = {"query": name, "n": len(queries), "mean_rows": float(np.mean(hits))}
    for prefix, times in taken.items():
        if times:
            row |= {f"{prefix}p50_ms": float(np.median(times)), f"{prefix}p95_ms": float(np.percentile(times, 95))}
    if bare is not None:
        row["p95_to_pymongo"] = row["p95_ms"] / row["pymongo_p95_ms"]
    return row


def _bare_candidates(query: dict[str, Any], projection: dict[str, int] | None = None) -> list[dict[str, Any]]:
    from fermiloop.platform.store import candidate_columns, connection

    fields = projection if projection is not None else dict.fromkeys(candidate_columns.NAMES, 1)
    match: dict[str, Any] = {f"scores.{k}": {"$gte": lo, "$lte": hi} for k, (lo, hi) in query["scores"].items()}
    first = next(iter(query["scores"]))
    order = {f"scores.{first}": -1 if first == "score" else 1, "_id": 1}
    collection, elements = connection.database()["candidates"], list(query["elements"])
    if len(elements) == 1:
        return list(collection.find({"elements": elements[0], **match}, fields).sort(list(order.items())).limit(LIMIT))
    stages = [
        {"$match": {"elements": elements[0], **match}},
        {"$match": {"elements": {"$all": elements}}},
        {"$sort": order},
        {"$limit": LIMIT},
    ]
    return list(collection.aggregate(stages + ([{"$project": fields}] if fields else [])))


def _bare_whole(query: dict[str, Any]) -> list[dict[str, Any]]:
    return _bare_candidates(query, {})


def _bare_curves() -> list[dict[str, Any]]:
    from fermiloop.platform.store import connection

    return list(connection.database()["spectra"].find({"kind": "dos"}, {"values": 1}))


def _records() -> list[dict[str, Any]]:
    from fermiloop.db_init.importers import seed

    return [row for _, row in seed.read(seed.SHIPPED)]


def _decorated(record: dict[str, Any], rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, int]]:
    """Crystal of a record with other elements, and how many atoms there are of each."""
    structure = copy.deepcopy(record["structure"])
    old = sorted({site["species"][0]["element"] for site in structure["sites"]})
    names = dict(zip(old, (str(e) for e in rng.choice(ELEMENTS, len(old), replace=False)), strict=True))
    counts: dict[str, int] = {}
    for site in structure["sites"]:
        element = names[site["species"][0]["element"]]
        site["species"][0]["element"] = site["label"] = element
        counts[element] = counts.get(element, 0) + 1
    return structure, counts


def _about(counts: dict[str, int]) -> dict[str, Any]:
    from pymatgen.core import Composition

    formula, elements = Composition(counts).reduced_formula, sorted(counts)
    return {
        "formula": formula,
        "formula_lower": formula.lower(),
        "elements": elements,
        "chemical_system": "-".join(elements),
        "n_sites": sum(counts.values()),
    }


def _candidate(records: list[dict[str, Any]], i: int, rng: np.random.Generator) -> dict[str, Any]:
    from fermiloop.schemas.base import now
    from fermiloop.schemas.candidate import Candidate

    structure, counts = _decorated(records[i % len(records)], rng)
    campaign, number = f"campaign-{i % CAMPAIGNS}", i // CAMPAIGNS % ROUNDS + 1
    scores = {
        "energy_per_atom": float(rng.normal(-4.0, 2.0)),
        "energy_above_hull": float(rng.gamma(1.2, 0.12) - 0.03),
        "score": float(rng.beta(5, 3)),
        "predicted_score_std": float(rng.random() * 0.1),
    }
    return {
        "_id": Candidate.make_id(campaign, number, "substitution", i), "campaign": campaign, "round": number,
        "generator": "substitution", "index": i, "structure": structure, **_about(counts), "seed": 7,
        "score": scores["score"], "stage": str(rng.choice(["rejected", "passed", "evaluated"])),
        "verdicts": [{"stage": s, "passed": True, "value": float(rng.random())} for s in ("geometry", "hull")],
        "scores": scores, "created_at": now(),
    }  # fmt: skip


def _curve(records: list[dict[str, Any]], i: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(361,) a mixture of two curves of the library, moved by up to an eV."""
    one, other = (np.asarray(records[k]["dos"], dtype=float) for k in (i % len(records), rng.integers(len(records))))
    return np.roll(one + float(rng.random()) * other, int(rng.integers(-20, 21))) + 1e-3


def _material_and_curve(
    records: list[dict[str, Any]], i: int, rng: np.random.Generator
) -> tuple[dict[str, Any], dict[str, Any]]:
    from fermiloop.schemas.base import now
    from fermiloop.schemas.spectrum import Spectrum

    record = records[i % len(records)]
    structure, counts = _decorated(record, rng)
    key = f"m-{i:016x}"
    material = {
        "_id": key, "structure": structure, **_about(counts), "n_elements": len(counts), "crystal_system": "cubic",
        "space_group": 221, "prototype": record["prototype"], "volume_per_atom": 15.0, "fingerprint": [0.0] * 80,
        "origin": "import", "source": {"name": "benchmark", "key": str(i), "licence": "MIT"}, "created_at": now(),
    }  # fmt: skip
    spectrum = Spectrum.from_arrays(key, SEED_AXIS, _curve(records, i, rng), method="method-benchmark")
    return material, spectrum.to_mongo().to_dict()


def _table(rows: list[dict[str, Any]]) -> str:
    keys = ("p50_ms", "p95_ms", "pymongo_p50_ms", "pymongo_p95_ms", "p95_to_pymongo")
    lines = ["| query | n | " + " | ".join(keys) + " |", "|---|---" + "|---:" * len(keys) + "|"]
    for row in rows:
        cells = (f"{row[key]:.2f}" if key in row else "–" for key in keys)
        lines.append(f"| {row['query']} | {row['n']} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--curves", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=200, help="of each kind")
    parser.add_argument("--folder", type=Path, help="of the embedded server, kept for the next time")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
