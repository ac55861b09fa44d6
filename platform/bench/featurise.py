"""Representations: can they be inverted, what are they invariant to, how fast are they.

The first part is Table 1 of the review, measured (see `fermiloop.platform.bench.invariance`; Noh et al., Chem. Sci. 11,
4871, 2020). The second part are crystals per processor second, for FTCP (Ren et al., Matter 5, 314, 2022) and the
images of iMatGen (Noh et al., Matter 1, 1370, 2019) beside the published algorithms rewritten, on the same crystals
in the same run, with the largest difference of their values.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.crystal_data import read_crystals, select
from fermiloop.platform.bench.ftcp_reference import reference_images
from fermiloop.platform.bench.imatgen_reference import reference_basis, reference_cell
from fermiloop.platform.bench.invariance import (
    GRID,
    Representation,
    compositions_back,
    fits_all,
    graphs_back,
    invariance_rows,
    representations,
)
from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.crystals import CrystalBatch
from fermiloop.platform.representations.element_bins import element_vectors
from fermiloop.platform.representations.ftcp import FtcpFeaturizer
from fermiloop.platform.representations.voxels import ImageCodec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pymatgen.core import Structure

SIZES: Final = {False: (100, 500, 200, 5), True: (10, 40, 10, 1)}
"""Crystals of the table, of our speed, of FTCP's reference and of iMatGen's, for a full and a quick run."""
PAPER_GRID: Final = 64
FEWEST: Final = 10


def run_bench(data: Path | None, quick: bool, seed: int, progress: Callable[[str, float], None]) -> dict[str, Any]:
    """Rows of both parts.

    Parameters
    ----------
    data
        Crystals; see `read_crystals`.
    quick
        A check, not a figure.
    seed
        Of the choice of crystals, of origins, turns and orders.
    progress
        Told the representation and the share done.

    Raises
    ------
    InputError
        If the file holds too few crystals that every representation can hold.
    """
    began = time.perf_counter()
    if data is None:
        raise InputError("The bench of representations needs a file of crystals; give one by --data.")
    known, refused = read_crystals(data)
    rng = np.random.default_rng(seed)
    fitting = [known.structures[int(i)] for i in rng.permutation(len(known)) if fits_all(known.structures[int(i)])]
    if len(fitting) < FEWEST:
        raise InputError(
            f"{data} holds {len(fitting)} crystals that every representation can hold; {FEWEST} are needed."
        )
    table, ours, ftcp, images = SIZES[quick]
    rows = invariance_rows(fitting[:table], seed, lambda what, share: progress(what, 0.6 * share))
    rows.append(
        _share_row(
            "composition vector: formula comes back", compositions_back(fitting), "up to two elements, amounts up to 3"
        )
    )
    rows.append(_share_row("crystal graph: codes come back exactly", graphs_back(fitting[:table]), "packed, unpacked"))
    progress("speed", 0.6)
    rows += [_speed_row(representation, fitting[:ours]) for representation in representations()]
    progress("reference of FTCP", 0.8)
    wanted = select(known, max_sites=20).structures
    wanted = tuple(structure for structure in wanted if len(structure.composition) <= 3)
    rows.append(_ftcp_row([wanted[int(i)] for i in rng.permutation(len(wanted))[:ftcp]]))
    progress("reference of iMatGen", 0.9)
    rows += _imatgen_rows(fitting[:images])
    progress("done", 1.0)
    return {
        "rows": rows,
        "data": {"file": data.name, "n": len(fitting), "refused": len(refused)},
        "settings": {"quick": quick, "seed": seed, "grid": GRID},
        "seconds": time.perf_counter() - began,
    }


def _row(what: str, **given: Any) -> dict[str, Any]:
    names = ("published", "ours", "ours_low", "ours_high", "n", "baseline", "seconds", "deviation", "note")
    return {"what": what} | dict.fromkeys(names) | given


def _share_row(what: str, flags: Sequence[bool], note: str) -> dict[str, Any]:
    low, high = wilson(sum(flags), len(flags))
    ours = sum(flags) / len(flags) if flags else None
    return _row(what, ours=ours, ours_low=low, ours_high=high, n=len(flags), note=note)


def _speed_row(representation: Representation, structures: Sequence[Structure]) -> dict[str, Any]:
    representation.encode(structures[:2])  # tables and caches
    began = time.process_time()
    for start in range(0, len(structures), 100):
        representation.encode(structures[start : start + 100])
    seconds = time.process_time() - began
    return _row(
        f"{representation.name}: crystals per second",
        ours=len(structures) / seconds,
        n=len(structures),
        seconds=seconds,
        note="one core",
    )


def _ftcp_row(structures: Sequence[Structure]) -> dict[str, Any]:
    codec, vectors = FtcpFeaturizer(), element_vectors()
    codec.transform(CrystalBatch.from_structures(structures))
    reference_images(structures[:2], vectors)
    began = time.process_time()
    crystals = CrystalBatch.from_structures(structures)
    read = time.process_time()
    fast = codec.transform(crystals)
    middle = time.process_time()
    slow = reference_images(structures, vectors)
    ended = time.process_time()
    return _row(
        "FTCP: times faster than crystal by crystal",
        ours=(ended - middle) / (middle - read),
        n=len(structures),
        baseline=1.0,
        seconds=ended - began,
        deviation=float(np.abs(fast - slow).max()),
        note=f"{(ended - middle) / (middle - began):.1f} times with the reading of pymatgen's crystals; "
        "up to 3 elements, 20 sites; deviation: largest difference of values",
    )


def _imatgen_rows(structures: Sequence[Structure]) -> list[dict[str, Any]]:
    codec = ImageCodec(cell_grid=GRID, basis_grid=PAPER_GRID)
    codec.encode_bases(structures[:1])
    began = time.process_time()
    bases = codec.encode_bases(structures)
    cells = codec.encode_cells(CrystalBatch.from_structures(structures).matrices())
    middle = time.process_time()
    worst = 0.0
    for structure, basis, cell in zip(structures, bases, cells, strict=True):
        numbers = np.array(structure.atomic_numbers, dtype=np.int64)
        slow = reference_basis(codec, numbers, codec.boxed_positions(structure))
        matrix = CrystalBatch.from_structures([structure]).matrices()[0]
        worst = max(worst, float(np.abs(slow - basis.images).max()))
        worst = max(worst, float(np.abs(reference_cell(codec, matrix) - cell).max()))
    ended = time.process_time()
    return [
        _row(
            f"iMatGen images, {PAPER_GRID}³: times faster than the published algorithm",
            ours=(ended - middle) / (middle - began),
            n=len(structures),
            baseline=1.0,
            seconds=ended - began,
            deviation=worst,
            note="deviation: largest difference of values",
        )
    ]
