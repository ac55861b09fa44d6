"""The gate: a challenger is scored beside the champion, promoted or not, and the reason kept."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fermiloop.flows.rounds.learnable import is_held_out
from fermiloop.flows.schedules.learning import learned
from fermiloop.platform.campaign.gate import Verdict, compare, judge
from fermiloop.platform.plugins.generators import generator as declared
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.training import TrainingSet
from fermiloop.platform.search.gate_scores import score_on, scorer_of
from fermiloop.platform.store import campaigns, candidates, checkpoints, methods, snapshots, training
from fermiloop.schemas.vocabulary import RoundState

MOST: Final = 120  # crystals that are scored on each set
LAST_ROUNDS: Final = 3
SEED: Final = 20


def examine(challenger: str, method: str, held_out: Iterable[str]) -> tuple[Verdict, str | None]:
    """What the gate says of a checkpoint, and the champion that it was compared with."""
    generator = checkpoints.get(challenger).generator
    before = checkpoints.champion(generator, method)
    champion = before.id if before is not None else None
    known = learned(challenger) | (learned(champion) if champion else set())
    frozen = _frozen(generator, method, held_out)
    recent = [key for key in _recent(method) if key not in frozen]
    test, latest = (
        compare(*_scores(generator, challenger, champion, [key for key in ids if key not in known], method))
        for ids in (frozen, recent)
    )
    champion_learned = len(learned(champion)) if champion else None
    verdict = judge(test, latest, learned=len(learned(challenger)), champion_learned=champion_learned)
    return verdict, champion


def _frozen(generator: str, method: str, held_out: Iterable[str]) -> list[str]:
    """Ids of the test set of a generator and Method, frozen the first time that there is something to test on."""
    name, given = f"{generator} on {method}", list(held_out)
    there = snapshots.test_set(name)
    if there is None:
        if not given:
            return []
        made = snapshots.freeze(given, query={"test_set": name}, split_seed=SEED, method=method,
                                curves=methods.curves_beside(method))  # fmt: skip
        return snapshots.ids(made)
    return snapshots.ids(there.id)


def _recent(method: str) -> list[str]:
    """Held-out materials that the last closed rounds of the campaigns have computed by this Method."""
    known = set(training.materials_of(method, curves=methods.curves_beside(method)))
    found = []
    for campaign in campaigns.find():
        closed = [one.number for one in campaigns.rounds(campaign.id) if one.state is RoundState.CLOSED][-LAST_ROUNDS:]
        found += [c.material for c in candidates.outlines(campaign.id) if c.round in closed and c.material in known]
    return sorted({key for key in found if is_held_out(key)})


def _scores(
    generator: str, challenger: str, champion: str | None, ids: list[str], method: str
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Scores of both on the same crystals."""
    data = _data(generator, ids, method)
    pair = [_score(generator, one, data) if one else None for one in (challenger, champion)]
    assert pair[0] is not None
    return pair[0], pair[1]


def _data(generator: str, ids: list[str], method: str) -> TrainingSet | None:
    """The crystals that the generator can be scored on, at most `MOST`."""
    if not ids:
        return None
    data = training.training_set(ids, DOS_GRID, method, curves=methods.curves_beside(method))
    _, needs_curve = scorer_of(generator)
    rows = np.flatnonzero(data.has_curve) if needs_curve else np.arange(len(data.ids))
    if len(rows) > MOST:
        rows = np.sort(np.random.default_rng(SEED).choice(rows, MOST, replace=False))
    return data.subset(rows.tolist()) if len(rows) else None


def _score(generator: str, checkpoint: str, data: TrainingSet | None) -> NDArray[np.float64]:
    if data is None:
        return np.zeros(0)
    with tempfile.TemporaryDirectory() as folder:
        checkpoints.fetch(checkpoint, Path(folder))
        entry = declared(generator, checkpoints.get(checkpoint).config)
        return score_on(generator, entry.load_trained(Path(folder)), data, SEED)
