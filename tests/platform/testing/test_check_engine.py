"""The contract of engines says what an engine does that it should not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fermiloop.flows.engines.analytic.engine import ENGINE
from fermiloop.flows.engines.chgnet.engine import ENGINE as CHGNET
from fermiloop.flows.engines.protocol import Availability, MethodRecord
from fermiloop.platform.plugins.engines import ENGINES, EngineDeclaration
from fermiloop.platform.testing.engines import check_engine

ANALYTIC = ENGINES["analytic"]
COUNT = iter(range(1000))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ({"method": lambda _: MethodRecord("analytic", "x", {"n": next(COUNT)}, {})}, "another Method the second time"),
        ({"method": lambda _: MethodRecord("analytic", "x", {"n": {1}}, {})}, "not JSON-ready"),
        ({"method": lambda _: MethodRecord("analytic", "x", {"n": (1,)}, {})}, "another thing as JSON"),
        ({"method": lambda _: MethodRecord("other", "x", {}, {})}, "of other, not of analytic"),
        ({"method": lambda _: MethodRecord("analytic", "x", {}, {})}, "takes a setting that it does not have"),
        ({"available": lambda: Availability(False, " ")}, "available says nothing"),
        ({"refuses": lambda *_: True}, "refuses gives True"),
        ({"refuses_to_relax": lambda *_: " "}, "refuses_to_relax gives ' '"),
        ({"flow": CHGNET.flow}, "its last step is relax"),
    ],
)
def test_what_an_engine_should_not_do_is_said(code: dict[str, Any], reason: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("fermiloop.flows.engines.analytic.engine.ENGINE", replace(ENGINE, **code))
    with pytest.raises(AssertionError, match=reason):
        check_engine(ANALYTIC, compute=False)


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"gives": ("taste",)}, "it gives taste, which no package declares"),
        ({"gives": ("energy_per_atom",)}, "it gives band_gap, fermi_level, magnetic_moment without declaring"),
        ({"gives_dos": False}, "a density of states is not declared, and given"),
        ({"lowest_energy": 5.0}, "a result of it is refused: its energy is"),
    ],
)
def test_what_a_declaration_says_is_compared_with_what_is_computed(declared: dict[str, Any], reason: str) -> None:
    wrong: EngineDeclaration = replace(ANALYTIC, **declared)
    with pytest.raises(AssertionError, match=reason):
        check_engine(wrong)
