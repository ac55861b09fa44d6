"""CCDCGAN as a generator of the loop: crystals to codes, codes to graphs, graphs from noise, crystals back.

Elements are those of the graph's own slots (or rows of large enough norm), among those of the space: none is chosen
at random. Windows of a target pull the noise at sampling, through every constraint model that could be trained; while
the networks train, the properties named in the options are drawn below the best tenth of the training set. A target
that is only a curve adds no pull of its own: its crystals are those of the network as trained.

A low formation energy is no stability: it is counted from the elements, and what competes with a crystal may lie
lower. Draw ``energy_above_hull`` down too, or let the funnel's hull decide.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from pymatgen.core import Element, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.acceptance import accept, fault
from fermiloop.platform.generators.ccdcgan.coder import GraphCoder
from fermiloop.platform.generators.ccdcgan.constraint import FEWEST, ConstraintModel, Pull
from fermiloop.platform.generators.ccdcgan.gan import CrystalGan, GanReport
from fermiloop.platform.generators.ccdcgan.options import PRESETS, CcdcganOptions, options_of
from fermiloop.platform.generators.ccdcgan.published import (
    ExponentialPull,
    PublishedCoder,
    PublishedConstraint,
    PublishedSpace,
)
from fermiloop.platform.generators.ccdcgan.spaces import CompactSpace, PaperSpace
from fermiloop.platform.generators.protocol import FitReport, Proposal
from fermiloop.platform.predictors.files import Arrays, Config, Packed, SavedModel, from_arrays, to_arrays, under
from fermiloop.platform.predictors.potential.volumes import volume_by_bonds
from fermiloop.platform.representations.crystal_graph import CELL_CODE, SITE_CODE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet

    Array = NDArray[np.float64]

SPACES: Final[dict[str, type[PaperSpace] | type[CompactSpace]]] = {
    "paper": PublishedSpace, "graph": PaperSpace, "compact": CompactSpace,
}  # fmt: skip
"""By preset."""
IMAGES: Final = ("paper", "graph")
"""Presets of the published graph, which fixes what codes are."""
PROPERTIES: Final = ("formation_energy_per_atom", "band_gap", "energy_above_hull")
"""Constraint models are trained for those of them that the training set knows."""
TEST_SHARE: Final = 0.1
BEST: Final = 0.1
"""While training, properties are drawn below the value that this share of the training set is below."""
PORTION: Final = 64
"""Graphs made at once."""


class Ccdcgan(SavedModel):
    """Learns crystal graphs, draws them to wanted properties.

    Parameters
    ----------
    preset
        ``"compact"``; ``"paper"``, the published networks and their training to the letter, for a GPU; or ``"graph"``,
        these networks with the training of ``"compact"``.
    options
        How it is built, trained and sampled.
    """

    name = "ccdcgan"

    def __init__(self, preset: str = PRESETS[-1], options: CcdcganOptions | None = None) -> None:
        if preset not in PRESETS:
            raise InputError(f"{preset} is no preset of ccdcgan; choose one of {', '.join(PRESETS)}.")
        options = options or options_of(preset)
        if preset == "paper" and options.mode == "conditional":
            raise InputError(
                "The mode conditional of ccdcgan does not go with its preset paper; take combined or separate."
            )
        if preset in IMAGES:
            fixed = {"cells": "image", "elements_first": False, "volumes": "decoded"}
            options = replace(options, code=SITE_CODE, cell_code=CELL_CODE, **fixed)  # type: ignore[arg-type]
        self.preset, self.options = preset, options
        self.failures: Counter[str] = Counter()

    def fit(
        self, data: TrainingSet, seed: int, progress: Callable[[str, float], None], resume: Path | None = None
    ) -> FitReport:
        """Train the autoencoders, then the constraint models, then the adversarial network.

        A tenth of the crystals is kept from the constraint models, to judge them.

        Raises
        ------
        InputError
            If fewer than two crystals fit.
        """
        began, rng = time.process_time(), np.random.default_rng(seed)
        rows, fits, image_loss = self.learn_codes(data, seed, rng, progress, resume)
        labels = {name: data.labels[name][fits] for name in PROPERTIES if name in data.labels}
        labelled = np.flatnonzero(np.isfinite([*labels.values(), np.full(len(fits), np.nan)]).any(axis=0))
        held = rng.permutation(labelled)[: int(TEST_SHARE * len(labelled))]
        metrics = self.learn_constraints(rows, labels, held, seed, progress, resume)
        report = self.learn_network(rows, self.pulls(labels), seed, progress, resume)
        metrics |= {"crystals": float(len(fits)), "loss": report.history[-1], "image_loss": image_loss}
        metrics |= {"gradient_adversarial": report.adversarial, "gradient_constraint": report.pulling}
        done = time.process_time() - began
        return FitReport(metrics, report.history, len(fits) - len(held), 0, len(held), done)

    def learn_codes(
        self,
        data: TrainingSet,
        seed: int,
        rng: np.random.Generator,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> tuple[Tensor, list[int], float]:
        """Train the autoencoders; rows of the crystals that fit, their places, and the last loss of the images.

        Raises
        ------
        InputError
            If fewer than two crystals fit.
        """
        options, self.coder = self.options, self.make_coder(seed)
        fits = [i for i, structure in enumerate(data.structures) if self.coder.fits(structure)]
        if len(fits) < 2:
            raise InputError(
                f"{len(fits)} of {len(data)} crystals have at most {options.max_sites} sites, {options.slots} elements "
                f"and {options.max_length:g} Å; ccdcgan needs two, so raise its limits or give it more crystals."
            )
        crystals = [data.structures[i] for i in fits]
        for_images = [crystals[i] for i in rng.permutation(len(crystals))[: options.max_images]]
        history = self.coder.train(for_images, seed, progress, resume)
        codes = self.coder.encode(crystals)
        self.space = SPACES[self.preset].learned(options, codes)
        return self.space.rows(codes), fits, history[-1]

    def learn_constraints(
        self,
        rows: Tensor,
        labels: dict[str, Array],
        held: NDArray[np.int64],
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None,
    ) -> dict[str, float]:
        """Train a model of each property with labels enough; its figures on the crystals held out."""
        self.constraints: dict[str, ConstraintModel] = {}
        metrics: dict[str, float] = {}
        for name, values in labels.items():
            known = np.isfinite(values)
            train, test = np.setdiff1d(np.flatnonzero(known), held), held[known[held]]
            if len(train) < FEWEST:
                continue
            model = self.make_constraint(self.space, name, seed)
            model.train_on(rows[train], values[train], self.options, seed, progress, resume)
            self.constraints[name] = model
            if len(test) > 1:
                r2, mae = model.score(rows[test], values[test])
                metrics |= {f"held_out_r2_{name}": r2, f"held_out_mae_{name}": mae}
        return metrics

    def learn_network(
        self,
        rows: Tensor,
        pulls: Sequence[Pull | ExponentialPull],
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> GanReport:
        """Train the adversarial network on (n, width) rows."""
        self.gan = CrystalGan(self.space, self.options, seed)
        return self.gan.train(rows, pulls, seed, progress, resume)

    def unconstrained(
        self, rows: Tensor, seed: int, progress: Callable[[str, float], None], resume: Path | None = None
    ) -> Ccdcgan:
        """The same autoencoders and models with a network that is trained without their pulls: a DCGAN."""
        made = Ccdcgan(self.preset, replace(self.options, constraint_weight=0.0))
        made.coder, made.space, made.constraints = self.coder, self.space, self.constraints
        made.learn_network(rows, [], seed, progress, resume)
        return made

    def make_coder(self, seed: int = 0) -> GraphCoder:
        """Untrained autoencoders of the preset."""
        if self.preset == "paper":
            return PublishedCoder(self.options, seed)
        return GraphCoder(self.options, self.preset == "compact", seed)

    def make_constraint(self, space: CompactSpace | PaperSpace, name: str, seed: int = 0) -> ConstraintModel:
        """An untrained model of a property, of the preset."""
        return (PublishedConstraint if self.preset == "paper" else ConstraintModel)(space, name, seed)

    def pulls(self, labels: dict[str, Array]) -> list[Pull | ExponentialPull]:
        """The pulls of training: each property of the options that has a model, below its best tenth."""
        found: list[Pull | ExponentialPull] = []
        for name in self.options.constrained:
            if name in self.constraints and self.options.constraint_weight > 0:
                if self.preset == "paper":
                    found.append(ExponentialPull(self.constraints[name], self.options.constraint_weight))
                    continue
                known = labels[name][np.isfinite(labels[name])]
                found.append(
                    Pull(self.constraints[name], self.options.constraint_weight, float(np.quantile(known, BEST)))
                )
        return found

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """At most `n` crystals, those that the constraint models predict nearest to the target's windows first.

        Without a window the order is by formation energy, if that is predicted.

        Raises
        ------
        InputError
            If it is not trained, or has learned nothing of the space's elements.
        """
        if not hasattr(self, "gan"):
            raise InputError("ccdcgan is not trained; fit or load it first.")
        allowed = [Element(symbol).Z for symbol in space.elements]
        mask = self.space.mask(allowed, space.n_components[0])
        pulls = [
            Pull.towards(self.constraints[window.property], window)
            for window in target.windows
            if window.property in self.constraints
        ]
        random = torch.Generator().manual_seed(int(rng.integers(2**62)))
        self.failures = Counter()
        found: list[Proposal] = []
        left = n * self.options.attempts
        while len(found) < n and left > 0:
            rows = self.graphs(min(PORTION, left), random, pulls, mask)
            left -= len(rows)
            scores = self._scores(rows, pulls)
            for crystal, score in zip(self.decoded(rows, allowed), scores, strict=True):
                accepted = crystal if isinstance(crystal, str) else accept(self.sized(crystal), target, space)
                if isinstance(accepted, str):
                    self.failures[accepted] += 1
                elif len(found) < n:
                    detail = {"preset": self.preset, "constraints": [pull.model.property for pull in pulls]}
                    found.append(Proposal(accepted, float(score), None, None, detail))
        return sorted(found, key=lambda proposal: -proposal.score)

    def graphs(self, n: int, random: torch.Generator, pulls: Sequence[Pull] = (), mask: Tensor | None = None) -> Tensor:
        """(n, width) rows, their noise moved by the pulls."""
        noise = self.gan.descended(self.gan.noise(n, random), pulls, mask, self.options.descent)
        with torch.no_grad():
            return self.gan.rows(noise, mask)

    def decoded(self, rows: Tensor, allowed: Sequence[int] | None = None) -> list[Structure | str]:
        """The crystal of each of (n, width) rows, or why there is none."""
        return [self.coder.decode(codes) for codes in self.space.codes(rows, allowed)]

    def sized(self, crystal: Structure) -> Structure:
        """A decoded crystal at the volume that the options say, where it has one at all."""
        if self.options.volumes == "rule" and fault(crystal) is None:
            crystal.scale_lattice(volume_by_bonds(crystal) * len(crystal))
        return crystal

    def packed(self) -> Packed:
        """What is kept of it."""
        config = {
            "preset": self.preset,
            "options": asdict(self.options),
            "constraints": sorted(self.constraints),
        }
        arrays = self.coder.state() | to_arrays(self.gan.average, "gan/")
        arrays |= {f"space/{name}": value for name, value in self.space.state().items()}
        for name, model in self.constraints.items():
            arrays |= model.state(f"constraint/{name}/")
        return config, arrays

    @classmethod
    def restored(cls, config: Config, arrays: Arrays) -> Ccdcgan:
        """The same out of what `packed` gave."""
        preset = config["preset"]
        if preset == "paper" and "epoch_images" not in config["options"]:  # "graph" was called "paper" before
            preset = "graph"
        before = {
            "cells": "image",
            "elements_first": False,
            "volumes": "decoded",
        }  # what a model that does not say was trained with
        made = cls(preset, CcdcganOptions(**(before | config["options"])))
        made.coder = made.make_coder()
        made.coder.restore(arrays)
        made.space = SPACES[made.preset](made.options, under("space/", arrays))
        made.constraints = {name: made.make_constraint(made.space, name) for name in config["constraints"]}
        for name, model in made.constraints.items():
            model.restore(arrays, f"constraint/{name}/")
        made.gan = CrystalGan(made.space, made.options)
        from_arrays(made.gan.average, arrays, "gan/")
        return made

    def _scores(self, rows: Tensor, pulls: Sequence[Pull]) -> Array:
        if pulls:
            with torch.no_grad():
                return -np.asarray(sum(pull(rows) for pull in pulls), dtype=float)
        if PROPERTIES[0] in self.constraints:
            return -self.constraints[PROPERTIES[0]].predict(rows)
        return np.zeros(len(rows))
