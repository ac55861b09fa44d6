"""Potentials judged on crystals whose energies by DFT are known: stability, volumes, and what both cost.

Stability is judged as the funnel does it: the energies of a potential at the given geometry, against the hull of the
same potential's energies of all other crystals of the file in the same chemical system, with elements by the same
potential. Whatever two energy scales differ in by element (corrections of anions, Hubbard U) then drops out, as far
as it is the same in compound and competitors; against the hull by DFT, as in Matbench Discovery (Riebesell et al.,
Nat. Mach. Intell. 7, 836, 2025), it does not. Both are told. Half of the crystals are stable and half are not, drawn
at random: precision is that of this mixture. Relaxations begin at a volume drawn within 8 % of that by DFT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.potential_answers import Answers, energies, relaxations
from fermiloop.platform.bench.potential_data import LIMIT, Hull, Phases, draw, read_phases
from fermiloop.platform.bench.potential_scores import Judged, Measured, bootstrap, middle, per_cost
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.potentials import DEFAULT, POTENTIALS, potential

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.bench.potential_answers import Row
    from fermiloop.platform.bench.potential_scores import Statistic

    Array = NDArray[np.float64]
    Progress = Callable[[str, float], None]

JUDGED: Final = 1000
RELAXED: Final = 120
QUICK: Final = (24, 2)
FEWEST: Final = 20
MEASURES: Final = {
    "f1": "F1 of stable", "precision": "precision of stable", "recall": "recall of stable",
    "informedness": "informedness of stable", "error": "error of the energy above the hull (eV/atom)",
}  # fmt: skip


@dataclass(frozen=True)
class PotentialOptions:
    """What is asked.

    Parameters
    ----------
    data
        Crystals with formation energies.
    names
        Potentials; empty for all of the default's kind that are installed: CHGNet and the SevenNets.
    judged, relaxed
        Crystals whose stability is judged, and those of them that are relaxed.
    seed
        Of the drawing and of the bootstraps.
    resume
        File in which answers are kept.
    """

    data: Path
    names: tuple[str, ...] = ()
    judged: int = JUDGED
    relaxed: int = RELAXED
    seed: int = 0
    resume: Path | None = None


@dataclass(frozen=True)
class Asked:
    """The crystals of a run: all that compete, those that are judged, and of these those that are relaxed."""

    phases: Phases
    truth: Array
    judged: Sequence[int]
    relaxed: Sequence[int]


def run_bench(data: Path, quick: bool, seed: int, progress: Progress) -> dict[str, Any]:
    """The table by its defaults, or of few crystals and the toy potential for a check.

    Raises
    ------
    InputError
        If the file holds too few crystals with formation energies.
    """
    if quick:
        return run(PotentialOptions(data, ("analytic",), *QUICK, seed), progress)
    return run(PotentialOptions(data, seed=seed), progress)


def run(options: PotentialOptions, progress: Progress) -> dict[str, Any]:
    """Rows of the table: of each potential its measures with 95 % intervals, and its core-seconds.

    Raises
    ------
    InputError
        If the file holds too few crystals with formation energies, or a potential is not installed.
    """
    names = options.names or tuple(
        name for name in POTENTIALS if name == DEFAULT or (name.startswith("sevennet") and POTENTIALS[name].installed())
    )
    for name in names:
        if lacking := potential(name).missing():
            raise InputError(lacking)
    progress("the hull by DFT", 0.0)
    asked = ask(options)
    answers = Answers(options.resume)
    rows, judged = baseline_rows(asked, options.seed), {}
    for place, name in enumerate(names):

        def told(share: float, name: str = name, place: int = place) -> None:
            progress(name, (place + share) / len(names))

        judged[name] = _judged(name, asked, answers, told)
        rows += stability_rows(name, asked, judged[name], answers, options.seed)
        rows += relaxation_rows(name, asked, answers, options.seed, told)
    if len(names) > 1:
        rows += difference_rows(names[0], names[1:], judged, options.seed)
    rows += efficiency_rows(names, asked, judged, answers, options.seed)
    progress("done", 1.0)
    settings = {"judged": len(asked.judged), "competing": len(asked.phases), "relaxed": len(asked.relaxed)}
    versions = {name: {"model": potential(name).model, **potential(name).versions()} for name in names}
    return {"rows": rows, "data": {"file": options.data.name, **settings}, "versions": versions}


def ask(options: PotentialOptions) -> Asked:
    """Draw the crystals; the truth is their energy above the hull of the competing ones by DFT."""
    phases = read_phases(options.data)
    above = Hull(phases.structures, phases.formation).above(phases.structures, phases.formation)
    judged, competing = draw(phases, above, options.judged, options.seed)
    if len(judged) < FEWEST:
        raise InputError(
            f"{options.data} holds {len(judged)} compounds to judge, and {FEWEST} are the fewest; give another file."
        )
    at = {place: i for i, place in enumerate(competing)}
    chosen = [at[place] for place in judged]
    random = np.random.default_rng(options.seed)
    relaxed = [chosen[i] for i in random.permutation(len(chosen))[: options.relaxed]]
    return Asked(phases.subset(competing), above[competing], chosen, relaxed)


def _judged(name: str, asked: Asked, answers: Answers, told: Callable[[float], None]) -> dict[str, Judged]:
    """Energies above the hull of the potential's own energies, and above that by DFT."""
    phases = asked.phases
    symbols = sorted(phases.elements)
    pure = energies(
        name, [f"element {s}" for s in symbols], [phases.elements[s] for s in symbols], answers, lambda _: None
    )
    zero = {symbol: _number(row["energy"]) for symbol, row in zip(symbols, pure, strict=True)}
    rows = energies(name, phases.ids, phases.structures, answers, told)
    formation = np.array(
        [
            _number(row["energy"]) - sum(zero[site.specie.symbol] for site in crystal) / len(crystal)
            for row, crystal in zip(rows, phases.structures, strict=True)
        ]
    )
    at = list(asked.judged)
    crystals = [phases.structures[i] for i in at]
    own = Hull(phases.structures, formation).above(crystals, formation[at])
    by_dft = asked.truth[at] + formation[at] - phases.formation[at]
    return {"own hull": Judged(asked.truth[at], own, LIMIT), "hull by DFT": Judged(asked.truth[at], by_dft, LIMIT)}


def stability_rows(
    name: str, asked: Asked, judged: dict[str, Judged], answers: Answers, seed: int
) -> list[dict[str, Any]]:
    """Of each hull its measures; of the energies what one costs."""
    everything = Judged(asked.truth[list(asked.judged)], np.zeros(len(asked.judged)), LIMIT)
    mean = Judged(everything.truth, np.full(len(asked.judged), everything.truth.mean()), LIMIT)
    everyone = np.arange(len(asked.judged))
    rows = []
    for hull, one in judged.items():
        lost = int((~np.isfinite(one.predicted)).sum())
        for measure, title in MEASURES.items():
            found = bootstrap(getattr(one, measure), len(one.truth), seed)
            simple = getattr(mean if measure == "error" else everything, measure)(everyone)
            note = f"{lost} without an energy" if lost else ""
            rows.append(_row(f"{name}, {hull}: {title}", found, simple, note))
    model = potential(name).model
    seconds = np.array([(answers.get(model, "energy", one) or {})["seconds"] for one in asked.phases.ids])
    return [*rows, _row(f"{name}: core-seconds an energy", _mean(seconds, seed))]


def relaxation_rows(
    name: str, asked: Asked, answers: Answers, seed: int, told: Callable[[float], None]
) -> list[dict[str, Any]]:
    """Volumes against DFT, core-seconds, steps and failures of the relaxations."""
    if not asked.relaxed:
        return []
    chosen = list(asked.relaxed)
    found = relaxations(
        name, [asked.phases.ids[i] for i in chosen], [asked.phases.structures[i] for i in chosen], answers, told
    )
    ended = [row for row in found if row["converged"]]
    off = np.array([100 * (row["volume"] - 1) for row in ended])
    failed = np.array([float(not row["converged"]) for row in found])
    rows = [_row(f"{name}: relaxations that fail (share)", _mean(failed, seed), note=_reasons(found))]
    if ended:
        rows += [
            _row(f"{name}: error of the relaxed volume (%)", _mean(np.abs(off), seed)),
            _row(f"{name}: relaxed volume minus that by DFT (%)", _mean(off, seed)),
        ]
    return [
        *rows,
        _row(f"{name}: steps a relaxation", _mean(np.array([float(row["steps"]) for row in found]), seed)),
        _row(f"{name}: core-seconds a relaxation", _mean(np.array([row["seconds"] for row in found]), seed)),
    ]


def difference_rows(
    first: str, others: Sequence[str], judged: dict[str, dict[str, Judged]], seed: int
) -> list[dict[str, Any]]:
    """What the others differ from the first by, on the same crystals drawn alike."""
    rows = []
    for other in others:
        for measure, title in MEASURES.items():
            mine, its = (getattr(judged[name]["own hull"], measure) for name in (first, other))
            n = len(judged[first]["own hull"].truth)
            found = bootstrap(_difference(its, mine), n, seed)
            rows.append(_row(f"{other} minus {first}, own hull: {title}", found))
    return rows


def _difference(its: Statistic, mine: Statistic) -> Statistic:
    return lambda drawn: its(drawn) - mine(drawn)


def efficiency_rows(
    names: Sequence[str], asked: Asked, judged: dict[str, dict[str, Judged]], answers: Answers, seed: int
) -> list[dict[str, Any]]:
    """Informedness per core-second of a relaxation, and how many times that of the first the others have."""
    if not asked.relaxed:
        return []
    rows, found = [], {}
    n = len(asked.judged)
    for name in names:
        model = potential(name).model
        told = [answers.get(model, "relaxation", asked.phases.ids[i]) or {} for i in asked.relaxed]
        costs = np.array([row["seconds"] for row in told])
        found[name] = per_cost(judged[name]["own hull"].informedness, n, costs, seed)
        what = f"{name}, own hull: informedness per core-second of a relaxation"
        rows.append(_row(what, middle(found[name][1:], found[name][0], n)))
    for name in names[1:]:
        times = found[name] / found[names[0]]
        rows.append(_row(f"{name} by {names[0]}: the same, how many times", middle(times[1:], times[0], n)))
    return rows


def baseline_rows(asked: Asked, seed: int) -> list[dict[str, Any]]:
    """What calling every crystal stable gives, which needs no potential."""
    truth = asked.truth[list(asked.judged)]
    one = Judged(truth, np.zeros(len(truth)), LIMIT)
    return [_row("everything stable: F1 of stable", bootstrap(one.f1, len(truth), seed))]


def _mean(values: Array, seed: int) -> Measured:
    return bootstrap(lambda drawn: float(values[drawn].mean()), len(values), seed)


def _row(what: str, found: Measured, baseline: float | None = None, note: str = "") -> dict[str, Any]:
    return {
        "what": what,
        "published": None,
        "ours": round(found.value, 4),
        "ours_low": round(found.low, 4),
        "ours_high": round(found.high, 4),
        "n": found.n,
        "baseline": None if baseline is None or not np.isfinite(baseline) else round(baseline, 4),
        "note": note,
    }


def _reasons(found: Sequence[Row]) -> str:
    limit = sum(not row["converged"] and row["fault"] is None for row in found)
    astray = sum(row["fault"] is not None for row in found)
    return f"{limit} at the limit of steps, {astray} astray" if limit + astray else ""


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
