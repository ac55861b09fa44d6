"""iMatGen as a generator of the loop: virtual crystals, their codes, a latent space, a way through it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.acceptance import accept
from fermiloop.platform.generators.decoration import elemental_volumes
from fermiloop.platform.generators.imatgen.coder import SLOTS, CrystalCoder
from fermiloop.platform.generators.imatgen.labels import parent_labels, potential_labels
from fermiloop.platform.generators.imatgen.latent import STEPS, around_mean, slerp
from fermiloop.platform.generators.imatgen.network import GeneratorPlan, MaterialsGenerator, train_generator
from fermiloop.platform.generators.imatgen.options import EARLIER, IMAGE, PARENT, PRESETS, ImatgenOptions, options_of
from fermiloop.platform.generators.imatgen.published import (
    PublishedCrystalCoder,
    PublishedGenerator,
    train_published_generator,
)
from fermiloop.platform.generators.imatgen.symmetry import idealised
from fermiloop.platform.generators.imatgen.virtual import (
    by_electronegativity,
    commonest_pair,
    substituted,
    valid_oxidation,
    virtual_set,
)
from fermiloop.platform.generators.protocol import FitReport, Proposal
from fermiloop.platform.predictors.files import Arrays, Config, Packed, SavedModel, from_arrays, to_arrays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.generators.imatgen.virtual import VirtualSet
    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet

    Array = NDArray[np.float64]

TEST_SHARE: Final = 0.1
CELL_WEIGHT: Final = 120.0
"""Weight of a cell's code beside a number of an element's: a wrong cell spoils all atoms."""
CENTRED: Final = 4
"""Primitive cells in a face-centred one: a decoded cell of more sites is not made symmetric, which takes seconds."""
MIN_DISTANCE: Final = 1.0
"""Å between atoms of a proposal."""
PORTION: Final = 64
"""Latent points decoded at once."""


class Imatgen(SavedModel):
    """Learns images of virtual crystals of one pair of elements; proposes crystals of any pair of a space.

    A space of more than two elements is served by substitution: a crystal is decoded as one of the pair that was
    learned, and a pair drawn from the space takes its place, the more electropositive element for the more
    electropositive one, at the volume that these elements take up.

    Parameters
    ----------
    preset
        None, or ``"paper"``: the published networks and their training to the letter, for a GPU.
    options
        How it is built, trained and sampled.
    """

    name = "imatgen"

    def __init__(self, preset: str | None = None, options: ImatgenOptions | None = None) -> None:
        if preset is not None and preset not in PRESETS:
            raise InputError(f"{preset} is no preset of imatgen; choose {PRESETS[0]}, or none.")
        self.preset, self.options = preset, options or options_of(preset)
        if preset == "paper" and self.options.cell != IMAGE:
            raise InputError("The preset paper of imatgen codes cells by their images; leave the option cell out.")
        self.failures: Counter[str] = Counter()

    def fit(
        self, data: TrainingSet, seed: int, progress: Callable[[str, float], None], resume: Path | None = None
    ) -> FitReport:
        """Make the virtual set, train the autoencoders, then the materials generator; a tenth is held out.

        Raises
        ------
        InputError
            If the training set holds no crystal of two elements that is small enough, or only one.
        """
        began = time.process_time()
        options, rng = self.options, np.random.default_rng(seed)
        pair = by_electronegativity(options.pair or commonest_pair(data.structures))
        volumes = elemental_volumes(data.structures)
        coder = self.make_coder(seed)
        made = virtual_set(data.structures, pair, volumes, options.max_sites, options.max_length)
        virtual, refused = fitting(made, coder)
        test, train = _parts(virtual.parents, rng)
        if len(train) < 2:
            raise InputError("imatgen needs two virtual crystals that fit its box; give it more crystals.")
        crystals = [virtual.structures[i] for i in train]
        shuffled = [crystals[i] for i in rng.permutation(len(crystals))]
        history = coder.train(shuffled, seed, progress, resume)
        if options.potential == PARENT:
            stable = parent_labels(data, virtual.parents[train], options.stable_below)
        else:
            stable = potential_labels(
                crystals, pair[1], options.potential, options.max_labelled, options.stable_below, rng, progress
            )
        codes = coder.codes(crystals, pair)
        network = self.make_network(seed)
        if isinstance(network, PublishedGenerator):
            epochs = options.generator_epochs
            history += train_published_generator(network, codes, stable, epochs, seed, progress, resume)
        else:
            plan = GeneratorPlan(options.generator_epochs, code_weights(options))
            history += train_generator(network, codes, stable, plan, seed, progress, resume)
        self.pair, self.volumes, self.coder, self.network = pair, volumes, coder, network
        self.known = network.encode(codes)
        self.anchors = np.array([valid_oxidation(crystal.composition) for crystal in crystals]) & (stable != 0)
        self.parents = tuple(data.ids[i] for i in virtual.parents[train])
        metrics = {"virtual_crystals": float(len(virtual)), "refused_by_box": float(refused), "loss": history[-1]}
        metrics |= {"stable_share": _share(stable)} | self._held_out([virtual.structures[i] for i in test])
        return FitReport(metrics, history, len(train), 0, len(test), time.process_time() - began)

    def make_coder(self, seed: int = 0) -> CrystalCoder:
        """Untrained autoencoders of the preset."""
        return (PublishedCrystalCoder if self.preset == "paper" else CrystalCoder)(self.options, seed)

    def make_network(self, seed: int = 0) -> MaterialsGenerator:
        """The untrained materials generator of the preset."""
        options = self.options
        if self.preset == "paper":
            return PublishedGenerator(options.code, options.cell_code, options.latent, seed)
        width = SLOTS * options.code + options.cell_numbers
        return MaterialsGenerator(width, options.hidden, options.latent, seed, linear=options.linear)

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """At most `n` crystals with valid oxidation states, those surest to be stable first.

        Raises
        ------
        InputError
            If it is not trained.
        """
        if not hasattr(self, "network"):
            raise InputError("imatgen is not trained; fit or load it first.")
        pairs, self.failures = self._pairs(space), Counter()
        if not pairs:
            self.failures["no pair of elements in the space"] = n
            return []
        found: list[Proposal] = []
        left = n * self.options.attempts
        while len(found) < n and left > 0:
            points, parents = self._points(min(PORTION, left), rng)
            left -= len(points)
            chosen = rng.integers(len(pairs), size=len(points))
            likely = self.network.stability(points)
            for crystal, place, parent, probability in zip(self.decoded(points), chosen, parents, likely, strict=True):
                proposal = self._proposal(crystal, pairs[place], parent, float(probability), target, space)
                if isinstance(proposal, str):
                    self.failures[proposal] += 1
                elif len(found) < n:
                    found.append(proposal)
        return sorted(found, key=lambda proposal: -proposal.score)

    def latent(self, structures: Sequence[Structure]) -> Array:
        """(n, latent) points of crystals of the learned pair.

        Raises
        ------
        InputError
            If a crystal is of other elements or does not fit the box.
        """
        return self.network.encode(self.coder.codes(structures, self.pair))

    def decoded(self, points: Array, threshold: float | None = None) -> Iterator[Structure | str]:
        """The crystal of the learned pair at each of (n, latent) points, or why there is none.

        Parameters
        ----------
        points
            Of the latent space.
        threshold
            Least height of a peak; that of the options by default.
        """
        return self.coder.crystals(self.network.decode(points), self.pair, threshold)

    def packed(self) -> Packed:
        """What is kept of it."""
        config = {
            "preset": self.preset,
            "options": asdict(self.options),
            "pair": list(self.pair),
            "volumes": self.volumes,
            "parents": list(self.parents),
        }
        arrays: dict[str, NDArray[Any]] = {"known": self.known, "anchors": self.anchors.astype(np.uint8)}
        return config, arrays | self.coder.state() | to_arrays(self.network, "network/")

    @classmethod
    def restored(cls, config: Config, arrays: Arrays) -> Imatgen:
        """The same out of what `packed` gave."""
        made = cls(config.get("preset"), ImatgenOptions(**(EARLIER | config["options"])))
        made.pair = by_electronegativity(config["pair"])
        made.volumes = {str(symbol): float(volume) for symbol, volume in config["volumes"].items()}
        made.parents = tuple(config["parents"])
        made.known, made.anchors = arrays["known"], arrays["anchors"].astype(bool)
        made.coder = made.make_coder()
        made.coder.restore(arrays)
        made.network = made.make_network()
        from_arrays(made.network, arrays, "network/")
        made.known = made.known.reshape(len(made.parents), made.options.latent)
        made.anchors = made.anchors.reshape(len(made.parents))
        return made

    def _pairs(self, space: Space) -> list[tuple[str, str]]:
        """Pairs of elements that may be proposed; none where the space has no room for two."""
        low, high = space.n_components
        asked = self.options.pair
        if not low <= 2 <= high:
            return []
        if asked is not None and set(asked) <= set(space.elements):
            return [by_electronegativity(asked)]
        return [by_electronegativity(pair) for pair in combinations(space.elements, 2)]

    def _points(self, n: int, rng: np.random.Generator) -> tuple[Array, list[str | None]]:
        """(n, latent) points by the strategy, and a parent of each."""
        if self.options.strategy == "random":
            return around_mean(self.known, n, rng, self.options.spread), [None] * n
        rows = np.flatnonzero(self.anchors)
        if len(rows) < 2:
            rows = np.arange(len(self.known))
        points, parents = [], []
        for _ in range(n):
            a, b = rng.choice(rows, 2, replace=False)
            points.append(slerp(self.known[a], self.known[b], rng.integers(1, STEPS + 1) / (STEPS + 1))[0])
            parents.append(self.parents[a])
        return np.array(points), [*parents]

    def _proposal(
        self,
        crystal: Structure | str,
        pair: tuple[str, str],
        parent: str | None,
        probability: float,
        target: Target,
        space: Space,
    ) -> Proposal | str:
        if isinstance(crystal, str):
            return crystal
        if probability < self.options.min_stability:
            return "not classified as stable"
        if len(crystal.composition) != 2:
            return "one element only"
        if pair != self.pair:
            crystal = substituted(crystal, dict(zip(self.pair, pair, strict=True)), self.volumes)
        if not valid_oxidation(crystal.composition):
            return "no valid oxidation states"
        if len(crystal) > CENTRED * space.max_sites:
            return "too many sites"
        accepted = accept(idealised(crystal), target, space, MIN_DISTANCE)
        if isinstance(accepted, str):
            return accepted
        detail = {"pair": "-".join(pair), "strategy": self.options.strategy, "decoded_as": "-".join(self.pair)}
        return Proposal(accepted, probability, None, parent, detail)

    def _held_out(self, structures: Sequence[Structure]) -> dict[str, float]:
        if not structures:
            return {}
        score = self.coder.score_images(structures)
        lengths, angles = self.coder.score_cells(structures)
        found = {"held_out_atom_count": score.counted / score.n}
        if score.errors:
            found["held_out_position_error"] = float(np.mean(score.errors))
        if np.isfinite(lengths).any():
            found["held_out_length_error"] = float(np.nanmean(lengths))
            found["held_out_angle_error"] = float(np.nanmean(angles))
        return found


def fitting(virtual: VirtualSet, coder: CrystalCoder) -> tuple[VirtualSet, int]:
    """The virtual crystals that fit the box, and how many do not."""
    rows = []
    for row, structure in enumerate(virtual.structures):
        try:
            coder.codec.boxed_positions(structure)
        except InputError:
            continue
        rows.append(row)
    structures = tuple(virtual.structures[i] for i in rows)
    kept = type(virtual)(structures, virtual.parents[rows], virtual.natural[rows])
    return kept, len(virtual) - len(rows)


def code_weights(options: ImatgenOptions) -> Array:
    """(width,) weights of the squared error of each number of a crystal's code."""
    numbers = options.cell_numbers
    return np.array([1.0] * (SLOTS * options.code) + [CELL_WEIGHT / numbers] * numbers)


def _parts(parents: NDArray[np.int64], rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows held out and rows learned from: all children of a parent on one side; nothing held out of very few."""
    different = rng.permutation(np.unique(parents))
    held = different[: int(TEST_SHARE * len(different))]
    out = np.isin(parents, held)
    return np.flatnonzero(out), np.flatnonzero(~out)


def _share(stable: Array) -> float:
    known = stable[~np.isnan(stable)]
    return float(known.mean()) if len(known) else 0.0
