"""Rows of iMatGen's table that need no network: how exact and how fast the images are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.imatgen_reference import reference_basis, reference_cell
from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.imatgen.coder import deviations
from fermiloop.platform.representations.crystals import lattice_matrices, wrap
from fermiloop.platform.representations.voxel_decode import paper_decode_basis
from fermiloop.platform.representations.voxels import ImageCodec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]

CRYSTALS: Final = 200
"""Whose clean images are decoded, as for the published 0.11 Å."""
TIMED: Final = 3
"""Crystals that the reference, at seconds an atom, is run on."""
TIMED_SITES: Final = 4
"""Sites that they have, or nearly."""


def image_rows(
    data: TrainingSet, quick: bool, seed: int, progress: Callable[[str, float], None]
) -> list[dict[str, Any]]:
    """Clean decoding at 64³ and 32³, crystals longer than the box, and the speed of encoding."""
    order = np.random.default_rng(seed).permutation(len(data))
    structures = [data.structures[i] for i in order[: 6 if quick else CRYSTALS]]
    rows: list[dict[str, Any]] = []
    for grid in (64, 32):
        progress(f"clean images {grid}³", 0.0)
        rows += _clean_rows(ImageCodec.for_grid(grid), structures)
    rows.append(_wrapping_row(ImageCodec(), data.structures))
    progress("encoding, against the published way", 0.0)
    small = sorted(structures, key=lambda structure: abs(len(structure) - TIMED_SITES))
    rows.append(_speed_row(ImageCodec.for_grid(16) if quick else ImageCodec(), small[: 1 if quick else TIMED]))
    return rows


def row(
    what: str,
    published: float | None,
    ours: int | float | Sequence[float] | Array,
    *,
    n: int,
    baseline: float | None = None,
    seconds: float | None = None,
    note: str = "",
) -> dict[str, Any]:
    """One row: of a count the share with its Wilson interval, of errors their mean with its 95 % interval.

    Parameters
    ----------
    what, published, baseline, seconds, note
        Columns.
    ours
        A count out of `n`, a number that stands by itself, or errors; those that are not finite are left out, and
        where none is left there is no figure.
    n
        How many were asked for.
    """
    value: float | None
    low: float | None
    high: float | None
    if isinstance(ours, int | np.integer):
        value, (low, high) = int(ours) / n, wilson(int(ours), n)
    elif isinstance(ours, float):
        value, low, high = ours, None, None
    else:
        errors = np.asarray(ours, dtype=float)
        errors = errors[np.isfinite(errors)]
        half = 1.96 * float(errors.std()) / len(errors) ** 0.5 if len(errors) else 0.0
        value = float(errors.mean()) if len(errors) else None
        low, high = (None, None) if value is None else (value - half, value + half)
    return {
        "what": what, "published": published, "ours": value, "ours_low": low, "ours_high": high, "n": n,
        "baseline": baseline, "seconds": seconds, "note": note,
    }  # fmt: skip


def _clean_rows(codec: ImageCodec, structures: Sequence[Structure]) -> list[dict[str, Any]]:
    grid = codec.basis_grid
    began = time.perf_counter()
    ours: list[float] = []
    theirs: list[float] = []
    counted = [0, 0]
    for structure, images in zip(structures, codec.encode_bases(structures), strict=True):
        numbers, true = np.array(structure.atomic_numbers), codec.boxed_positions(structure)
        channel, coarse = paper_decode_basis(images.images, codec.box)
        fine = codec.decode_basis(images, resolve=False)
        found = (fine, (np.array(images.elements)[channel], coarse))
        for i, (errors, (z, positions)) in enumerate(zip((ours, theirs), found, strict=True)):
            by_element = [deviations(true[numbers == e], positions[z == e], codec.box) for e in images.elements]
            if all(away is not None for away in by_element):
                counted[i] += 1
                errors += np.concatenate([away for away in by_element if away is not None]).tolist()
    cells = lattice_matrices([s.lattice.abc for s in structures], [s.lattice.angles for s in structures])
    decoded = [codec.decode_cell(image) for image in codec.encode_cells(cells)]
    angle = max(np.abs(found[1] - s.lattice.angles).max() for found, s in zip(decoded, structures, strict=True))
    n, seconds = len(structures), time.perf_counter() - began
    return [
        row(f"clean images {grid}³: position error, Å", 0.11 if grid == 64 else None, ours, n=n,
            baseline=float(np.mean(theirs)), seconds=seconds, note="baseline: the paper's decoder, reproduced"),
        row(f"clean images {grid}³: every atom found", None, counted[0], n=n, baseline=counted[1] / n,
            note="baseline: the paper's decoder"),
        row(f"clean images {grid}³: largest angle error, °", None, float(angle), n=n),
    ]  # fmt: skip


def _wrapping_row(codec: ImageCodec, structures: Sequence[Structure]) -> dict[str, Any]:
    """Crystals that reach round the box as listed: what becomes of them."""
    long, fit = 0, 0
    for structure in structures:
        listed = wrap(structure.frac_coords) @ structure.lattice.matrix
        if np.ptp(listed, axis=0).max() > codec.largest_extent:
            long += 1
            try:
                codec.boxed_positions(structure)
            except InputError:
                continue
            fit += 1
    note = f"of {len(structures)} crystals {long} span more than {codec.largest_extent:g} Å as listed; others refused"
    return row("crystals too long as listed: fit by other periodic images", None, fit, n=max(long, 1), note=note)


def _speed_row(codec: ImageCodec, structures: Sequence[Structure]) -> dict[str, Any]:
    reference, largest = 0.0, 0.0
    boxed = [codec.boxed_positions(structure) for structure in structures]
    cells = lattice_matrices([s.lattice.abc for s in structures], [s.lattice.angles for s in structures])
    codec.encode_cells(cells)
    began = time.process_time()
    images = codec.encode_bases(structures)
    cell_images = codec.encode_cells(cells)
    ours = time.process_time() - began
    for structure, positions, cell, made, cell_image in zip(structures, boxed, cells, images, cell_images, strict=True):
        began = time.process_time()
        theirs = reference_basis(codec, np.array(structure.atomic_numbers), positions)
        their_cell = reference_cell(codec, cell)
        reference += time.process_time() - began
        largest = max(largest, float(np.abs(theirs - made.images).max()), float(np.abs(their_cell - cell_image).max()))
    return row("encoding: times faster than the published way", None, reference / ours, n=len(structures),
               seconds=reference, note=f"{codec.basis_grid}³; values differ by at most {largest:.1e}")  # fmt: skip
