"""Whether two crystals are one.

The relation is symmetric and looks at the canonical forms alone, and a material is a connected component of it. So the
materials depend on the set of crystals only, never on their order, although matching is not transitive; and what was
once joined is never parted. The price is that a chain of near neighbours is one material.

* Same symmetry at both tolerances: pymatgen's StructureMatcher (Ong et al., Comput. Mater. Sci. 68, 314, 2013) at
  equal volume, and volumes within `VOLUME`. Functionals and experiment differ by less; relaxed crystals of other
  volume, other ratios of the axes or other internal coordinates stay apart.
* Another symmetry, where one of the two is not beyond doubt: only what lies within noise of each other. Two symmetries
  beyond doubt are two crystals: a band of doubt lies between them that is wider than noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.representations.fingerprint import distance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pymatgen.core.structure_matcher import StructureMatcher

    from fermiloop.platform.representations.canonical import Form

VOLUME: Final = 1.04  # largest ratio of volumes per atom
NOISE_VOLUME: Final = 1.005
NOISE: Final = 0.007  # Å that an atom may be displaced by noise
FAR: Final = 0.3  # distance of fingerprints of any two that match at all
NOISE_LENGTH: Final = 0.003  # of the axes
NOISE_ANGLE: Final = 0.2  # degrees
NOISE_FAR: Final = 0.05  # as `FAR`
# a tenth of the distance between atoms, a twentieth of the axes, at equal volume
CLOSE: Final[dict[str, Any]] = {"ltol": 0.05, "stol": 0.1, "angle_tol": 3, "attempt_supercell": False}


def same(a: Form, b: Form) -> bool:
    """Whether two forms are one crystal; symmetric, and the same in every process."""
    if a.formula != b.formula:
        return False
    if a.key == b.key:
        return True
    ratio = max(a.volume_per_atom, b.volume_per_atom) / min(a.volume_per_atom, b.volume_per_atom)
    if ratio > VOLUME:
        return False
    first, second = sorted((a, b), key=lambda form: form.key)
    if (a.symmetry, a.pseudo) == (b.symmetry, b.pseudo) and len(a.symbols) == len(b.symbols):
        near = distance(a.fingerprint, b.fingerprint) <= FAR
        return near and bool(_matcher(**CLOSE).fit(first.structure, second.structure))
    if (a.firm and b.firm) or ratio > NOISE_VOLUME or distance(a.fingerprint, b.fingerprint) > NOISE_FAR:
        return False
    return _within_noise(first, second)


def joined(form: Form, groups: Mapping[str, Sequence[Form]]) -> list[str]:
    """Names of the groups that have a member which is the same crystal as `form`."""
    return [name for name, members in groups.items() if any(same(form, member) for member in members)]


def _within_noise(first: Form, second: Form) -> bool:
    """Whether the atoms of one lie on those of the other but for noise, whatever the symmetry is called."""
    reach = NOISE / max(first.volume_per_atom, second.volume_per_atom) ** (1 / 3)
    matcher = _matcher(ltol=NOISE_LENGTH, stol=reach, angle_tol=NOISE_ANGLE, attempt_supercell=True)
    return bool(matcher.fit(first.structure, second.structure))


def _matcher(**tolerances: Any) -> StructureMatcher:
    from pymatgen.core.structure_matcher import StructureMatcher  # scipy.optimize: who only reads needs none

    return StructureMatcher(primitive_cell=False, **tolerances)
