"""What the families of GPAW can compute."""

from __future__ import annotations

from importlib.resources import files
from importlib.util import find_spec
from typing import Any

import pytest
from pymatgen.core import Element

from fermiloop.flows.engines.gpaw.settings import HARD_CUTOFF, refusal
from fermiloop.flows.engines.lookup import code_of
from fermiloop.platform.errors import InputError

ELEMENTS = [Element.from_Z(z).symbol for z in range(1, 104)]


def test_what_is_refused_for_want_of_a_setup_is_what_gpaw_data_lacks() -> None:
    if find_spec("gpaw_data") is None:
        pytest.skip("GPAW is not installed: pip install '.[dft]' in fermiloop's folder")
    setups = files("gpaw_data") / "setups"
    there = {symbol for symbol in ELEMENTS if (setups / f"{symbol}.PBE.gz").is_file()}
    assert {symbol for symbol in ELEMENTS if refusal([symbol], HARD_CUTOFF) is None} == there


@pytest.mark.parametrize(
    ("engine", "settings", "told"),
    [
        ("gpaw", {"kpoint_density": 0}, "kpoint_density of the gpaw engine is 0; write one from 0.1 to 50"),
        ("gpaw-hard", {"dos_step": 0.0}, "dos_step of the gpaw-hard engine is 0; write one from 0.001"),
        ("gpaw-hydrogen", {"cutoff": -400}, "cutoff of the gpaw-hydrogen engine is -400"),
        ("gpaw", {"max_scf_steps": 2.7}, "must be a whole number, not 2.7"),
        ("gpaw", {"cutoff": 10**30}, r"must be a number below 1e\+15"),
        ("gpaw", {"cutoff": float("nan")}, "must be a number"),
        ("gpaw", {"cutoff": None}, "must be a number, not None"),
        ("analytic", {"fail": None}, "must be a text, not None"),
    ],
)
def test_settings_by_which_nothing_can_be_computed_are_refused(
    engine: str, settings: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        code_of(engine).method(settings)
