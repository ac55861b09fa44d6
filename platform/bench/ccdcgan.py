"""CCDCGAN's figures on small binaries: what comes back from codes, what the constraint knows, what it does.

Published (Long et al., CCDCGAN for multicomponent systems): reproduction ratio 90 % for one system, 70 % with one
autoencoder for all elements, 87 % with one for each; constraint R² 0.90 and 0.11 eV/atom; 18.3 % of graphs give a
structure, of which 90.7 % are not in the training set. Here the autoencoders learn from 400 binaries of at most 6 sites
and 10 Å and are judged on 100 others that share neither a composition nor a prototype with them; a split at random
stands beside. Crystals of up to three elements and 8 sites with a formation energy are parted so, too, into those
that the constraint learns from, those that judge it, and those that an independent judge learns from: an ensemble on
decoded crystals that shares neither data nor inputs nor weights with the constraint.
"""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher

from fermiloop.platform.bench.ccdcgan_data import (
    ENERGY,
    FULL,
    PARTS,
    QUICK,
    image_crystals,
    images_at_random,
    labelled_crystals,
    labelled_rows,
)
from fermiloop.platform.bench.ccdcgan_made import interval, shift_rows
from fermiloop.platform.bench.crystal_data import read_crystals
from fermiloop.platform.bench.crystal_scores import Share, row
from fermiloop.platform.bench.splits import APART, PUBLISHED, SEED, Parts, apart
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.ccdcgan.coder import GraphCoder
from fermiloop.platform.generators.ccdcgan.constraint import ConstraintModel
from fermiloop.platform.predictors.descriptors import composition_descriptors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.bench.ccdcgan_data import Labelled, Plan
    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]
    Progress = Callable[[str, float], None]

REPRODUCED: Final = {"combined": 0.70, "conditional": 0.87}
TREES: Final = 200


def run_bench(data: Path | None, quick: bool, seed: int, progress: Progress) -> dict[str, Any]:
    """Rows of the table; see the module.

    Parameters
    ----------
    data
        Crystals with formation energies.
    quick
        Coarse images and two seeds: a check, not a figure.
    seed
        Of every random draw and training.
    progress
        Told what is done.

    Raises
    ------
    InputError
        If the file holds too few small binaries or formation energies.
    """
    if data is None:
        raise InputError("The ccdcgan bench needs a file of crystals with formation energies; give it with --data.")
    began, plan = time.process_time(), QUICK if quick else FULL
    crystals, refused = read_crystals(data)
    train, held = image_crystals(crystals, plan, seed)
    rows: list[dict[str, Any]] = []
    for mode in plan.modes:
        coder, found = reproduction_rows(mode, train.structures, held.structures, plan, seed, progress)
        rows += found
    learned, left_out = images_at_random(crystals, plan, seed)
    found = reproduction_rows(plan.modes[-1], learned.structures, left_out.structures, plan, seed, progress)[1]
    rows += [line | {"what": f"split {PUBLISHED}: {line['what']}"} for line in found]
    labelled = labelled_rows(crystals, train, coder, plan, seed, progress)
    model, found = constraint_rows(labelled, plan, seed, progress)
    rows += found + shift_rows(crystals, labelled, model, coder, train, plan, seed, progress)
    told = {"file": data.name, "refused": len(refused), "learned from": len(train), "held out": len(held)}
    told |= {"constraint": len(labelled.train), "its test": len(labelled.test), "judge": len(labelled.judge)}
    return {
        "rows": rows,
        "data": told,
        "settings": asdict(plan.options) | {"seed": seed, "quick": quick, "seeds": plan.seeds, "split": APART},
        "seconds": round(time.process_time() - began, 1),
    }


def held_out(crystals: TrainingSet, quick: bool, seed: int) -> list[Parts]:
    """What figures of held-out crystals are learned from and measured on."""
    plan = QUICK if quick else FULL
    train, test = image_crystals(crystals, plan, seed)
    data = labelled_crystals(crystals, GraphCoder(plan.options), plan, seed)
    constraint, asked, judge = (data.subset(part.tolist()) for part in apart(data, PARTS, SEED + seed))
    return [
        Parts("autoencoders", train, test),
        Parts("constraint", constraint, asked),
        Parts("judge", judge, asked),
        Parts("constraint and judge", constraint, judge),
    ]


def reproduction_rows(
    mode: str,
    train: Sequence[Structure],
    held: Sequence[Structure],
    plan: Plan,
    seed: int,
    progress: Progress,
) -> tuple[GraphCoder, list[dict[str, Any]]]:
    """Train autoencoders; shares of crystals that come back from their codes, both elements and the cell."""
    began = time.process_time()
    coder = GraphCoder(replace(plan.options, mode=mode), seed=seed)
    coder.train(train, seed, progress)
    return coder, reproduced(coder, train, held, time.process_time() - began)


def reproduced(
    coder: GraphCoder, train: Sequence[Structure], held: Sequence[Structure], seconds: float
) -> list[dict[str, Any]]:
    """Rows of reproduction ratios of trained autoencoders."""
    mode, found = coder.options.mode, []
    matcher = StructureMatcher(stol=0.5, angle_tol=10, ltol=0.3)
    for part, crystals in (("in training", train), ("held out", held)):
        back = [coder.decode(codes) for codes in coder.encode(crystals)]
        same = [not isinstance(made, str) and matcher.fit(made, one) for made, one in zip(back, crystals, strict=True)]
        found.append(
            row(
                f"reproduction ratio, {mode}, {part}",
                Share.of(same),
                published=REPRODUCED[mode],
                seconds=seconds,
                note="ltol 0.3, stol 0.5, 10°; published: 64³, one copy for each element in place of conditional",
            )
        )
    return found


def constraint_rows(
    labelled: Labelled, plan: Plan, seed: int, progress: Progress
) -> tuple[ConstraintModel, list[dict[str, Any]]]:
    """The constraint model, and its figures on held-out compositions beside a random forest on composition."""
    from sklearn.ensemble import RandomForestRegressor

    began, truth = time.process_time(), labelled.energies
    model = ConstraintModel(labelled.space, ENERGY, seed)
    model.train_on(labelled.rows[labelled.train], truth[labelled.train], plan.options, seed, progress)
    seconds = time.process_time() - began
    inputs = composition_descriptors(labelled.data.structures)
    forest = RandomForestRegressor(TREES, max_features=0.3, random_state=seed, n_jobs=1)
    forest.fit(inputs[labelled.train], truth[labelled.train])
    asked = truth[labelled.test]
    found, theirs = model.predict(labelled.rows[labelled.test]), forest.predict(inputs[labelled.test])
    error, other = np.abs(found - asked), np.abs(theirs - asked)
    note = f"{len(labelled.train)} learned from, split by {APART}; baseline: random forest on composition"
    mae = row("constraint: mean error of E_f, eV/atom", float(error.mean()), published=0.11, n=len(asked),
              baseline=float(other.mean()), seconds=seconds, note=note)  # fmt: skip
    low, high = interval(error)
    gap_low, gap_high = interval(error - other)
    mae |= {"ours_low": low, "ours_high": high}
    mae["note"] += f"; error minus that of the forest {gap_low:.3f} to {gap_high:.3f}"
    r2 = row("constraint: R² of E_f", _r2(asked, found), published=0.90, n=len(asked), baseline=_r2(asked, theirs),
             seconds=seconds, note=note)  # fmt: skip
    return model, [r2, mae]


def _r2(truth: Array, found: Array) -> float:
    return float(1 - ((truth - found) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())
