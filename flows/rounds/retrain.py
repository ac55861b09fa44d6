"""Retrain: freeze what the store holds, fit every generator and the surrogate on it, keep the checkpoints."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jobflow import Maker, job

from fermiloop.flows.campaigns import cancelling
from fermiloop.flows.campaigns.steps import curve_methods_of, logger, seed_of, step, training_method_of
from fermiloop.flows.campaigns.targets import alignment_of, resolve, with_target_curves
from fermiloop.flows.rounds import learnable
from fermiloop.platform.campaign import choosing
from fermiloop.platform.campaign.spec import CampaignSpec, GeneratorSpec
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import FitReport, Target, TrainingSet
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.plugins.generators import generator as declared
from fermiloop.platform.plugins.provenance import provenance
from fermiloop.platform.plugins.surrogates import SURROGATES
from fermiloop.platform.predictors.surrogates.protocol import parts_of
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.settings import settings
from fermiloop.platform.store import campaigns, checkpoints, materials, snapshots, training

MOST_UNANSWERED = 20_000
"""Materials without an answer that a generator such as `pool` is given."""
SURROGATE = "surrogate"
"""Key of the surrogate's checkpoint in a round, and the name under which checkpoints of surrogates are kept."""


class Saved(Protocol):
    """A trained generator or surrogate."""

    def save(self, folder: Path) -> None:
        """Write the weights."""
        ...


class Trainable(Saved, Protocol):
    """A generator."""

    def fit(
        self, data: TrainingSet, seed: int, progress: Callable[[str, float], None], resume: Path | None = None
    ) -> FitReport:
        """Train on `data`; a long training goes on from what `resume` holds."""
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
            if done.snapshot and wanted(spec) <= set(done.checkpoints):
                return dict(done.checkpoints)
            method = training_method_of(spec)
            curves = curve_methods_of(spec)
            ids = learnable.verified(method, curves)
            snapshot = snapshots.freeze(
                ids,
                query={"method": method},
                split_seed=spec.seed,
                method=method,
                curves=curves,
                about=alignment_of(spec),
                campaign=campaign,
            )
            found = _unchanged(spec, campaign, number, len(ids)) or {}
            if not wanted(spec) <= set(found):
                data = learned_from(spec, snapshot, method)
                found = found or _fit_generators(spec, campaign, number, snapshot, method, data)
                if SURROGATE in wanted(spec) and SURROGATE not in found:  # a round of an earlier version has none
                    found[SURROGATE] = fit_surrogate(spec, number, snapshot, data)
            campaigns.update_round(campaign, number, snapshot=snapshot, checkpoints=found)
            return found


def generator_key(generator: GeneratorSpec) -> str:
    """Name of a generator in a round: with its preset where it has one."""
    preset = generator.preset or declared(generator.name).default_preset
    return f"{generator.name}/{preset}" if preset else generator.name


def wanted(spec: CampaignSpec) -> set[str]:
    """Keys of all that a round trains."""
    return {generator_key(generator) for generator in spec.generators} | (
        {SURROGATE} if needs_surrogate(spec) else set()
    )


def needs_surrogate(spec: CampaignSpec) -> bool:
    """Whether anything is asked for that must be predicted."""
    return "target" in spec.funnel.stages and bool(parts_of(predicted_target(spec)))


def predicted_target(spec: CampaignSpec) -> Target:
    """The target without what follows from a crystal, such as a powder pattern: it is computed, not predicted."""
    target = resolve(spec)
    return replace(target, grid=None, curve=None) if spec.target.of_crystals else target


def learned_from(spec: CampaignSpec, snapshot: str, method: str) -> TrainingSet:
    """The crystals of a snapshot with the labels that it was frozen with, and curves of its Methods."""
    known, curves = snapshots.label_ids(snapshot), snapshots.curve_methods(snapshot)
    found = training.training_set(
        snapshots.ids(snapshot), DOS_GRID, method, label_ids=known, curves=curves, about=alignment_of(spec)
    )
    return with_target_curves(found, spec)


def with_unanswered(data: TrainingSet, spec: CampaignSpec) -> TrainingSet:
    """The training set with the store's materials inside the space that have no answer by its Method, by formula."""
    low, high = spec.space.components
    symbols = sorted(spec.space.elements)
    systems = ["-".join(some) for n in range(low, high + 1) for some in combinations(symbols, n)]
    known = set(data.ids)
    more = [found for found in materials.of_systems(systems, MOST_UNANSWERED) if found.id not in known]
    return TrainingSet(
        ids=(*data.ids, *(m.id for m in more)),
        structures=(*data.structures, *(m.to_structure() for m in more)),
        crystal_systems=(*data.crystal_systems, *(str(m.crystal_system) for m in more)),
        prototypes=(*data.prototypes, *(m.prototype for m in more)),
        grid=data.grid,
        curves=np.vstack([data.curves, np.full((len(more), data.grid.n), np.nan)]),
        labels={name: np.append(values, np.full(len(more), np.nan)) for name, values in data.labels.items()},
    )


def _unchanged(spec: CampaignSpec, campaign: str, number: int, n: int) -> dict[str, str] | None:
    """Checkpoints of the round before, where too little is new since they were trained."""
    if number == 1 or spec.retrain.by == "schedule":  # a champion may have changed although nothing is new
        return None
    before = campaigns.round_of(campaign, number - 1)
    if not before.checkpoints:
        return None
    learned = snapshots.get(checkpoints.get(next(iter(before.checkpoints.values()))).snapshot)
    if choosing.worth_training(spec, n, learned.n):
        return None
    logger.info("round %d of %s: %d new results, the generators stay as they are", number, campaign, n - learned.n)
    return dict(before.checkpoints)


def _fit_generators(
    spec: CampaignSpec, campaign: str, number: int, snapshot: str, method: str, data: TrainingSet
) -> dict[str, str]:
    """Checkpoint of each generator by its key."""
    found = {}
    for place, generator in enumerate(spec.generators):
        key = generator_key(generator)
        champion = _champion(spec, generator, method)
        if champion is not None:
            found[key] = champion
            continue
        entry = declared(generator.name)
        model = entry.build(generator.preset, generator.options)
        logger.info("round %d of %s: training %s on %d crystals", number, campaign, key, len(data))
        config = {"preset": generator.preset, "options": dict(generator.options)}
        config |= provenance(GENERATORS, generator.name)
        seed = seed_of(spec, number, place)
        unanswered = entry.unanswered and not generator.options.get("file")
        seen = with_unanswered(data, spec) if unanswered else data
        with state_folder(snapshot, key, seed) as folder:
            found[key] = fit_and_save(model, seen, generator.name, generator.preset, config, snapshot, seed, folder)
    return found


def fit_surrogate(spec: CampaignSpec, number: int, snapshot: str, data: TrainingSet) -> str:
    """Train the surrogate of a round on what its snapshot holds; id of the checkpoint."""
    target, seed = predicted_target(spec), choosing.seed_of(spec, number, choosing.SURROGATE)
    name, options = spec.surrogate.name, dict(spec.surrogate.options)
    logger.info("round %d of %s: training the surrogate %s on %d crystals", number, spec.name, name, len(data))
    with state_folder(snapshot, f"{SURROGATE}-{name}", seed) as folder:
        surrogate, report = choosing.train(spec, target, data, number, cancelling.tell, folder)
        config = {"options": options} | provenance(SURROGATES, name)
        made = keep(surrogate, report, SURROGATE, name, config, snapshot, seed)
    missing = set(parts_of(target)) - set(surrogate.predict(()))
    if missing:
        logger.warning("round %d of %s: nothing predicts %s yet", number, spec.name, ", ".join(sorted(missing)))
    return made


def _champion(spec: CampaignSpec, generator: GeneratorSpec, method: str) -> str | None:
    """The checkpoint in use of a generator, where the file leaves the training to schedules and there is one."""
    if spec.retrain.by != "schedule" or not declared(generator.name).scorer:
        return None
    champion = checkpoints.champion(generator.name, method)
    if champion is None:
        raise InputError(
            f"There is no champion of {generator.name} for the labels of this campaign; add a schedule, or train and "
            f"promote one: fermiloop generators train {generator.name}."
        )
    logger.info("%s of %s is the champion %s", generator.name, spec.name, champion.id)
    return str(champion.id)


@contextlib.contextmanager
def state_folder(snapshot: str, key: str, seed: int) -> Iterator[Path]:
    """Where a training keeps its state: the same training finds it again after a kill; it goes once all is done."""
    folder = settings().data_dir / "trainings" / f"{snapshot}-{key.replace('/', '-')}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def fit_and_save(
    model: Trainable,
    data: TrainingSet,
    name: str,
    preset: str | None,
    config: dict[str, Any],
    snapshot: str,
    seed: int,
    resume: Path | None = None,
    progress: Callable[[str, float], None] = cancelling.tell,
) -> str:
    """Train, and keep the weights; id of the checkpoint."""
    return keep(model, model.fit(data, seed, progress, resume), name, preset, config, snapshot, seed)


def keep(
    model: Saved, report: FitReport, name: str, preset: str | None, config: dict[str, Any], snapshot: str, seed: int
) -> str:
    """Keep the weights of what was trained; id of the checkpoint."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder))
        return checkpoints.save(
            Path(folder),
            generator=name,
            preset=preset,
            config={**config, **report.detail},
            metrics={key: float(value) for key, value in report.metrics.items()},
            history=[float(x) for x in report.history],
            snapshot=snapshot,
            seed=seed,
            core_seconds=report.core_seconds,
        )
