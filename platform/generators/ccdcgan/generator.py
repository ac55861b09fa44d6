"""CCDCGAN as a generator of the loop: crystals to graphs, an adversarial network on graphs, graphs to crystals."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from pymatgen.core import Element

from fermiloop.platform.errors import FermiloopError, InputError
from fermiloop.platform.generators.acceptance import accept
from fermiloop.platform.generators.ccdcgan.coder import GraphCoder
from fermiloop.platform.generators.ccdcgan.constraint import ConstraintModel
from fermiloop.platform.generators.ccdcgan.gan import descend, train_gan
from fermiloop.platform.generators.ccdcgan.options import CcdcganOptions
from fermiloop.platform.generators.ccdcgan.system import GraphSystem, build_system
from fermiloop.platform.generators.protocol import FitReport, Proposal
from fermiloop.platform.predictors.files import broken_model, from_arrays, read_model, to_arrays, write_model
from fermiloop.platform.representations.crystal_graph import CELL_CODE, SITE_CODE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pymatgen.core import Structure

    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet

PRESETS: Final = ("paper", "compact")
FEWEST: Final = 10
PORTION: Final = 64
"""Graphs made at once."""
TEST_SHARE: Final = 0.1
PROPERTIES: Final = ("formation_energy_per_atom", "band_gap", "energy_above_hull")
"""Modelled wherever labels are, so that a target may ask for them."""


class Ccdcgan:
    """Learns crystal graphs; proposes crystals drawn into the windows of a target.

    A target that is a curve alone moves nothing: crystals then come as the network was trained to make them, of low
    formation energy where that is its constraint.

    Parameters
    ----------
    preset
        ``"compact"``, or ``"paper"``: images of 160 × 160, at full size for a GPU.
    options
        How it is built, trained and sampled.
    """

    name = "ccdcgan"

    def __init__(self, preset: str = "compact", options: CcdcganOptions | None = None) -> None:
        if preset not in PRESETS:
            raise InputError(f"{preset} is no preset of ccdcgan; choose one of {', '.join(PRESETS)}.")
        self.preset, self.options = preset, options or CcdcganOptions()
        if preset == "paper" and (self.options.code, self.options.cell_code) != (SITE_CODE, CELL_CODE):
            self.options = type(self.options)(**asdict(self.options) | {"code": SITE_CODE, "cell_code": CELL_CODE})
        self.failures: Counter[str] = Counter()

    def fit(
        self, data: TrainingSet, seed: int, progress: Callable[[str, float], None], resume: Path | None = None
    ) -> FitReport:
        """Train the autoencoders, the constraints, then the adversarial networks; a tenth is held out of the first.

        Raises
        ------
        InputError
            If fewer than ten crystals fit the box and the slots, or fewer than ten bear the constraint's label.
        """
        began, options = time.process_time(), self.options
        coder = GraphCoder(options, self.preset != "paper", seed)
        rows = [i for i, structure in enumerate(data.structures) if coder.fits(structure)]
        if len(rows) < FEWEST:
            raise InputError(
                f"ccdcgan needs at least {FEWEST} crystals of at most {options.slots} elements and {options.max_sites} "
                f"sites that fit its box, not {len(rows)}."
            )
        crystals = [data.structures[i] for i in rows]
        order = np.random.default_rng(seed).permutation(len(crystals))
        held = order[: int(TEST_SHARE * len(crystals))]
        learnt = [crystals[i] for i in order[len(held) :][: options.max_images]]
        history = coder.train(learnt, seed, progress, resume)
        codes = coder.encode(crystals)
        system = build_system(self.preset, options, codes, seed)
        graphs = system.graphs(codes)
        known = {name: np.asarray(values, dtype=float)[rows] for name, values in data.labels.items()}
        constraints = self._constraints(system, graphs, known, seed, progress, resume)
        trained = [constraints[name] for name in options.constrained if name in constraints]
        history += train_gan(
            system.generator, system.discriminator, torch.tensor(graphs, dtype=torch.float32), trained,
            options.constraint_weight, options.gan_steps, options.batch_size, options.loss, seed, progress, resume,
        )  # fmt: skip
        self.coder, self.system, self.constraints = coder, system, constraints
        metrics = {"crystals": float(len(rows)), "loss": history[-1]} | reproduction(coder, [crystals[i] for i in held])
        return FitReport(metrics, history, len(learnt), 0, len(held), time.process_time() - began)

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """At most `n` different crystals, those foretold nearest to the windows first.

        Raises
        ------
        InputError
            If it is not trained, or a window is on a property of which it has no model.
        """
        if not hasattr(self, "system"):
            raise InputError("ccdcgan is not trained; fit or load it first.")
        windows = [window for window in target.windows if window.property in self.constraints]
        if target.windows and not windows and target.curve is None:
            wanted = ", ".join(window.property for window in target.windows)
            raise InputError(
                f"ccdcgan has no model of {wanted}; it knows {', '.join(self.constraints) or 'no property'}, "
                "so train it on data with that label."
            )
        self.failures = Counter()
        allowed = self.system.allowed({Element(symbol).Z for symbol in space.elements})
        found: dict[str, Proposal] = {}
        for _ in range(-(-n * self.options.attempts // PORTION)):
            if len(found) >= n or allowed is None:
                break
            graphs = self._made(min(PORTION, n * self.options.attempts), windows, allowed, rng)
            for proposal in self._proposals(graphs, windows, target, space):
                key = f"{proposal.structure.composition.reduced_formula} {proposal.structure.volume:.1f}"
                if key in found:
                    self.failures["made twice"] += 1
                elif len(found) < n:
                    found[key] = proposal
        return sorted(found.values(), key=lambda proposal: -proposal.score)

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` and ``config.json``."""
        config = {
            "name": self.name,
            "preset": self.preset,
            "options": asdict(self.options),
            "system": self.system.config(),
            "constraints": {
                name: {"centre": model.centre, "spread": model.spread} for name, model in self.constraints.items()
            },
        }
        arrays = self.coder.state() | self.system.state()
        for name, model in self.constraints.items():
            arrays |= to_arrays(model.network, f"constraint/{name}/")
        write_model(folder, config, arrays)

    @classmethod
    def load(cls, folder: Path) -> Ccdcgan:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If a file is missing or is not what `save` writes.
        """
        config, arrays = read_model(folder, cls.name)
        try:
            made = cls(config["preset"], CcdcganOptions(**config["options"]))
            made.coder = GraphCoder(made.options, made.preset != "paper")
            made.coder.restore(arrays)
            made.system = GraphSystem.restore(config["system"], arrays, made.options)
            made.constraints = {}
            for name, scale in config["constraints"].items():
                model = ConstraintModel(name, made.system.constraint(0), float(scale["centre"]), float(scale["spread"]))
                from_arrays(model.network, arrays, f"constraint/{name}/")
                model.freeze()
                made.constraints[name] = model
        except (FermiloopError, AttributeError, KeyError, TypeError, ValueError, IndexError, RuntimeError) as error:
            raise broken_model(folder, error) from None
        return made

    def _constraints(
        self,
        system: GraphSystem,
        graphs: np.ndarray[Any, Any],
        known: dict[str, np.ndarray[Any, Any]],
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None,
    ) -> dict[str, ConstraintModel]:
        """Frozen models of all properties with enough labels, and of those that the options ask for."""
        found = {}
        for place, name in enumerate(sorted({*PROPERTIES, *self.options.constrained})):
            values = known.get(name, np.full(len(graphs), np.nan))
            if name not in self.options.constrained and np.isfinite(values).sum() < FEWEST:
                continue
            if name in self.options.constrained and not np.isfinite(values).any():
                continue  # nothing is labelled: a plain adversarial network
            model = ConstraintModel(name, system.constraint(seed + place))
            model.fit(
                graphs, values, self.options.constraint_epochs, self.options.batch_size, seed + place, progress, resume
            )
            found[name] = model
        return found

    def _made(self, n: int, windows: list[Any], allowed: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """(n, width) graphs, their noise moved towards the windows."""
        z = torch.tensor(rng.standard_normal((n, self.options.latent)), dtype=torch.float32)

        def off(graphs: torch.Tensor) -> torch.Tensor:
            parts = []
            for window in windows:
                model = self.constraints[window.property]
                away = (model.standardised(graphs) * model.spread + model.centre - window.value).abs()
                parts.append(torch.relu(away / window.tolerance - 0.5))
            return torch.stack(parts).sum(dim=0)

        if windows:
            z = descend(self.system.generator, z, allowed, off, self.options.descent)
        with torch.no_grad():
            return torch.as_tensor(self.system.generator(z, allowed))

    def _proposals(self, graphs: torch.Tensor, windows: list[Any], target: Target, space: Space) -> list[Proposal]:
        rows = graphs.numpy().astype(float)
        foretold = {name: model.predict(rows) for name, model in self.constraints.items()}
        with torch.no_grad():
            real = torch.sigmoid(self.system.discriminator(graphs)).numpy().astype(float)
        elements = {Element(symbol).Z for symbol in space.elements}
        found = []
        for i, row in enumerate(rows):
            crystal: Structure | str = self.coder.decode(self.system.codes(row, elements))
            accepted = crystal if isinstance(crystal, str) else accept(crystal, target, space)
            if isinstance(accepted, str):
                self.failures[accepted] += 1
                continue
            near = [1 / (1 + abs(foretold[w.property][i] - w.value) / w.tolerance) for w in windows]
            detail = {
                "preset": self.preset,
                "foretold": {name: float(values[i]) for name, values in foretold.items()},
                "looks_real": float(real[i]),
            }
            found.append(Proposal(accepted, float(min(near, default=real[i])), None, None, detail))
        return found


def reproduction(coder: GraphCoder, structures: list[Structure]) -> dict[str, float]:
    """Share of held-out crystals that come back from their codes, by `StructureMatcher`."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    if not structures:
        return {}
    matcher = StructureMatcher(stol=0.5, angle_tol=10, ltol=0.3)
    back = [coder.decode(codes) for codes in coder.encode(structures)]
    same = [
        not isinstance(made, str) and bool(matcher.fit(made, structure))
        for made, structure in zip(back, structures, strict=True)
    ]
    return {"held_out_reproduction": float(np.mean(same))}
