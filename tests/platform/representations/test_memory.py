"""What is remembered is the same, and of the same crystal."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Lattice, Structure

from fermiloop.platform.representations.memory import Memory, content


def crystal(a: float, symbol: str = "Cu") -> Structure:
    return Structure(Lattice.cubic(a), [symbol], [[0, 0, 0]])


def test_each_crystal_is_worked_out_once_and_rows_keep_their_order():
    asked: list[int] = []

    def make(structures: list[Structure]) -> np.ndarray:
        asked.append(len(structures))
        return np.array([[one.volume, 1.0] for one in structures])

    memory = Memory(make, 10)
    first = memory.rows([crystal(3.0), crystal(2.0), crystal(3.0)])
    again = memory.rows([crystal(2.0), crystal(4.0)])
    assert first[:, 0].round(6).tolist() == [27.0, 8.0, 27.0]
    assert again[:, 0].round(6).tolist() == [8.0, 64.0]
    assert asked == [2, 1]


def test_what_was_asked_for_longest_ago_is_forgotten_first():
    asked: list[float] = []

    def make(structures: list[Structure]) -> np.ndarray:
        asked.extend(one.lattice.a for one in structures)
        return np.zeros((len(structures), 1))

    memory = Memory(make, 2)
    for a in (1.0, 2.0, 1.0, 3.0, 1.0, 2.0):
        memory.rows([crystal(a)])
    assert asked == [1.0, 2.0, 3.0, 2.0]


def test_another_element_or_cell_is_another_crystal():
    assert content(crystal(3.0)) == content(crystal(3.0))
    assert len({content(crystal(3.0)), content(crystal(3.0, "Ag")), content(crystal(3.1))}) == 3
