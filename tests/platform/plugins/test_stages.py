"""Where stages stand, and what their declarations say of their code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from packages import install, on_path

from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.errors import InputError, PluginError, SpecError
from fermiloop.platform.generators.protocol import Space, Target
from fermiloop.platform.plugins.stages import STAGES, StageDeclaration, ordered, usual
from fermiloop.platform.predictors.potential.analytic import AnalyticPotential
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.screening.funnel import run_funnel
from fermiloop.platform.screening.verdicts import Context

TEXT = """
name: dear
target: {{properties: [{{name: formation_energy_per_atom, at_most: -0.2}}]}}
space: {{elements: [Cu, Au]}}
generators: [{{name: substitution, proposals: 5}}]
budget: {{rounds: 1, evaluations: 2, per_round: 2}}
funnel: {funnel}
"""


def stage(name: str, **change: object) -> StageDeclaration:
    return StageDeclaration(name, "of a test", **{"load": "builtins:print", **change})


def with_own(*more: StageDeclaration) -> dict[str, StageDeclaration]:
    return {**STAGES, **{one.name: one for one in more}}


@pytest.mark.parametrize("name", STAGES)
def test_a_declaration_names_code_that_is_there(name: str) -> None:
    assert callable(STAGES[name].code())
    assert (STAGES[name].settings() is None) is not bool(STAGES[name].options)
    with pytest.raises(InputError, match=f"The stage {name} has no option 'most'; (it takes none|known are)"):
        STAGES[name].settings({"most": 3})


def test_ours_stand_as_they_always_did() -> None:
    names = ("composition", "rules", "geometry", "duplicates", "synthesizability", "relaxation", "hull", "target")
    assert tuple(STAGES) == names
    assert usual() == tuple(name for name in names if name not in {"rules", "synthesizability"})
    for some in permutations(("hull", "target", "relaxation", "composition")):
        assert ordered(some) == ("composition", "relaxation", "hull", "target")


def test_one_of_a_package_finds_its_place() -> None:
    names = ("composition", "geometry", "relaxation", "hull", "target", "price")
    for change, before in [
        ({}, "target"),
        ({"before": ("relaxation",)}, "relaxation"),
        ({"after": ("composition",), "before": ("geometry",)}, "geometry"),
        ({"needs": ("hull",)}, "target"),
        ({"after": ("hull",), "before": ("rules",)}, "target"),  # of a stage that is not asked for nothing follows
    ]:
        found = ordered(names, with_own(stage("price", **change)))
        assert found[found.index("price") + 1] == before, change
    assert ordered(names, with_own(stage("price", after=("target",))))[-1] == "price"


def test_stages_that_each_want_to_come_first_are_named() -> None:
    declared = with_own(stage("one", before=("other",)), stage("other", before=("one",)))
    with pytest.raises(InputError, match="The stages one, other each want to come before another"):
        ordered(("one", "other", "target"), declared)


OPTIONS = """
from dataclasses import dataclass
from fermiloop.platform.errors import InputError

@dataclass(frozen=True)
class Options:
    most: float = 1.0

    def __post_init__(self):
        if self.most < 0:
            raise InputError("The price must be zero or more.")
"""
CODE = """
from fermiloop.platform.screening.verdicts import Verdict

def check(crystal, context, options):
    price = 10.0 * crystal.structure.composition.get_atomic_fraction("Au")
    return Verdict("price", price <= options.most, f"{price:.1f} $", price, "price")

def too_few(work, crystals):
    return []
"""
DECLARED = """
from fermiloop.platform.plugins.stages import StageDeclaration

PRICE = StageDeclaration("price", "x", load="dear:check", options="dear_options:Options", after=("geometry",))
FEW = StageDeclaration("few", "forgets some", load="dear:too_few", batch=True, usual=True)
"""


@pytest.fixture
def dear(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    modules = {"dear": CODE, "dear_options": OPTIONS, "dear_declared": DECLARED}
    entries = {"price": "dear_declared:PRICE", "few": "dear_declared:FEW", "gone": "dear_declared:GONE"}
    install(tmp_path, "dear-group", modules, {"fermiloop.stages": entries}, "0.3")
    on_path(monkeypatch, tmp_path)
    STAGES.reload()
    yield
    STAGES.reload()
    for name in modules:
        sys.modules.pop(name, None)


def test_a_stage_of_a_package_screens_with_its_options(dear: None) -> None:
    gold, copper = (PROTOTYPES["A1"].build(symbol, None, 15.0) for symbol in ("Au", "Cu"))
    judged = Context(Target(), Space(("Au", "Cu")), AnalyticPotential(), options={"price": {"most": 4}})
    rng = np.random.default_rng(0)
    screened, (_, tally) = run_funnel([gold, copper], ("geometry", "price"), judged, rng, lambda what, share: None)
    assert [one.passed for one in screened] == [False, True]
    assert screened[0].verdicts[-1].reason == "10.0 $"
    assert tally.reasons == {"price": 1}
    with pytest.raises(
        PluginError, match=r"The stage few must give one Verdict of its own name for each of 1 crystals"
    ):
        run_funnel([copper], ("few",), judged, rng, lambda what, share: None)
    assert "few" not in usual()  # a file means the same whatever is installed


@pytest.mark.parametrize(
    ("funnel", "said"),
    [
        ("{stages: [price, geometry, target]}", "order must be [geometry, price, target]"),
        ("{stages: [geometry, price, target], options: {price: {least: 1}}}", "no option 'least'; known are most"),
        ("{stages: [geometry, price, target], options: {price: {most: -1}}}", "The price must be zero or more"),
        ("{stages: [geometry, target], options: {price: {most: 1}}}", "not among funnel.stages"),
        (
            "{stages: [geometry, gone, target]}",
            "the package dear-group adds it, but it cannot be used: dear_decl",
        ),
        ("{stages: [geometry, prise, target]}", "did you mean price?"),
    ],
)
def test_a_campaign_file_knows_it_at_once(funnel: str, said: str, dear: None) -> None:
    with pytest.raises(SpecError) as error:
        parse_spec(TEXT.format(funnel=funnel))
    assert said in str(error.value)
    spec = parse_spec(TEXT.format(funnel="{stages: [geometry, price, target], options: {price: {most: 1}}}"))
    assert spec.funnel.options == {"price": {"most": 1}}


def test_places_are_checked() -> None:
    with pytest.raises(PluginError, match="cannot be imported"):
        stage("price", options="no_such_package:Options").settings()
    with pytest.raises(PluginError, match="is no place of code"):
        stage("price", options="Options")
