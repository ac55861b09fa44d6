"""Every decoration of every known prototype, ranked by a cheap score: the library of a virtual screening.

High-throughput screening starts from prototypes with all elements in their sites (Noh et al., Chem. Sci. 11, 4871,
2020, section 2; 132,600 ThCr2Si2 crystals in one of its examples). Prototypes are those of the training set and the
tabulated ones. A decoration is scored by how frequent its prototype is, and by how far its ratios of radii and its
differences of electronegativity lie from those of the known occupants; charge balance and Pauling's test are SMACT's
(Davies et al., J. Open Source Softw. 4, 1361, 2019), asked only of the best. The target is not read: that is for the
funnel.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Composition

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.decoration import elemental_volumes
from fermiloop.platform.generators.protocol import FitReport, Proposal
from fermiloop.platform.predictors.files import Arrays, Config, Packed, SavedModel
from fermiloop.platform.predictors.potential.volumes import volume_by_bonds
from fermiloop.platform.representations.neutrality import is_neutral_or_alloy
from fermiloop.platform.representations.structure_types import ALL_TYPES
from fermiloop.platform.search.fillings import Scorer, fillings
from fermiloop.platform.search.templates import (
    TABLES,
    Template,
    check_table,
    learn_templates,
    log_radius,
    negativity,
    volume_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet

    Array = NDArray[np.float64]

POOL: Final = 50
"""Decorations kept for each one asked for, so that enough of them pass the rules."""
LEAST_POOL: Final = 2_000


@dataclass(frozen=True)
class PrototypeEnumerationOptions:
    """What is enumerated, and how it is ranked.

    Parameters
    ----------
    prototypes
        Most frequent prototypes of the training set that are decorated.
    radius_window
        Tolerated departure of a ratio of radii from that of the known occupants, as one standard deviation; 0.15
        stands for ratios of 0.85 to 1.15.
    negativity_window
        The same of a difference of electronegativity, Pauling units.
    rules
        Whether SMACT's charge balance and Pauling's test are asked for.
    known
        Whether crystals of the training set may be proposed.
    temperature
        Spread of the draw in units of the score; 0 takes the best every time.
    structure_types
        Tabulated types that join those of the training set: ``"cubic_hexagonal"``, the unaries and binaries of these
        two systems, or ``"all"`` of all systems up to four elements, ranked by how like their textbook compounds a
        decoration is; with all of them nothing need be in the training set.
    mixed_valence
        Whether an element may be in two oxidation states at once, as in Fe3O4, where the rules are asked for.
    """

    prototypes: int = 300
    radius_window: float = 0.15
    negativity_window: float = 0.5
    rules: bool = True
    known: bool = False
    temperature: float = 1.0
    structure_types: str = TABLES[0]
    mixed_valence: bool = False

    def __post_init__(self) -> None:
        check_table(self.structure_types)
        if self.prototypes < 0 or self.temperature < 0:
            raise InputError(
                f"prototype_enumeration takes no negative number of prototypes ({self.prototypes}) and no negative "
                f"temperature ({self.temperature:g})."
            )
        if not (self.radius_window > 0 and self.negativity_window > 0):
            raise InputError("The windows of radius and electronegativity must be above 0.")


class PrototypeEnumeration(SavedModel):
    """The best or randomly drawn decorations of known prototypes.

    Parameters
    ----------
    options
        What is enumerated, and how it is ranked.
    """

    name = "prototype_enumeration"

    def __init__(self, options: PrototypeEnumerationOptions | None = None) -> None:
        self.options = options or PrototypeEnumerationOptions()
        self.failures: Counter[str] = Counter()
        self.templates: tuple[Template, ...] = ()
        self.volumes: dict[str, float] = {}
        self.seen: frozenset[tuple[str, tuple[str, ...]]] = frozenset()

    def fit(
        self,
        data: TrainingSet,
        seed: int,  # noqa: ARG002 - nothing is random in it
        progress: Callable[[str, float], None],
        resume: Path | None = None,  # noqa: ARG002 - 3 ms a crystal
    ) -> FitReport:
        """Learn prototypes and elemental volumes.

        Raises
        ------
        InputError
            If the training set is empty, unless all tabulated types are asked for, or holds a disordered crystal.
        """
        began = time.process_time()
        all_types = self.options.structure_types == ALL_TYPES
        if not len(data) and not all_types:
            raise InputError(
                "prototype_enumeration needs at least one crystal, and the training set is empty; set its option "
                "structure_types to all."
            )
        for structure in data.structures:
            if not structure.is_ordered:
                raise InputError(f"{structure.formula} is disordered; prototypes are learned from ordered crystals.")
        self.volumes = elemental_volumes(data.structures)
        learned, seen = learn_templates(
            data.structures, self.volumes, self.options.prototypes, lambda share: progress(self.name, share), all_types
        )
        self.templates, self.seen = tuple(learned), frozenset(seen)
        return FitReport({"prototypes": float(len(learned))}, (), len(data), 0, 0, time.process_time() - began)

    def count(self, space: Space) -> int:
        """Decorations that lie in the space, before any rule."""
        return sum(len(scores) for _, _, scores in self.decorations(space))

    def decorations(self, space: Space) -> Iterator[tuple[Template, NDArray[np.int64], Array]]:
        """All decorations, lazily and in chunks; of four slots or more the likeliest, where they are too many.

        Yields
        ------
        A prototype, (m, n_slots) places of elements in `space.elements`, and (m,) scores.
        """
        radii = np.array([log_radius(symbol) for symbol in space.elements])
        values = np.array([negativity(symbol) for symbol in space.elements])
        for template in self.templates:
            slots = len(template.amounts)
            inside = template.system in space.crystal_systems and len(template.slots) <= space.max_sites
            if not inside or not space.n_components[0] <= slots <= space.n_components[1]:
                continue
            scorer = Scorer(template, radii, values, self.options.radius_window, self.options.negativity_window)
            for chosen in fillings(scorer, slots):
                yield template, chosen, scorer(chosen)

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """At most `n` different crystals, best first; `failures` counts those that the rules refused.

        Raises
        ------
        InputError
            If it was not fitted.
        """
        if not self.templates:
            raise InputError("prototype_enumeration has seen no training set; fit or load it first.")
        self.failures = Counter()
        excluded = {Composition(formula).reduced_formula for formula in target.exclude_formulas}
        found: list[Proposal] = []
        for score, template, symbols in self._ranked(space, max(LEAST_POOL, POOL * n), rng):
            if len(found) == n:
                break
            reason = self._refused(template, symbols, excluded)
            if reason:
                self.failures[reason] += 1
            else:
                detail = {"prototype": template.name, "elements": list(symbols)}
                found.append(Proposal(self.build(template, symbols), score, None, None, detail))
        return sorted(found, key=lambda proposal: -proposal.score)

    def build(self, template: Template, symbols: Sequence[str]) -> Structure:
        """A decoration at the volume of its elements and the packing of its prototype.

        Of a type that is known from its table alone, at the volume by the lengths of bonds.
        """
        if template.examples and not template.count:
            return template.build(symbols, volume_by_bonds(template.build(symbols, 1.0)))
        volume = template.packing * volume_of(symbols, template.amounts, self.volumes)
        return template.build(symbols, volume)

    def packed(self) -> Packed:
        """Elemental volumes in the arrays, they and the prototypes in the config."""
        config = {
            "options": asdict(self.options),
            "templates": [asdict(template) for template in self.templates],
            "volumes": self.volumes,
            "seen": [[name, list(symbols)] for name, symbols in sorted(self.seen)],
        }
        return config, {"volumes": np.array(list(self.volumes.values()))}

    @classmethod
    def restored(cls, config: Config, arrays: Arrays) -> PrototypeEnumeration:  # noqa: ARG003 - the config says all
        """The same out of what `packed` gave."""
        made = cls(PrototypeEnumerationOptions(**config["options"]))
        made.templates = tuple(Template.of(item) for item in config["templates"])
        made.volumes = {str(symbol): float(value) for symbol, value in config["volumes"].items()}
        made.seen = frozenset((str(name), tuple(symbols)) for name, symbols in config["seen"])
        return made

    def _ranked(
        self, space: Space, size: int, rng: np.random.Generator
    ) -> list[tuple[float, Template, tuple[str, ...]]]:
        """At most `size` of all decorations, drawn by their score (Gumbel top-k), the first drawn first."""
        kept: list[tuple[float, float, Template, tuple[int, ...]]] = []
        floor = -np.inf
        for template, chosen, scores in self.decorations(space):
            keys = scores + self.options.temperature * rng.gumbel(size=len(scores))
            above = np.flatnonzero(keys > floor)
            if len(above) > size:
                above = above[np.argpartition(-keys[above], size - 1)[:size]]
            kept += [(float(keys[i]), float(scores[i]), template, tuple(chosen[i].tolist())) for i in above]
            if len(kept) > 2 * size:
                kept = sorted(kept, key=_by_key)[:size]
                floor = kept[-1][0]
        ordered = sorted(kept, key=_by_key)[:size]
        return [(score, template, tuple(space.elements[k] for k in places)) for _, score, template, places in ordered]

    def _refused(self, template: Template, symbols: tuple[str, ...], excluded: set[str]) -> str | None:
        if not self.options.known and (template.name, symbols) in self.seen:
            return "known crystal"
        amounts = dict(zip(symbols, template.amounts, strict=True))
        formula = Composition(amounts).reduced_formula
        if formula in excluded:
            return "excluded formula"
        refused = self.options.rules and not _allowed(formula, self.options.mixed_valence)
        return "charge balance or electronegativity" if refused else None


def _by_key(entry: tuple[float, float, Template, tuple[int, ...]]) -> tuple[Any, ...]:
    return (-entry[0], entry[2].name, entry[3])


@lru_cache(maxsize=100_000)
def _allowed(formula: str, mixed_valence: bool = False) -> bool:
    return is_neutral_or_alloy(formula, mixed_valence=mixed_valence)
