"""The contract of every stage, and what breaks it."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from fermiloop.platform.generators.protocol import Space, Target
from fermiloop.platform.plugins.stages import STAGES, StageDeclaration
from fermiloop.platform.predictors.potential.analytic import AnalyticPotential
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.screening.verdicts import Context, Verdict
from fermiloop.platform.testing import check_stage

CONTEXT = Context(
    Target(),
    Space(("Cu", "Au")),
    AnalyticPotential(),
    hull_entries=[({"Cu": 1.0}, -1.0, "m-1"), ({"Au": 1.0}, -1.0, "m-2")],
)


def crystals():
    return [PROTOTYPES[kind].build("Cu", "Au" if kind == "B2" else None, 12.0) for kind in ("A1", "A2", "B2", "A1")]


@pytest.mark.parametrize("name", STAGES)
def test_ours_keep_the_contract(name):
    check_stage(STAGES[name], crystals(), CONTEXT)


def small(crystal, context):
    return Verdict("mine", len(crystal.structure) < 2, "two sites", 2.0, "sites")


def silent(crystal, context):
    return Verdict("mine", False)


def moody(crystal, context):
    return Verdict("mine", bool(np.random.default_rng().integers(2)), str(np.random.default_rng().random()), 1.0, "x")


def spoiling(crystal, context):
    crystal.structure.scale_lattice(20.0)
    return Verdict("mine", True)


def other(crystal, context):
    return Verdict("other", True)


def raising(work, crystals):
    return [Verdict("mine", one.structure.composition.reduced_formula != "" and one.structure[0].specie.Z > 0, "x", 1.0, "x") for one in crystals]  # fmt: skip # noqa: E501


def declared(function, **change):
    return StageDeclaration("mine", "a test", load=f"{__name__}:{function.__name__}", **change)


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or sys.modules["__main__"])


def test_one_of_a_group_keeps_it():
    check_stage(declared(small), crystals(), CONTEXT)


@pytest.mark.parametrize(
    ("function", "said", "change"),
    [
        (silent, "must reject with a reason", {}),
        (moody, "must say the same", {}),
        (spoiling, "must replace the crystals", {}),
        (other, "must give one Verdict of its own name", {}),
        (raising, "must reject what it cannot judge, not raise", {"batch": True}),
    ],
)
def test_what_breaks_it_is_told(function, said, change):
    with pytest.raises(AssertionError, match=said):
        check_stage(declared(function, **change), crystals(), CONTEXT)
