"""Magnetic moments of a CIF or mCIF: those that are listed, and what the operations make of them.

https://www.iucr.org/resources/cif/dictionaries/cif_mag. A moment is an axial vector that reversal of time turns
round; its components stand along the axes of the cell, in μB.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fermiloop.db_init.importers.crystals.cif_sites import Site, number
from fermiloop.db_init.importers.crystals.cif_text import Block
from fermiloop.db_init.importers.crystals.operations import Operations, parse
from fermiloop.platform.errors import InputError

LABELS: Final = "_atom_site_moment_label"
ALONG_AXES: Final = tuple(f"_atom_site_moment_crystalaxis_{axis}" for axis in "xyz")
CARTESIAN: Final = tuple(f"_atom_site_moment_cartn_{axis}" for axis in "xyz")
OPERATIONS: Final = "_space_group_symop_magn_operation_xyz"
CENTRINGS: Final = "_space_group_symop_magn_centering_xyz"
GROUPS: Final = ("_space_group_magn_number_bns", "_space_group_magn_name_bns", "_space_group_magn_name_og")
OFF: Final = 0.05  # μB by which a moment may differ from what its site allows


def operations(block: Block) -> Operations | None:
    """Operations of the magnetic group that a block lists; None where it speaks of none.

    Raises
    ------
    InputError
        If it names a magnetic group without its operations.
    """
    texts = block.column(OPERATIONS)
    if texts is None:
        if block.column(LABELS) and (name := block.value(*GROUPS)):
            raise InputError(f"It names the magnetic group {name} but lists none of its operations.")
        return None
    listed = parse(texts)
    centrings = block.column(CENTRINGS)
    return listed.times(parse(centrings)) if centrings else listed


def moments(block: Block, matrix: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Cartesian moment, (3,) μB, of each label that has one.

    Raises
    ------
    InputError
        If the list is damaged.
    """
    labels = block.column(LABELS)
    if labels is None:
        return {}
    names = next((names for names in (ALONG_AXES, CARTESIAN) if all(name in block.values for name in names)), None)
    if names is None or LABELS in block.broken:
        raise InputError("Its list of moments has no components along the axes.")
    axes = matrix / np.linalg.norm(matrix, axis=1)[:, None] if names is ALONG_AXES else np.eye(3)
    found = {}
    for row, label in enumerate(labels):
        parts = [number(block.values[name][row]) for name in names]
        if any(part is None for part in parts):
            raise InputError(f"The moment of {label} is no three numbers.")
        found[label.strip()] = np.array(parts, dtype=np.float64) @ axes
    return found


def spread(
    moment: NDArray[np.float64],
    site: Site,
    group: Operations,
    matrix: NDArray[np.float64],
    makers: Sequence[int] | NDArray[np.intp],
    keepers: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Moments of the atoms that operations make of one, (k, 3) Cartesian, μB.

    Raises
    ------
    InputError
        If operations that keep the atom would change its moment.
    """
    to_cartesian = matrix.T
    turned = np.einsum("ij,ajk,kl->ail", to_cartesian, group.rotations, np.linalg.inv(to_cartesian))
    signs = group.reversals * np.sign(np.linalg.det(group.rotations))
    images = signs[:, None] * (turned @ moment)
    if keepers.size and np.abs(images[keepers] - moment).max() > OFF:
        raise InputError(
            f"The moment of {site.label} is one that the symmetry operations do not allow; "
            "list those of the magnetic group."
        )
    found: NDArray[np.float64] = images[makers]
    return found
