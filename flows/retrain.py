"""Retrain: freeze what the store holds, fit every generator and the surrogate on it, keep the checkpoints."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from jobflow import Maker, job

from fermiloop.flows import stopping
from fermiloop.flows.steps import logger, seed_of, step, training_method_of
from fermiloop.flows.targets import with_target_curves
from fermiloop.platform.campaign.spec import CampaignSpec, GeneratorSpec
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import FitReport, TrainingSet
from fermiloop.platform.predictors.ensemble import PropertyEnsemble
from fermiloop.platform.predictors.forward_dos import ForwardDos
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.search.gate_scores import SCORERS
from fermiloop.platform.search.registry import GENERATORS
from fermiloop.platform.settings import settings
from fermiloop.platform.store import campaigns, checkpoints, snapshots, training

SURROGATE = "forward_dos"
ENSEMBLE = "property_ensemble"
UNTRAINED = ""  # stands for the checkpoint of a surrogate that has too little to learn from


class Trainable(Protocol):
    """A generator or a surrogate."""

    def fit(
        self, data: TrainingSet, seed: int, progress: Callable[[str, float], None], resume: Path | None = None
    ) -> FitReport:
        """Train on `data`; a long training goes on from what `resume` holds."""
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
            ids = training.materials_of(method)
            query = {"method": method}
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
    return {generator_key(generator) for generator in spec.generators} | set(surrogates(spec))


def surrogates(spec: CampaignSpec) -> dict[str, Trainable]:
    """Untrained models that foretell what the target asks for, by their key in a round."""
    if "target" not in spec.funnel.stages:
        return {}
    found: dict[str, Trainable] = {SURROGATE: ForwardDos()} if spec.target.dos is not None else {}
    return found | {f"{ENSEMBLE}/{w.name}": PropertyEnsemble(w.name, "structure") for w in spec.target.properties}


def _unchanged(spec: CampaignSpec, campaign: str, number: int, n: int) -> dict[str, str] | None:
    """Checkpoints of the round before, where too little is new since they were trained."""
    if number == 1 or spec.retrain.by == "schedule":  # a champion may have changed although nothing is new
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
    data = with_target_curves(training.training_set(snapshots.ids(snapshot), DOS_GRID, method, label_ids=known), spec)
    found = {}
    for place, generator in enumerate(spec.generators):
        key = generator_key(generator)
        champion = _champion(spec, generator, method)
        if champion is not None:
            found[key] = champion
            continue
        model = GENERATORS[generator.name].build(generator.preset, generator.options)
        logger.info("round %d of %s: training %s on %d crystals", number, campaign, key, len(data))
        config = {"preset": generator.preset, "options": dict(generator.options)}
        seed = seed_of(spec, number, place)
        with state_folder(snapshot, key, seed) as folder:
            found[key] = fit_and_save(model, data, generator.name, generator.preset, config, snapshot, seed, folder)
    for place, (key, surrogate) in enumerate(surrogates(spec).items(), len(spec.generators)):
        kind, _, name = key.partition("/")
        try:
            found[key] = fit_and_save(surrogate, data, kind, name or None, {}, snapshot, seed_of(spec, number, place))
        except InputError as error:  # too few labels yet: the target stage says that nothing foretells it
            if kind == SURROGATE:
                raise
            logger.warning("round %d of %s: nothing foretells %s yet: %s", number, campaign, name, error)
            found[key] = UNTRAINED
    return found


def _champion(spec: CampaignSpec, generator: GeneratorSpec, method: str) -> str | None:
    """The checkpoint in use of a generator, where the file leaves the training to schedules and there is one."""
    if spec.retrain.by != "schedule" or generator.name not in SCORERS:
        return None
    champion = checkpoints.champion(generator.name)
    if champion is None or snapshots.get(champion.snapshot).method != method:
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
    progress: Callable[[str, float], None] = stopping.tell,
) -> str:
    """Train, and keep the weights; id of the checkpoint."""
    report = model.fit(data, seed, progress, resume)
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
