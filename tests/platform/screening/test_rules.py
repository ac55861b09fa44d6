"""Charge balance and electronegativity, each told by name."""

import pytest
from pymatgen.core import Composition

from fermiloop.platform.representations.neutrality import is_neutral_or_alloy
from fermiloop.platform.screening.rules import CHARGE, NEGATIVITY, broken_rule, check_rules
from fermiloop.platform.screening.verdicts import Crystal


@pytest.mark.parametrize("formula", ["NaCl", "CaTiO3", "Cu3Au", "Si", "LiFePO4", "BaTiO3"])
def test_known_compounds_break_no_rule(formula):
    assert broken_rule(formula) is None


def test_mixed_valence_passes_here_alone():
    assert broken_rule("Fe3O4") is None
    assert not is_neutral_or_alloy(Composition("Fe3O4"))


@pytest.mark.parametrize(("formula", "rule"), [("BaF", CHARGE), ("MgF", CHARGE), ("Na3Cl", CHARGE)])
def test_what_cannot_be_neutral_is_refused(formula, rule):
    assert broken_rule(formula) == rule


@pytest.mark.parametrize("formula", ["AlS", "HPd", "H2Fe3"])
def test_cations_more_electronegative_than_anions_are_refused(formula):
    assert broken_rule(formula) == NEGATIVITY


def test_the_stage_gives_reason_and_kind(tools):
    passed, refused = (
        check_rules(Crystal(0, tools.build("B1", a, b, 20.0)), tools.context()) for a, b in (("Na", "Cl"), ("Ba", "F"))
    )
    assert passed.passed
    assert not refused.passed
    assert refused.kind == CHARGE
    assert "BaF" in refused.reason
    assert refused.stage == "rules"
