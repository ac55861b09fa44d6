"""Which symmetry operations a CIF asks for: those that it lists, else those of the group that it names.

A name that leaves the origin or the axes open is resolved by what else the file says: its cell, its formula and number
of formula units, the multiplicities of its sites, atoms that would overlap. Where that settles nothing, it is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fermiloop.db_init.importers.crystals import settings
from fermiloop.db_init.importers.crystals.cif_sites import number
from fermiloop.db_init.importers.crystals.cif_text import Block
from fermiloop.db_init.importers.crystals.operations import IDENTITY, Operations, fit, parse
from fermiloop.db_init.importers.crystals.settings import Setting
from fermiloop.platform.errors import InputError

LISTS: Final = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz", "_symmetry_equiv_pos_as_xyz_")
NAMES: Final = (
    "_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m", "_space_group_name_h-m_full",
    "_space_group_name_h-m", "_symmetry_space_group_name_h_m", "_symmetry_space_group_name_h-m_",
)  # fmt: skip
HALLS: Final = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
NUMBERS: Final = ("_space_group_it_number", "_symmetry_int_tables_number", "_symmetry_int_tables_number_")
NO_GROUP: Final = "It names no space group: all its atoms were taken as they are listed."
FITTING: Final = 0.02  # relative, by which an operation of a named group may change the cell

Fault = Callable[[Operations], str | None]
"""Why the crystal that operations make is not the one that the file speaks of; None where it may be."""
Count = Callable[[Operations], int]
"""Number of atoms that operations make."""


def operations(block: Block, matrix: NDArray[np.float64], fault: Fault, count: Count, remarks: list[str]) -> Operations:
    """Operations of a block.

    Parameters
    ----------
    block
        The block.
    matrix
        (3, 3) cell vectors as rows, Å.
    fault, count
        What is wrong with the crystal that operations make, and how many atoms it has.
    remarks
        Takes what was assumed.

    Raises
    ------
    InputError
        If the block says too little, or contradicts itself.
    """
    named, title = _named(block)
    texts = [text for text in block.column(*LISTS) or [] if text.strip() not in {"", "?", "."}]
    if texts:
        listed = parse(texts)
        if not fit(listed, matrix):
            raise InputError("Its symmetry operations do not fit its cell.")
        _check_listed(listed, [one for one in named if _fits(one, matrix)], title, fault, count)
        return listed
    if not title:
        remarks.append(NO_GROUP)
        return IDENTITY
    if not named:
        raise InputError(f"It lists no symmetry operations, and {title[:60]!r} is no known space group.")
    return settings.operations_of(_resolved(named, title, matrix, fault, count, remarks))


def _named(block: Block) -> tuple[list[Setting], str]:
    """Settings that the block may mean, and by which of its words."""
    hall = block.value(*HALLS)
    if hall and (found := settings.by_hall(hall)):
        return found, hall
    name = block.value(*NAMES)
    if name and (found := settings.by_name(name)):
        return found, name
    text = block.value(*NUMBERS)
    value = number(text) if text else None
    if name:
        return [], name  # a name that is not understood may be a setting other than the standard one
    if value is not None and (found := settings.by_number(round(value))):
        return found, f"number {round(value)}"
    return [], text or hall or ""


def _fits(setting: Setting, matrix: NDArray[np.float64]) -> bool:
    return fit(settings.operations_of(setting), matrix, FITTING)


def _resolved(
    named: list[Setting], title: str, matrix: NDArray[np.float64], fault: Fault, count: Count, remarks: list[str]
) -> Setting:
    """The one setting that a name means."""
    fitting = [one for one in named if _fits(one, matrix)]
    if not fitting:
        raise InputError(f"Its cell has not the symmetry of the space group {title}.")
    if len({one.choice for one in fitting} & {"1", "2"}) < 2:  # axes: the cell tells, or the standard ones are meant
        best = fitting[0]
        if len(fitting) > 1 and best.choice:
            remarks.append(f"{title} leaves the axes open: {best.name} was taken, the standard one.")
        return best
    faults = {one: fault(settings.operations_of(one)) for one in fitting}
    possible = [one for one, told in faults.items() if told is None]
    if len(possible) == 1:
        remarks.append(f"{title} leaves the origin open: {possible[0].title} was taken, which alone fits the file.")
        return possible[0]
    if not possible:
        raise InputError(f"{title} leaves the origin open, and no choice fits the file: {faults[fitting[0]]}.")
    told = " or ".join(f"{count(settings.operations_of(one))} with {one.title}" for one in possible)
    raise InputError(f"{title} leaves the origin open: the cell would have {told} atoms; write which it is.")


def _check_listed(listed: Operations, named: list[Setting], title: str, fault: Fault, count: Count) -> None:
    """Refuse a list that makes fewer atoms than the group that the file names, where nothing else speaks for it."""
    larger = [one for one in named if len(settings.operations_of(one)) > len(listed)]
    if not larger or len(larger) < len(named):
        return
    made = count(listed)
    if all(count(settings.operations_of(one)) != made for one in larger) and any(
        fault(settings.operations_of(one)) is None for one in larger
    ):
        most = len(settings.operations_of(larger[0]))
        raise InputError(
            f"It names the space group {title} but lists {len(listed)} of its {most} symmetry operations, "
            "which make fewer atoms; list them all or none."
        )
