"""Whether crystals that were held out come back.

The paper samples 30 points at a distance of 0.001 around the code of each held-out crystal and counts it as found
if one of them decodes to it (25 of 31). Since the crystal itself was encoded, that tests the autoencoder. The other
test here asks whether independent samples, made without looking at it, contain it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from fermiloop.platform.generators.imatgen.latent import around

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.generators.imatgen.generator import Imatgen

SAMPLES: Final = 30
RADIUS: Final = 1e-3


def found_around(
    model: Imatgen,
    targets: Sequence[Structure],
    rng: np.random.Generator,
    n: int = SAMPLES,
    radius: float = RADIUS,
    matcher: StructureMatcher | None = None,
) -> NDArray[np.bool_]:
    """(n_targets,) whether one of `n` points around each target's own code decodes to it.

    Raises
    ------
    InputError
        If a target does not fit the box.
    """
    matcher = matcher or StructureMatcher()
    found = np.zeros(len(targets), dtype=bool)
    for i, (target, code) in enumerate(zip(targets, model.latent(targets), strict=True)):
        samples = model.decoded(around(code, n, rng, radius))
        found[i] = any(matches(sample, target, matcher) for sample in samples)
    return found


def found_among(
    samples: Sequence[Structure | str], targets: Sequence[Structure], matcher: StructureMatcher | None = None
) -> NDArray[np.bool_]:
    """(n_targets,) whether each target is among samples that were made without it."""
    matcher = matcher or StructureMatcher()
    return np.array([any(matches(sample, target, matcher) for sample in samples) for target in targets], dtype=bool)


def matches(sample: Structure | str, target: Structure, matcher: StructureMatcher) -> bool:
    """Whether a decoded sample is the target, up to the matcher's tolerances."""
    if not isinstance(sample, Structure):
        return False
    if sample.composition.reduced_formula != target.composition.reduced_formula:
        return False
    return bool(matcher.fit(sample, target))
