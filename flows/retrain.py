"""Retrain: freeze what the store holds, fit every generator and the surrogate on it, keep the checkpoints."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from jobflow import Maker, job

from fermiloop.flows.steps import logger, seed_of, step, training_method_of
from fermiloop.platform.campaign.spec import CampaignSpec, GeneratorSpec
from fermiloop.platform.generators.protocol import FitReport, TrainingSet
from fermiloop.platform.predictors.forward_dos import ForwardDos
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.search.registry import GENERATORS
from fermiloop.platform.store import campaigns, checkpoints, snapshots, spectra

SURROGATE = "forward_dos"


class Trainable(Protocol):
    """A generator or a surrogate."""

    def fit(self, data: TrainingSet, seed: int, progress: Callable[[str, float], None]) -> FitReport:
        """Train on `data`."""
        ...

    def save(self, folder: Path) -> None:
        """Write the weights."""
        ...


@dataclass
class RetrainMaker(Maker):
    """Snapshot and checkpoints of one round."""

    name: str = "retrain"

    @job
    def make(self, campaign: str, number: int) -> dict[str, str]:
        """Checkpoint of each generator, and of the surrogate, by its key."""
        with step(campaign, number, "retrain") as spec:
            done = campaigns.round_of(campaign, number)
            if done.snapshot and set(done.checkpoints) == wanted(spec):
                return dict(done.checkpoints)
            method = training_method_of(spec)
            ids = spectra.materials_with(method)
            query = {"kind": "dos", "method": method}
            snapshot = snapshots.freeze(ids, query=query, split_seed=spec.seed, method=method, campaign=campaign)
            before = _unchanged(spec, campaign, number, len(ids))
            found = before or _fit_all(spec, campaign, number, snapshot, method)
            campaigns.update_round(campaign, number, snapshot=snapshot, checkpoints=found)
            return found


def generator_key(generator: GeneratorSpec) -> str:
    """Name of a generator in a round: with its preset where it has one."""
    preset = generator.preset or (GENERATORS[generator.name].presets or ("",))[-1]
    return f"{generator.name}/{preset}" if preset else generator.name


def wanted(spec: CampaignSpec) -> set[str]:
    """Keys of all that a round trains."""
    surrogate = {SURROGATE} if spec.target.dos is not None else set()
    return {generator_key(generator) for generator in spec.generators} | surrogate


def _unchanged(spec: CampaignSpec, campaign: str, number: int, n: int) -> dict[str, str] | None:
    """Checkpoints of the round before, where too little is new since they were trained."""
    if number == 1:
        return None
    before = campaigns.round_of(campaign, number - 1)
    if not before.checkpoints:
        return None
    learnt = snapshots.get(checkpoints.get(next(iter(before.checkpoints.values()))).snapshot)
    if n - learnt.n >= max(1, spec.retrain.min_new_labels):
        return None
    logger.info("round %d of %s: %d new results, the generators stay as they are", number, campaign, n - learnt.n)
    return dict(before.checkpoints)


def _fit_all(spec: CampaignSpec, campaign: str, number: int, snapshot: str, method: str) -> dict[str, str]:
    known = snapshots.label_ids(snapshot)
    data = spectra.training_set(snapshots.ids(snapshot), DOS_GRID, method, label_ids=known)
    found = {}
    for place, generator in enumerate(spec.generators):
        model = GENERATORS[generator.name].build(generator.preset, generator.options)
        logger.info("round %d of %s: training %s on %d curves", number, campaign, generator_key(generator), len(data))
        config = {"preset": generator.preset, "options": dict(generator.options)}
        found[generator_key(generator)] = fit_and_save(
            model, data, generator.name, generator.preset, config, snapshot, seed_of(spec, number, place)
        )
    if spec.target.dos is not None:
        found[SURROGATE] = fit_and_save(
            ForwardDos(), data, SURROGATE, None, {}, snapshot, seed_of(spec, number, len(spec.generators))
        )
    return found


def fit_and_save(
    model: Trainable, data: TrainingSet, name: str, preset: str | None, config: dict[str, Any], snapshot: str, seed: int
) -> str:
    """Train, and keep the weights; id of the checkpoint."""
    report = model.fit(data, seed, lambda what, share: logger.debug("%s %.0f %%", what, 100 * share))
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder))
        return checkpoints.save(
            Path(folder),
            generator=name,
            preset=preset,
            config=config,
            metrics={key: float(value) for key, value in report.metrics.items()},
            history=[float(x) for x in report.history],
            snapshot=snapshot,
            seed=seed,
            core_seconds=report.core_seconds,
        )
