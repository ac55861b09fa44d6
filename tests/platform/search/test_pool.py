"""Given crystals are proposed in their order, once, and not where they have an answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import Space, Target
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.training import TrainingSet
from fermiloop.platform.search.pool import Pool, PoolOptions

PAIRS = [(kind, a, b) for kind in ("B1", "B2") for a in ("Na", "K", "Rb") for b in ("F", "Cl")]
CRYSTALS = [PROTOTYPES[kind].build(a, b, 20.0) for kind, a, b in PAIRS]
SPACE = Space(("Na", "K", "Rb", "F", "Cl"), (1, 2), ("cubic",), 4)


def silent(_what: str, _share: float) -> None:
    """Progress that nobody asks for."""


def data(answered: list[int], n: int = len(CRYSTALS)) -> TrainingSet:
    curves = np.full((n, DOS_GRID.n), np.nan)
    energies = np.full(n, np.nan)
    for place, i in enumerate(answered):  # by a curve or by a label
        if place % 2:
            curves[i] = 1.0
        else:
            energies[i] = -1.0
    return TrainingSet(
        tuple(f"m-{i}" for i in range(n)), tuple(CRYSTALS[:n]), ("cubic",) * n, ("B1",) * n, DOS_GRID, curves,
        {"energy_per_atom": energies},
    )  # fmt: skip


def proposed(pool: Pool, n: int = 100, target: Target | None = None, space: Space = SPACE) -> list[str]:
    made = pool.sample(target or Target(), space, n, np.random.default_rng(0))
    return [str(one.detail["key"]) for one in made]


def test_rows_without_an_answer_come_in_their_order_as_many_as_asked():
    pool = Pool()
    pool.fit(data([1, 4, 6]), 0, silent)
    assert proposed(pool) == [f"m-{i}" for i in (0, 2, 3, 5, 7, 8, 9, 10, 11)]
    assert proposed(pool, 2) == ["m-0", "m-2"]


def test_crystals_of_a_file_come_once_and_not_where_they_are_known(tmp_path: Path):
    path = tmp_path / "crystals.jsonl"
    given = [5, 3, 0, 3, 1]
    rows = [{"key": f"x-{i}", "structure": (CRYSTALS[i] * [1, 1, 1]).as_dict()} for i in given]
    rows[3]["structure"] = (CRYSTALS[3] * [2, 1, 1]).as_dict()  # another cell of the same crystal
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    pool = Pool(PoolOptions(str(path)))
    pool.fit(data([0, 1], 2), 0, silent)
    assert proposed(pool) == ["x-5", "x-3"]


def test_what_lies_outside_the_space_or_is_excluded_is_told_and_left_out():
    pool = Pool()
    pool.fit(data([]), 0, silent)
    some = proposed(pool, target=Target(exclude_formulas=("NaCl",)), space=Space(("Na", "Cl", "F"), (1, 2), ("cubic",)))
    assert some == ["m-0", "m-6"]
    assert sum(pool.failures.values()) == 10
    assert proposed(pool, space=Space(SPACE.elements, (1, 2), ("cubic",), 1)) == []
    assert proposed(pool, space=Space(SPACE.elements, (1, 2), ("hexagonal",), 4)) == []


def test_saved_and_read_it_proposes_the_same(tmp_path: Path):
    pool = Pool()
    pool.fit(data([2]), 0, silent)
    pool.save(tmp_path)
    again = Pool.load(tmp_path)
    made = [p.sample(Target(), SPACE, 5, np.random.default_rng(0)) for p in (pool, again)]
    assert made[0] == made[1]
    config = (tmp_path / "config.json").read_text(encoding="utf-8")
    (tmp_path / "config.json").write_text(config.replace('"m-0", ', ""), encoding="utf-8")
    with pytest.raises(InputError, match="do not fit each other"):
        Pool.load(tmp_path)


def test_nothing_given_and_nothing_learned_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="name a file"):
        Pool().fit(data(list(range(12))), 0, silent)
    with pytest.raises(InputError, match="fit or load"):
        proposed(Pool())
    with pytest.raises(InputError, match="fit or load"):
        Pool().save(tmp_path)
    with pytest.raises(InputError, match="must be a path"):
        PoolOptions(file=3)  # type: ignore[arg-type]
