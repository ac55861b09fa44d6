"""Invertible? Invariant? Each representation measured, not asserted: the review's Table 1 as a test.

Noh et al. (Chem. Sci. 11, 4871, 2020, Table 1) ask of a representation whether the crystal can be
had back from it, and whether it stays the same however the crystal is written down. Six ways of writing the same
crystal are applied: another origin, another orientation in space, another order of the sites, a doubled cell, another
choice of the cell, and the mirror image (as inversion, which is a mirror and a turn; energies and densities of states
do not see it). What the review says is of families, images and graphs; only where a family is named does it stand
beside ours. The voxel images here choose periodic images by the widest gap between atoms, as the published ones do
not, so that most crystals are free of their origin. The change of a representation is told in units of the median
distance between two different crystals, so 0 is invariant and 1 as far as another crystal. The codes of the crystal
graph are random projections of its images, in place of those of a trained coder, which sees no more than the images
show: what they leave unchanged it leaves unchanged too, and how far they move says nothing of how far its codes move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.predictors.descriptors import composition_descriptors, structure_descriptors
from fermiloop.platform.representations.composition import CompositionTable, CompositionVectors, formula_of, row_of
from fermiloop.platform.representations.crystal_graph import SITE_CODE, Codes, PaperGraph
from fermiloop.platform.representations.crystals import CrystalBatch
from fermiloop.platform.representations.diffraction import xrd_pattern
from fermiloop.platform.representations.element_features import ELEMENTS_KNOWN, element_features
from fermiloop.platform.representations.fingerprint import fingerprint
from fermiloop.platform.representations.ftcp import FtcpFeaturizer
from fermiloop.platform.representations.voxels import ImageCodec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]

SAME: Final = 1e-6
"""Largest change that still counts as none, in distances between crystals."""
GRID: Final = 32
CELL_CODE: Final = 25
MAX_SITES: Final = 40
"""Of the FTCP images: room for a doubled cell of 20."""
CODE_SEED: Final = 0


def translated(structure: Structure, rng: np.random.Generator) -> Structure:
    """Another origin."""
    return Structure(structure.lattice, structure.species, structure.frac_coords + rng.random(3))


def rotated(structure: Structure, rng: np.random.Generator) -> Structure:
    """Another orientation in space."""
    turn, upper = np.linalg.qr(rng.normal(size=(3, 3)))
    turn = turn * np.sign(np.diag(upper))
    turn[:, 0] *= np.sign(np.linalg.det(turn))
    return Structure(Lattice(structure.lattice.matrix @ turn), structure.species, structure.frac_coords)


def permuted(structure: Structure, rng: np.random.Generator) -> Structure:
    """Another order of the sites."""
    return Structure.from_sites([structure[int(i)] for i in rng.permutation(len(structure))])


def doubled(structure: Structure, rng: np.random.Generator) -> Structure:  # noqa: ARG001 - all have one signature
    """Two cells along the shortest axis."""
    times = [1, 1, 1]
    times[int(np.argmin(structure.lattice.abc))] = 2
    return structure * times


def recelled(structure: Structure, rng: np.random.Generator) -> Structure:  # noqa: ARG001 - all have one signature
    """The lattice vectors a, a + b, c, of the same volume."""
    change = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]])
    lattice = Lattice(change @ structure.lattice.matrix)
    frac = lattice.get_fractional_coords(structure.cart_coords)
    return Structure(lattice, structure.species, frac, to_unit_cell=True)


def mirrored(structure: Structure, rng: np.random.Generator) -> Structure:  # noqa: ARG001 - all have one signature
    """The mirror image."""
    return Structure(structure.lattice, structure.species, -structure.frac_coords, to_unit_cell=True)


REWRITINGS: Final[dict[str, Callable[[Structure, np.random.Generator], Structure]]] = {
    "translation": translated,
    "rotation": rotated,
    "site permutation": permuted,
    "supercell": doubled,
    "cell choice": recelled,
    "reflection": mirrored,
}


@dataclass(frozen=True)
class Representation:
    """One representation as the bench sees it.

    Parameters
    ----------
    name
        What it is called in the table.
    encode
        Crystals to (n, d) numbers.
    decode
        Crystals as encoded and decoded again, None where a crystal does not come back; None where there is no way.
    invertible, invariant
        What the review says of its family, or the paper that brought it; None where neither does.
    source
        Who says so.
    """

    name: str
    encode: Callable[[Sequence[Structure]], Array]
    decode: Callable[[Sequence[Structure]], list[Structure | None]] | None = None
    invertible: bool | None = None
    invariant: bool | None = None
    source: str = ""


def representations() -> tuple[Representation, ...]:
    """All representations of the platform."""
    review = "Noh et al. 2020"
    return (
        Representation("composition vector", _composition_vectors, None, None, None, "formula only"),
        Representation("FTCP, paper", _ftcp("paper"), _ftcp_back("paper"), True, False, "Ren et al. 2022"),
        Representation("FTCP, structure factor", _ftcp("structure_factor"), _ftcp_back("structure_factor")),
        Representation(f"voxel images, {GRID}³", _images, _images_back, True, False, f"{review}; images chosen by gap"),
        Representation(
            "crystal graph, packed codes",
            _graphs,
            None,
            None,
            False,
            "Long et al.; random projections in place of trained coders",
        ),
        Representation("powder pattern", _patterns),
        Representation("fingerprint", lambda s: np.array([fingerprint(x) for x in s]), None, False, True, review),
        Representation("descriptors, composition", composition_descriptors, None, False, True, review),
        Representation("descriptors, structure", structure_descriptors, None, False, True, review),
    )


@dataclass(frozen=True)
class Change:
    """How far one rewriting moves a representation.

    Parameters
    ----------
    deviations
        (n,) in median distances between two crystals.
    """

    deviations: NDArray[np.float64]

    @property
    def unchanged(self) -> int:
        """Crystals whose representation stayed."""
        return int((self.deviations < SAME).sum())

    @property
    def interval(self) -> tuple[float, float]:
        """Of the share of them, Wilson's 95 %."""
        return wilson(self.unchanged, len(self.deviations))


def changes(representation: Representation, structures: Sequence[Structure], seed: int) -> dict[str, Change]:
    """Every rewriting's effect.

    Parameters
    ----------
    structures
        At least two different crystals.
    seed
        Of origins, turns and orders.
    """
    plain = representation.encode(structures)
    unit = float(np.median(_distances(plain, np.roll(plain, 1, axis=0))))
    found = {}
    for name, rewrite in REWRITINGS.items():
        rng = np.random.default_rng(seed)
        other = representation.encode([rewrite(structure, rng) for structure in structures])
        found[name] = Change(_distances(plain, other) / unit)
    return found


@dataclass(frozen=True)
class Inverse:
    """What comes back: matches of n, and the median distance of their atoms, Å."""

    matched: int
    n: int
    error: float | None


def inverse(representation: Representation, structures: Sequence[Structure]) -> Inverse | None:
    """Encode and decode; None where there is no way back."""
    if representation.decode is None:
        return None
    matcher = StructureMatcher(ltol=0.1, stol=0.2, angle_tol=3, primitive_cell=False, scale=False)
    errors = []
    for truth, found in zip(structures, representation.decode(structures), strict=True):
        pair = None if found is None else matcher.get_rms_dist(truth, found)  # type: ignore[no-untyped-call]
        if pair is not None:
            errors.append(float(pair[0]) * (truth.volume / len(truth)) ** (1 / 3))
    return Inverse(len(errors), len(structures), float(np.median(errors)) if errors else None)


def invariance_rows(
    structures: Sequence[Structure], seed: int, progress: Callable[[str, float], None]
) -> list[dict[str, Any]]:
    """The table: of each representation whether it can be inverted and what it is invariant to."""
    rows, every = [], representations()
    for i, representation in enumerate(every):
        progress(representation.name, i / len(every))
        rows += [_inverse_row(representation, inverse(representation, structures))]
        for name, change in changes(representation, structures, seed).items():
            rows.append(_change_row(representation, name, change))
    return rows


def _change_row(representation: Representation, name: str, change: Change) -> dict[str, Any]:
    low, high = change.interval
    return {
        "what": f"{representation.name}: unchanged by {name}",
        "published": _said(representation.invariant),
        "ours": change.unchanged / len(change.deviations),
        "ours_low": low,
        "ours_high": high,
        "n": len(change.deviations),
        "baseline": None,
        "seconds": None,
        "deviation": float(np.median(change.deviations)),
        "note": representation.source,
    }


def _inverse_row(representation: Representation, found: Inverse | None) -> dict[str, Any]:
    low, high = wilson(found.matched, found.n) if found else (None, None)
    return {
        "what": f"{representation.name}: crystal comes back",
        "published": _said(representation.invertible),
        "ours": found.matched / found.n if found else 0.0,
        "ours_low": low,
        "ours_high": high,
        "n": found.n if found else None,
        "baseline": None,
        "seconds": None,
        "deviation": found.error if found else None,
        "note": f"{representation.source}; deviation in Å" if found else "no inverse",
    }


def _said(answer: bool | None) -> str | None:
    return None if answer is None else ("yes" if answer else "no")


def _distances(a: Array, b: Array) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(np.asarray(a - b, dtype=np.float64).reshape(len(a), -1), axis=1))


def _composition_vectors(structures: Sequence[Structure]) -> Array:
    """Element vectors by amount: of two elements as the composer has them, of others the same sum over three blocks."""
    made = np.zeros((len(structures), 3, element_features().shape[1]))
    for i, structure in enumerate(structures):
        for block, (number, amount) in enumerate(row_of(structure.composition)[:3]):
            made[i, block] = amount * element_features()[number - 1]
    return made.reshape(len(structures), -1)


def compositions_back(structures: Sequence[Structure]) -> list[bool]:
    """Whether the formula of each crystal of one or two elements, amounts up to 3, comes back from its vector."""
    numbers = sorted({number for structure in structures for number, _ in row_of(structure.composition)})
    vectors = CompositionVectors(CompositionTable(numbers), element_features()[np.array(numbers) - 1])
    inside = [row for row in (row_of(s.composition) for s in structures) if row in vectors.table.index]
    return [formula_of(a) == formula_of(b) for a, b in zip(inside, vectors.decode(vectors.encode(inside)), strict=True)]


def _ftcp(reciprocal: Any) -> Callable[[Sequence[Structure]], Array]:
    codec = FtcpFeaturizer(max_sites=MAX_SITES, reciprocal=reciprocal)
    return lambda structures: codec.transform(CrystalBatch.from_structures(structures))


def _ftcp_back(reciprocal: Any) -> Callable[[Sequence[Structure]], list[Structure | None]]:
    codec = FtcpFeaturizer(max_sites=MAX_SITES, reciprocal=reciprocal)

    def back(structures: Sequence[Structure]) -> list[Structure | None]:
        found = codec.inverse(codec.transform(CrystalBatch.from_structures(structures)))
        return [found.structure(i) for i in range(len(found))]

    return back


def _encoded(structures: Sequence[Structure]) -> tuple[Array, list[Any]]:
    codec = ImageCodec.for_grid(GRID)
    cells = codec.encode_cells(CrystalBatch.from_structures(structures).matrices())
    return cells, codec.encode_bases(structures)


def _images(structures: Sequence[Structure]) -> Array:
    """(n, 4 · 32³) image of the cell and of up to three elements, by atomic number."""
    cells, bases = _encoded(structures)
    made = np.zeros((len(structures), 4, GRID**3), dtype=np.float32)
    made[:, 0] = cells.reshape(len(structures), -1)
    for row, basis in zip(made, bases, strict=True):
        row[1 : 1 + len(basis.elements)] = basis.images.reshape(len(basis.elements), -1)
    return made.reshape(len(structures), -1)


def _images_back(structures: Sequence[Structure]) -> list[Structure | None]:
    codec = ImageCodec.for_grid(GRID)
    cells, bases = _encoded(structures)
    return [codec.decode(cell, basis.elements, basis.images) for cell, basis in zip(cells, bases, strict=True)]


def _codes(structures: Sequence[Structure]) -> list[Codes]:
    """Codes by a fixed random projection of the images: a trained coder can only see what images show."""
    rng = np.random.default_rng(CODE_SEED)
    to_cell = rng.normal(size=(GRID**3, CELL_CODE)).astype(np.float32) / GRID**1.5
    to_site = rng.normal(size=(GRID**3, SITE_CODE)).astype(np.float32) / GRID**1.5
    made = []
    for structure, cell, basis in zip(structures, *_encoded(structures), strict=True):
        amounts = np.array([structure.atomic_numbers.count(number) for number in basis.elements], dtype=float)
        sites = basis.images.reshape(len(amounts), -1) @ to_site
        made.append(Codes(cell.ravel() @ to_cell, basis.elements, amounts, sites))
    return made


def _graphs(structures: Sequence[Structure]) -> Array:
    """(n, 160 · 160) graphs."""
    return np.array([PaperGraph().pack(codes).ravel() for codes in _codes(structures)], dtype=np.float32)


def graphs_back(structures: Sequence[Structure]) -> list[bool]:
    """Whether elements and codes of each crystal come back from its graph, exactly."""
    found = []
    for codes in _codes(structures):
        back = PaperGraph().unpack(PaperGraph().pack(codes))
        same = codes.elements == back.elements
        found.append(bool(same and (codes.cell == back.cell).all() and (codes.sites == back.sites).all()))
    return found


def _patterns(structures: Sequence[Structure]) -> Array:
    return np.array([xrd_pattern(structure) for structure in structures])


def fits_all(structure: Structure, max_sites: int = 10) -> bool:
    """Whether every representation can hold a crystal and its doubled cell: elements, sites, box."""
    numbers = set(structure.atomic_numbers)
    small = len(structure) <= max_sites and len(numbers) <= 3 and max(numbers) <= max(ELEMENTS_KNOWN)
    return small and max(structure.lattice.abc) <= 6.0
