"""Engines by declaration: what is known of them before their code is imported."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugins import installed

from fermiloop.flows.engines.lookup import code_of
from fermiloop.platform.campaign.spec import CampaignSpec, parse_spec
from fermiloop.platform.errors import PluginError, SpecError, UserError
from fermiloop.platform.plugins.declaration import load
from fermiloop.platform.plugins.engines import ENGINES, EngineDeclaration, chosen_engines, engine

TEXT = """
name: one
target: {properties: [{name: band_gap, at_least: 1.0}]}
space: {elements: [Ni, Pt]}
generators: [{name: substitution, proposals: 5}]
engine: {name: theirs}
budget: {rounds: 1, evaluations: 2, per_round: 2}
"""
DECLARE = """
from fermiloop.platform.plugins.engines import ELECTRONIC, EngineDeclaration
THEIRS = EngineDeclaration("theirs", "of a group", code="group_code:ENGINE", gives=ELECTRONIC)
"""
GROUPS = {"fermiloop.engines": {"theirs": "group_engine:THEIRS"}}


def test_ours_are_declared_where_their_code_lies() -> None:
    assert chosen_engines() == (
        "gpaw",
        "gpaw-hard",
        "gpaw-hydrogen",
        "chgnet",
        "chgnet-phonon",
        "analytic",
        "vasp",
        "cp2k",
        "recorded",
        "flow",
    )
    assert not ENGINES["external"].chosen
    for name in chosen_engines():
        assert code_of(name).available().detail
        assert load(ENGINES[name].settings)()
    assert {name for name in chosen_engines() if not ENGINES[name].has_dos({})} == {
        "chgnet",
        "chgnet-phonon",
        "cp2k",
        "flow",
    }


def test_a_declaration_without_code_is_refused() -> None:
    with pytest.raises(PluginError, match="code of mine lies at 'nowhere'"):
        EngineDeclaration("mine", "mine", code="nowhere")


def test_what_an_engine_gives_may_stand_in_its_settings() -> None:
    mine = EngineDeclaration("mine", "mine", code="a.b:C", named_by="outputs", dos_named_by="dos")
    assert mine.properties({"outputs": {"energy_per_atom": "a", "melting_point": "b"}}) == (
        "energy_per_atom", "melting_point", "formation_energy_per_atom", "energy_above_hull",
    )  # fmt: skip
    assert mine.properties({}) == ()
    assert mine.has_dos({"dos": {"energies": "x"}})
    assert not mine.has_dos({})


def test_a_campaign_file_may_name_an_engine_as_long_as_it_is_installed(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"engine.name, 'theirs', is no known engine"):
        parse_spec(TEXT)
    with installed(tmp_path, {"group_engine": DECLARE}, GROUPS, ENGINES):
        spec = parse_spec(TEXT)
        assert spec.engine.name == "theirs"
        with pytest.raises(UserError, match=r"^The engine theirs of the package a-group cannot be used: group_code .*"):
            code_of("theirs")
    assert CampaignSpec.stored(spec.as_dict()) == spec  # launched before, and still to be shown
    with pytest.raises(UserError, match=r"^The engine theirs is not installed here; install the package"):
        engine("theirs")


def test_a_broken_engine_is_told_of_with_its_reason(tmp_path: Path) -> None:
    with installed(tmp_path, {"group_engine": "import no_such_thing\n"}, GROUPS, ENGINES):
        with pytest.raises(UserError, match=r"^theirs is no engine; the package a-group adds it, .*no_such"):
            engine("theirs")
        assert code_of("analytic").available().ready


def test_code_that_is_no_engine_is_refused(tmp_path: Path) -> None:
    modules = {"group_engine": DECLARE, "group_code": "ENGINE = 1\n"}
    with installed(tmp_path, modules, GROUPS, ENGINES), pytest.raises(UserError, match="is int and no EngineEntry"):
        code_of("theirs")


def test_external_computes_nothing() -> None:
    with pytest.raises(UserError, match="The engine external computes nothing here; choose one of gpaw"):
        code_of("external")
