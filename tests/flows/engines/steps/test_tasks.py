"""What the children do beside the physics: refuse what would be silently wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fermiloop.flows.engines.gpaw.dft import n_bands
from fermiloop.flows.engines.gpaw.makers import with_moments
from fermiloop.flows.engines.gpaw.settings import GpawSettings
from fermiloop.flows.engines.steps import tasks
from fermiloop.platform.errors import EngineError
from fermiloop.platform.representations.prototypes import PROTOTYPES

CRYSTAL = PROTOTYPES["B2"].build("Al", "Ni", 13.0)


def test_elements_that_need_a_higher_cutoff_are_refused() -> None:
    oxide = PROTOTYPES["B1"].build("Mg", "O", 9.4)
    with pytest.raises(EngineError, match="O needs a cutoff of 600 eV, not 400"):
        tasks._refuse(oxide, GpawSettings())
    tasks._refuse(oxide, GpawSettings(cutoff=600.0))
    tasks._refuse(CRYSTAL, GpawSettings())


def test_the_made_up_curve_tells_elements_apart_and_covers_the_window(tmp_path: Path) -> None:
    one = tasks.analytic_static({"structure": CRYSTAL.as_dict()}, tmp_path)
    other = tasks.analytic_static({"structure": PROTOTYPES["B2"].build("Al", "Cu", 13.0).as_dict()}, tmp_path)
    assert (one["energies"][0], one["energies"][-1], len(one["energies"])) == (-10.0, 8.0, 361)
    assert not np.allclose(one["density"], other["density"])


def test_magnetic_elements_get_moments_and_others_none() -> None:
    plain = GpawSettings()
    assert with_moments(CRYSTAL, plain).site_properties["magmom"] == [0.0, 0.8]
    assert "magmom" not in with_moments(PROTOTYPES["A1"].build("Al", None, 16.0), plain).site_properties
    assert "magmom" not in CRYSTAL.site_properties


def test_elements_with_u_get_moments_where_they_get_it() -> None:
    oxide, metal = PROTOTYPES["B1"].build("V", "O", 8.6), PROTOTYPES["A2"].build("V", None, 13.8)
    chosen = GpawSettings(hubbard="materials_project")
    assert "magmom" not in with_moments(oxide, GpawSettings()).site_properties
    assert with_moments(oxide, chosen).site_properties["magmom"] == [2.0, 0.0]
    assert "magmom" not in with_moments(metal, chosen).site_properties


def test_semicore_elements_get_more_bands() -> None:
    assert n_bands(["Ba"], 11) > n_bands(["Al"], 11) - 1
    assert n_bands(["La", "La"], 11) > n_bands(["Al", "Al"], 11)
    assert n_bands(["Al"] * 4, 15) == 60
