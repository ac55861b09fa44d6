"""What the families of GPAW can compute."""

from __future__ import annotations

from importlib.resources import files
from importlib.util import find_spec

import pytest
from pymatgen.core import Element

from fermiloop.flows.engines.gpaw.settings import HARD_CUTOFF, refusal

ELEMENTS = [Element.from_Z(z).symbol for z in range(1, 104)]


def test_what_is_refused_for_want_of_a_setup_is_what_gpaw_data_lacks() -> None:
    if find_spec("gpaw_data") is None:
        pytest.skip("GPAW is not installed: pip install '.[dft]' in fermiloop's folder")
    setups = files("gpaw_data") / "setups"
    there = {symbol for symbol in ELEMENTS if (setups / f"{symbol}.PBE.gz").is_file()}
    assert {symbol for symbol in ELEMENTS if refusal([symbol], HARD_CUTOFF) is None} == there
