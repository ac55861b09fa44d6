"""High-throughput virtual screening in retrospect: what a funnel keeps of the good crystals, and at what cost.

Half of a file's crystals are known, with labels; the other half, which shares no composition and no prototype with
them, is the library to be screened, its labels hidden.
Good is what lies at most 0.02 eV/atom above the hull and has a band gap in a window. The stages go from cheap to
costly, as in the review (Noh et al., Chem. Sci. 11, 4871, 2020, section 2): chemical rules, geometry, a prescreen by
composition, one by the crystal; the shares that the prescreens keep were fixed beforehand. Structures of a file are
relaxed, which flatters a prescreen that sees them, so the last one is judged a second time on crystals at the volume
of their elements, as an enumeration would give them (the review's figure 2a names that trap). What the composition
says outweighs the volume there: most of the best are the same, so counts of good ones may well be equal, and the rows
say how many of the best are. The review gives counts
of such campaigns (12,831 to 21, 68,860 to 43) but neither recall nor enrichment, so nothing published stands beside.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import ndtr

from fermiloop.platform.bench.crystal_data import formulas, read_crystals
from fermiloop.platform.bench.splits import APART, SEED, Parts, apart
from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.decoration import Decorator
from fermiloop.platform.generators.protocol import Space, Target
from fermiloop.platform.predictors.descriptors import composition_descriptors, structure_descriptors
from fermiloop.platform.predictors.ensemble import EnsembleOptions, PropertyEnsemble
from fermiloop.platform.predictors.potential.analytic import AnalyticPotential
from fermiloop.platform.screening.enrichment import StageRecall, enrichment_of_best, recall_by_stage
from fermiloop.platform.screening.geometry import check_geometry
from fermiloop.platform.screening.rules import check_rules
from fermiloop.platform.screening.verdicts import Context, Crystal, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]

HULL: Final = 0.02
"""eV/atom."""
GAP: Final = (1.0, 2.0)
"""eV."""
KEEP: Final = (0.3, 0.3)
"""Share of what reaches the prescreen by composition, and that by the crystal, that each lets through."""
BEST: Final = (0.01, 0.05)
"""Shares of the whole library at which a ranking is judged."""
QUICK_ROWS: Final = 1_500
QUICK_EPOCHS: Final = 4
FEWEST_GOOD: Final = 5
NAMES: Final = ("band_gap", "energy_above_hull")


@dataclass(frozen=True)
class Library:
    """Known crystals, hidden ones, and which of these are good."""

    known: TrainingSet
    hidden: TrainingSet
    truth: Flags


def run_bench(data: Path | None, quick: bool, seed: int, progress: Callable[[str, float], None]) -> dict[str, Any]:
    """Recall and enrichment of each stage, then of the ranking alone.

    Parameters
    ----------
    data
        Crystals with band gaps and energies above the hull.
    quick
        Few crystals and epochs: a check, not a figure.
    seed
        Of the split and the trainings.
    progress
        Told the stage and the share done.

    Raises
    ------
    InputError
        If the file holds too few crystals with both labels, or too few good ones.
    """
    began = time.perf_counter()
    if data is None:
        raise InputError("The bench of the funnel needs a file of crystals with labels; give one by --data.")
    progress("reading", 0.0)
    crystals, _ = read_crystals(data)
    library = make_library(crystals, quick, seed)
    seconds: dict[str, float] = {}
    kept: dict[str, Flags] = {}
    alive: Flags = np.ones(len(library.truth), dtype=bool)
    for place, (stage, check) in enumerate((("rules", check_rules), ("geometry", check_geometry))):
        progress(stage, 0.1 + 0.1 * place)
        alive, seconds[stage] = _checked(library.hidden, alive, check)
        kept[stage] = alive
    rows, ranking = [], None
    for inputs, share, done in (("composition", KEEP[0], 0.3), ("structure", KEEP[1], 0.5)):
        progress(f"prescreen by {inputs}", done)
        started = time.process_time()
        model = Prescreen(inputs, library.known, quick, seed)
        ranking = model.score(library.hidden.structures)
        alive = _best_of(ranking, alive, share)
        kept[f"prescreen by {inputs}"], seconds[f"prescreen by {inputs}"] = alive, time.process_time() - started
        rows += _ranking_rows(f"ranking by {inputs}", ranking, library.truth)
    progress("unrelaxed crystals", 0.9)
    by_rule = model.score(_at_volume_by_rule(library))
    rows += _ranking_rows("ranking by structure, volumes by rule", by_rule, library.truth, ranking)
    progress("done", 1.0)
    stages = [_stage_row(row, seconds[row.stage]) for row in recall_by_stage(kept, library.truth)]
    return {
        "rows": stages + rows,
        "data": {
            "file": data.name,
            "n": len(library.truth),
            "known": len(library.known),
            "good": int(library.truth.sum()),
        },
        "settings": {"quick": quick, "seed": seed, "split": APART, "hull": HULL, "gap": GAP, "keep": KEEP},
        "seconds": time.perf_counter() - began,
    }


def make_library(crystals: TrainingSet, quick: bool, seed: int) -> Library:
    """Half of the crystals known, half hidden that share neither a composition nor a prototype with them.

    Raises
    ------
    InputError
        If there are too few crystals with both labels, or too few good ones.
    """
    labels = [crystals.labels.get(name, np.full(len(crystals), np.nan)) for name in NAMES]
    labelled = np.flatnonzero(np.isfinite(labels).all(axis=0))
    if quick:
        labelled = np.sort(np.random.default_rng(seed).permutation(labelled)[:QUICK_ROWS])
    if len(labelled) < 100:
        raise InputError(
            f"{len(labelled)} crystals have a band gap and an energy above the hull; the bench needs 100 or more."
        )
    data = crystals.subset(labelled.tolist())
    first, second = apart(data, (0.5, 0.5), SEED + seed)
    known, hidden = data.subset(first.tolist()), data.subset(second.tolist())
    gaps, hulls = (hidden.labels[name] for name in NAMES)
    truth = (hulls <= HULL) & (gaps >= GAP[0]) & (gaps <= GAP[1])
    if truth.sum() < FEWEST_GOOD:
        raise InputError(f"Only {int(truth.sum())} hidden crystals are good; {FEWEST_GOOD} or more tell something.")
    return Library(known, hidden, np.asarray(truth))


def held_out(crystals: TrainingSet, quick: bool, seed: int) -> list[Parts]:
    """What figures of held-out crystals are learned from and measured on."""
    library = make_library(crystals, quick, seed)
    return [Parts("prescreens", library.known, library.hidden)]


class Prescreen:
    """Ensembles of both properties; the score is the probability that a crystal is good, errors taken as independent.

    Parameters
    ----------
    inputs
        ``"composition"`` or ``"structure"``.
    known
        What is learned from.
    quick
        Few epochs.
    seed
        Of the trainings.
    """

    def __init__(self, inputs: str, known: TrainingSet, quick: bool, seed: int) -> None:
        self.describe = composition_descriptors if inputs == "composition" else structure_descriptors
        options = EnsembleOptions(epochs=QUICK_EPOCHS if quick else None)
        described, kinds = self.describe(known.structures), formulas(known)
        self.models = {}
        for name in NAMES:
            self.models[name] = PropertyEnsemble(name, inputs, options)
            self.models[name].fit_rows(described, known.labels[name], kinds, seed, lambda _what, _share: None)

    def score(self, structures: Sequence[Structure]) -> Array:
        """(n,) probabilities."""
        described = self.describe(structures)
        gap, gap_std = self.models["band_gap"].predict_rows(described)
        hull, hull_std = self.models["energy_above_hull"].predict_rows(described)
        low, high = (ndtr((edge - gap) / gap_std) for edge in GAP)
        return np.asarray((high - low) * ndtr((HULL - hull) / hull_std))


def _checked(hidden: TrainingSet, alive: Flags, check: Callable[[Crystal, Context], Verdict]) -> tuple[Flags, float]:
    """Which crystals pass a check of the funnel, and its seconds."""
    systems = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic")
    most = max(len(structure) for structure in hidden.structures)
    context = Context(Target(), Space((), (1, 9), systems, most), AnalyticPotential())
    began = time.process_time()
    passed = [
        bool(there) and check(Crystal(i, structure), context).passed
        for i, (there, structure) in enumerate(zip(alive, hidden.structures, strict=True))
    ]
    return np.array(passed), time.process_time() - began


def _best_of(scores: Array, alive: Flags, share: float) -> Flags:
    """The best-scored share of those that are alive."""
    order = np.argsort(-np.where(alive, scores, -np.inf), kind="stable")
    kept = np.zeros_like(alive)
    kept[order[: max(1, round(share * int(alive.sum())))]] = True
    return kept & alive


def _at_volume_by_rule(library: Library) -> list[Structure]:
    """The hidden crystals at the volume that known ones let expect, shape and sites as they are."""
    decorator = Decorator.learn(library.known, "none")
    made = []
    for structure in library.hidden.structures:
        crystal = structure.copy()
        crystal.scale_lattice(decorator.volume_per_atom(crystal.composition.get_el_amt_dict()) * len(crystal))
        made.append(crystal)
    return made


def _stage_row(found: StageRecall, seconds: float) -> dict[str, Any]:
    low, high = wilson(found.good_out, found.good)
    return {
        "what": f"{found.stage}: share of the good ones left",
        "published": None,
        "ours": found.recall,
        "ours_low": low,
        "ours_high": high,
        "n": found.good,
        "baseline": found.n_out / found.n,
        "seconds": round(seconds, 2),
        "enrichment": found.enrichment,
        "note": f"{found.n_in} in, {found.n_out} out; baseline: as many at random",
    }


def _ranking_rows(what: str, scores: Array, truth: Flags, other: Array | None = None) -> list[dict[str, Any]]:
    """Good ones among the best; `other` scores tell how many of these are the best by them too."""
    rows = []
    for share in BEST:
        n = max(1, round(share * len(truth)))
        best = np.argsort(-scores, kind="stable")[:n]
        hits = int(truth[best].sum())
        same = "" if other is None else f"; {_both(best, other)} of {n} the same as at the volumes of the file"
        low, high = wilson(hits, n)
        rows.append(
            {
                "what": f"{what}: good ones among the best {share:.0%}",
                "published": None,
                "ours": hits / n,
                "ours_low": low,
                "ours_high": high,
                "n": n,
                "baseline": float(truth.mean()),
                "seconds": None,
                "enrichment": enrichment_of_best(scores, truth, share),
                "note": f"of the whole library, rules and geometry unasked; baseline: at random{same}",
            }
        )
    return rows


def _both(best: NDArray[np.int64], other: Array) -> int:
    """How many of the best are among as many by other scores."""
    return len(set(best.tolist()) & set(np.argsort(-other, kind="stable")[: len(best)].tolist()))
