"""Candidates of binary systems judged: relaxed, formation energy, above which hull; and the rows of a table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from pymatgen.analysis.structure_matcher import StructureMatcher
from scipy.stats import spearmanr

from fermiloop.platform.bench.ccdcgan_arms import RANDOM
from fermiloop.platform.bench.ccdcgan_made import unreported
from fermiloop.platform.bench.ccdcgan_relaxed import BinaryHull, lowest
from fermiloop.platform.bench.crystal_scores import Share, row
from fermiloop.platform.generators.acceptance import fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.bench.ccdcgan_relaxed import Relaxed, Relaxer
    from fermiloop.platform.generators.ccdcgan.generator import Ccdcgan

    Array = NDArray[np.float64]
    System = tuple[str, str]

PUBLISHED: Final = {"negative": 0.72, "shift": 0.10, "yield": 0.183, "novel": 0.907, "reproduced": 0.87}
NETWORKS: Final = ("CCDCGAN", "DCGAN")
"""With the constraint and without."""
NEAR: Final = 0.1  # eV/atom above the hull
SAME: Final = 0.002
"""eV/atom below the hull that is no new point yet: relaxations end within it."""
DRAWS: Final = 2000
FEWEST: Final = 10
"""Elements over which frequencies can be compared."""
REPRODUCED: Final = 200
QUANTILES: Final = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Judged:
    """One candidate.

    Parameters
    ----------
    system, way
        What of, and by what.
    found
        Before and after relaxation.
    formation, before
        Formation energies after and before, eV/atom; NaN where there is none.
    above, above_table
        Energies above the potential's own hull of the known phases and above the hull of the table, eV/atom.
    known
        Place of the known phase that it became; None where it matches none.
    phases
        How many are known.
    """

    system: System
    way: str
    found: Relaxed
    formation: float
    before: float
    above: float
    above_table: float
    known: int | None
    phases: int

    @property
    def ended(self) -> bool:
        """Whether it has a formation energy."""
        return bool(np.isfinite(self.formation))

    @property
    def new_point(self) -> bool:
        """Whether it lies below the hull of the known phases and is none of them."""
        return self.ended and self.known is None and self.above < -SAME


def judge_system(
    system: System,
    made: Mapping[str, Sequence[Structure]],
    known: Sequence[Structure],
    relaxer: Relaxer,
    table: BinaryHull | None,
) -> list[Judged]:
    """Relax the known phases of a system and all candidates, and hold them against the hull."""
    phases = [relaxer.relaxed(one) for one in known]
    hull = BinaryHull.of(lowest([(_share(one, system), relaxer.formation(one)) for one in phases]))
    matcher, judged = StructureMatcher(), list[Judged]()
    for way, crystals in made.items():
        for crystal in crystals:
            found = relaxer.relaxed(crystal)
            formation, share = relaxer.formation(found), _share(found, system)
            alike = [i for i, one in enumerate(phases) if matcher.fit(found.structure, one.structure)]
            judged.append(
                Judged(
                    system, way, found, formation, relaxer.formation(found, before=True),
                    hull.above(share, formation), table.above(share, formation) if table else float("nan"),
                    alike[0] if alike and np.isfinite(formation) else None, len(phases),
                )
            )  # fmt: skip
    return judged


def chain_rows(judged: Sequence[Judged], systems: Sequence[System], ways: Sequence[str]) -> list[dict[str, Any]]:
    """Of each way all systems together; the constraint's effect; of each system the network beside random crystals."""
    parts = {way: [one for one in judged if one.way == way] for way in ways}
    rows = [line for way in ways for line in _way_rows(way, parts[way])]
    for what, field in (("formation energy", "formation"), ("energy above the hull", "above")):
        rows.append(_difference(what, field, *(parts[name] for name in NETWORKS)))
    return rows + [
        _system_row(system, {way: [one for one in part if one.system == system] for way, part in parts.items()})
        for system in systems
    ]


def free_rows(
    networks: Mapping[str, Ccdcgan], learned: Sequence[Structure], graphs: int, seed: int
) -> list[dict[str, Any]]:
    """What is made where the elements are free: yield, novelty, distinct systems and elements."""
    rows = []
    for name, network in networks.items():
        with torch.no_grad():
            noise = network.gan.noise(graphs, torch.Generator().manual_seed(seed))
            decoded = network.decoded(network.gan.rows(noise))
        crystals = [one for one in decoded if not isinstance(one, str) and fault(one) is None]
        systems = {frozenset(one.symbol_set) for one in crystals}
        elements = {symbol for system in systems for symbol in system}
        per = f"{len(crystals)} structures of {len(elements)} elements; published: 667 of 9,160, of 71 elements"
        rows += [
            row(f"{name}, elements free: structures per graph", Share(len(crystals), graphs),
                published=PUBLISHED["yield"]),
            row(f"{name}, elements free: unreported in the training set", unreported(crystals, learned),
                published=PUBLISHED["novel"], note="by StructureMatcher within a formula, not relaxed"),
            row(f"{name}, elements free: distinct systems", float(len(systems)), n=len(crystals), note=per),
            _elements_row(name, crystals, learned),
        ]  # fmt: skip
    return rows


def _elements_row(name: str, crystals: Sequence[Structure], learned: Sequence[Structure]) -> dict[str, Any]:
    """Rank correlation of how many crystals hold each element, made and learned: the paper shows them correlated."""
    counts = [Counter(symbol for one in part for symbol in one.symbol_set) for part in (crystals, learned)]
    pairs = np.array([[count[symbol] for count in counts] for symbol in sorted(counts[1])])
    what = f"{name}, elements free: rank correlation of the elements' frequencies with the training set"
    if len(pairs) < FEWEST or np.ptp(pairs, axis=0).min() == 0:
        return row(what, None, n=len(pairs), note="too few crystals")
    rng = np.random.default_rng(0)
    drawn = [spearmanr(*pairs[rng.integers(len(pairs), size=len(pairs))].T).statistic for _ in range(DRAWS)]
    interval = float(np.nanquantile(drawn, 0.025)), float(np.nanquantile(drawn, 0.975))
    note = f"Spearman's, over the elements of the training set; {len(crystals)} crystals made"
    return row(what, float(spearmanr(*pairs.T).statistic), n=len(pairs), interval=interval, note=note)


def reproduction_row(network: Ccdcgan, learned: Sequence[Structure], seed: int) -> dict[str, Any]:
    """Share of crystals that come back from their codes, of those of the training set whose images were not learned.

    Parameters
    ----------
    network
        Trained on `learned`.
    seed
        Of its training, by which its images were chosen.
    """
    fits = [one for one in learned if network.coder.fits(one)]
    unseen = np.random.default_rng(seed).permutation(len(fits))[network.options.max_images :][:REPRODUCED]
    crystals = [fits[i] for i in unseen]
    back = [network.coder.decode(codes) for codes in network.coder.encode(crystals)] if crystals else []
    matcher = StructureMatcher(stol=0.5, angle_tol=10, ltol=0.3)
    same = [not isinstance(made, str) and matcher.fit(made, one) for made, one in zip(back, crystals, strict=True)]
    note = "images not learned, chosen at random: polymorphs and prototypes on both sides; ltol 0.3, stol 0.5, 10°"
    what = f"reproduction ratio, {network.options.mode}, cells as {network.options.cells}"
    return row(what, Share.of(same), published=PUBLISHED["reproduced"], note=note)


def _way_rows(way: str, part: Sequence[Judged]) -> list[dict[str, Any]]:
    ended = [one for one in part if one.ended]
    above = np.array([one.above for one in ended])
    table = np.array([one.above_table for one in ended])
    shift = np.array([one.formation - one.before for one in ended if np.isfinite(one.before)])
    published = {key: value for key, value in PUBLISHED.items() if way == NETWORKS[0]}
    converged = sum(one.found.converged for one in part)
    note = f"{converged} converged within the steps; processor {sum(one.found.seconds for one in part):.0f} s"
    low, middle, high = np.quantile(above, QUANTILES) if len(above) else [float("nan")] * 3
    back = {(one.system, one.known) for one in part if one.known is not None}
    new = [one for one in part if one.new_point]
    return [
        row(f"{way}: relaxed to a crystal", Share.of(one.ended for one in part), note=note),
        row(f"{way}: E_f below zero", Share.of(one.formation < 0 for one in ended), published=published.get("negative"),
            note="of those relaxed"),
        row(f"{way}: mean change of E_f by relaxation, eV/atom", float(np.abs(shift).mean()) if len(shift) else None,
            published=published.get("shift"), n=len(shift), note="absolute"),
        _mean(f"{way}: mean energy above the hull, eV/atom", above,
              f"10th, 50th and 90th percentile: {low:.3f}, {middle:.3f}, {high:.3f}"),
        row(f"{way}: at most {NEAR:g} eV/atom above the hull", Share.of(above <= NEAR)),
        row(f"{way}: at most {NEAR:g} eV/atom above the table's hull", Share.of(table[np.isfinite(table)] <= NEAR)),
        row(f"{way}: new points on the hull", float(len(new)), n=len(ended),
            note=f"below the known phases; {sum(one.above_table < 0 for one in new)} below the table's hull too"),
        row(f"{way}: known phases found again", float(len(back)), n=len(ended),
            note=f"of {sum({one.system: one.phases for one in part}.values())}, after relaxation"),
        row(f"{way}: unreported after relaxation", Share.of(one.known is None for one in ended),
            note="match no known phase of their system"),
    ]  # fmt: skip


def _system_row(system: System, ways: Mapping[str, Sequence[Judged]]) -> dict[str, Any]:
    """Lowest energy above the hull of one system by the network; random crystals as baseline, the rest in the note."""
    first, least = NETWORKS[0], {way: _least(part) for way, part in ways.items()}
    negative = {way: Share.of(one.formation < 0 for one in part if one.ended) for way, part in ways.items()}
    told = [f"{way} {share.hits} of {share.n}" for way, share in negative.items()]
    phases = max((one.phases for part in ways.values() for one in part), default=0)
    others = [f"{way} {value:.3f}" for way, value in least.items() if way not in (first, RANDOM)]
    note = f"{phases} known phases; lowest of {', '.join(others)}; E_f below zero: {', '.join(told)}"
    what = f"{'-'.join(system)}: lowest energy above the hull, {first}, eV/atom"
    return row(what, least[first], baseline=least.get(RANDOM), n=negative[first].n, note=note)


def _least(part: Sequence[Judged]) -> float:
    return min((one.above for one in part if one.ended), default=float("nan"))


def _difference(what: str, field: str, drawn: Sequence[Judged], plain: Sequence[Judged]) -> dict[str, Any]:
    """Mean over systems of the difference, with against without the constraint; bootstrap over crystals in systems."""
    pairs = []
    for system in dict.fromkeys(one.system for one in drawn):
        two = [
            np.array([getattr(one, field) for one in part if one.system == system and one.ended])
            for part in (drawn, plain)
        ]
        pairs += [two] if all(map(len, two)) else []
    name = f"with minus without the constraint: {what}, eV/atom"
    if not pairs:
        return row(name, None, n=0, note="no system has crystals of both")

    def mean(choose: Callable[[Array], Array]) -> float:
        return float(np.mean([choose(with_).mean() - choose(without).mean() for with_, without in pairs]))

    rng = np.random.default_rng(0)
    drawn_again = [mean(lambda values: rng.choice(values, len(values))) for _ in range(DRAWS)]
    low, high = np.quantile(drawn_again, [0.025, 0.975])
    n = sum(len(with_) + len(without) for with_, without in pairs)
    found = row(name, mean(lambda values: values), n=n, note=f"mean over {len(pairs)} systems, equal weights")
    return found | {"ours_low": round(float(low), 4), "ours_high": round(float(high), 4)}


def _mean(what: str, values: Array, note: str) -> dict[str, Any]:
    """A mean with the bootstrap's interval."""
    if not len(values):
        return row(what, None, n=0)
    rng = np.random.default_rng(0)
    means = values[rng.integers(len(values), size=(DRAWS, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    found = row(what, float(values.mean()), n=len(values), note=note)
    return found | {"ours_low": round(float(low), 4), "ours_high": round(float(high), 4)}


def _share(found: Relaxed, system: System) -> float:
    """Of the system's second element."""
    return float(found.structure.composition.get_atomic_fraction(system[1]))
