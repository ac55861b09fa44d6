from types import SimpleNamespace

import numpy as np
import pytest

from fermiloop.platform.generators.protocol import Space, Target
from fermiloop.platform.predictors.potential.analytic import AnalyticPotential
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.screening.funnel import Context, run_funnel


@pytest.fixture
def tools():
    """Short ways to build crystals and contexts and to run stages."""

    def context(**change):
        given = {"target": Target(), "space": Space(("Cu", "Au", "Na", "Cl")), "potential": AnalyticPotential()}
        return Context(**{**given, **change})

    def run(structures, *stages, told=None, **change):
        tell = told.append if told is not None else lambda _: None
        return run_funnel(structures, stages, context(**change), np.random.default_rng(0), lambda *a: tell(a))

    def build(prototype, a="Cu", b=None, volume=11.0):
        return PROTOTYPES[prototype].build(a, b, volume)

    return SimpleNamespace(context=context, run=run, build=build)
