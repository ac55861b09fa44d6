"""Whether a crystal has been seen before.

By reduced formula first, then by fingerprint, which may only reject; then equal space group and occupied Wyckoff
positions at a very small fingerprint distance accept; what is left goes to pymatgen's StructureMatcher
(Ong et al., Comput. Mater. Sci. 68, 314, 2013), at the tolerances of MatterGen's uniqueness
(Zeni et al., Nature 639, 624, 2025). A proposal is not relaxed, so this is looser than `representations.sameness`, by
which stored crystals become one material: any volume, and larger displacements.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from fermiloop.platform.representations.fingerprint import N_BINS, distance, fingerprint
from fermiloop.platform.screening.verdicts import DUPLICATE, KNOWN, KNOWN_AS, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.screening.verdicts import Crystal, Known

# of 700 pairs of Materials Project crystals with one formula and up to 8 sites all 42 twins lay below 0.35
FAR: Final = 0.5
NEAR: Final = 0.005  # polytypes with equal symmetry come as near as 0.02
SYMMETRY_TOLERANCE: Final = 0.05  # Å
MATCHER: Final = StructureMatcher(ltol=0.2, stol=0.3, angle_tol=5, attempt_supercell=False)


@dataclass(frozen=True)
class Seen:
    """One crystal with what it is compared by; `symmetry` is computed only where it is needed."""

    name: str
    structure: Structure
    print_: NDArray[np.float64]

    @cached_property
    def symmetry(self) -> tuple[int, frozenset[tuple[tuple[int, str], Fraction]]]:
        """Space group number, and what share of the atoms lies, by element, on each Wyckoff position."""
        found = SpacegroupAnalyzer(self.structure, symprec=SYMMETRY_TOLERANCE).get_symmetry_dataset()
        elements = [site.specie.Z for site in self.structure]
        sites = Counter(zip(elements, found.wyckoffs, strict=True))
        return int(found.number), frozenset((site, Fraction(n, len(elements))) for site, n in sites.items())

    def is_twin(self, other: Seen) -> bool:
        """Whether both are one crystal; the reduced formulas are equal already."""
        apart = distance(self.print_, other.print_)
        if apart > FAR:
            return False
        if apart < NEAR and self.symmetry == other.symmetry:
            return True
        return bool(MATCHER.fit(self.structure, other.structure))


class Register:
    """Crystals seen so far, known materials from the start; the batch has precedence."""

    def __init__(self, known: Sequence[Known]) -> None:
        self._batch: dict[str, list[Seen]] = defaultdict(list)
        self._known: dict[str, list[Known | Seen]] = defaultdict(list)
        for material in known:
            self._known[material.formula].append(material)

    def judge(self, crystal: Crystal, structure: Structure, stage: str) -> Verdict:
        """Reject a twin and name it; remember the crystal unless it is a twin within the batch."""
        formula = structure.composition.reduced_formula
        seen = Seen(f"proposal {crystal.index}", structure, fingerprint(structure))
        for other in self._batch[formula]:
            if seen.is_twin(other):
                return Verdict(stage, False, f"duplicate of {other.name}", kind=DUPLICATE)
        self._batch[formula].append(seen)
        bucket = self._known[formula]
        for place, material in enumerate(bucket):
            ready = bucket[place] = material if isinstance(material, Seen) else _seen(material)
            if seen.is_twin(ready):
                return Verdict(stage, False, f"{KNOWN_AS}{ready.name}", kind=KNOWN)
        return Verdict(stage, True)


def _seen(material: Known) -> Seen:
    stored = np.asarray(material.fingerprint, dtype=float)
    fresh = stored if stored.shape == (N_BINS,) else fingerprint(material.structure)
    return Seen(material.id, material.structure, fresh)
