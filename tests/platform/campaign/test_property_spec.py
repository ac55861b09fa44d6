"""What a campaign file asks of properties: conditions, objectives, stability, and the acquisition that suits them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fermiloop.platform.campaign.spec import CampaignSpec, parse_spec
from fermiloop.platform.errors import SpecError

TEXT = """
name: x
target: {{properties: [{properties}]{more}}}
space: {{elements: [Ni, Pt]}}
generators: [{{name: substitution, proposals: 5}}]
budget: {{rounds: 1, evaluations: 2, per_round: 2}}
{rest}
"""


def spec(properties: str, more: str = "", rest: str = "") -> CampaignSpec:
    return parse_spec(TEXT.format(properties=properties, more=more, rest=rest))


@pytest.mark.parametrize(
    ("asked", "low", "high", "direction"),
    [
        ("value: 1.5, tolerance: 0.5", 1.0, 2.0, ""),
        ("at_most: 2", -np.inf, 2.0, ""),
        ("at_least: 1", 1.0, np.inf, ""),
        ("at_least: 1, at_most: 2", 1.0, 2.0, ""),
        ("minimise: true", -np.inf, np.inf, "minimise"),
        ("maximise: true, at_least: 1", 1.0, np.inf, "maximise"),
    ],
)
def test_every_way_of_asking(asked: str, low: float, high: float, direction: str) -> None:
    (found,) = spec(f"{{name: band_gap, {asked}}}").target.windows()
    assert (found.property, found.low, found.high, found.direction) == ("band_gap", low, high, direction)


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ("{name: band_gap}", "without saying what of it; add value with tolerance, at_most"),
        ("{name: band_gap, value: 1}", "tolerance is missing"),
        ("{name: band_gap, tolerance: 1}", "value is missing"),
        ("{name: band_gap, value: 1, tolerance: 1, at_most: 3}", "give one of both"),
        ("{name: band_gap, at_least: 3, at_most: 2}", "at_least must be the lower"),
        ("{name: band_gap, minimise: true, maximise: true}", "give one of both"),
        ("{name: band_gap, minimise: 1}", "true or false"),
        ("{name: band_gap, at_most: 2}, {name: band_gap, at_least: 1}", "names band_gap twice"),
        ("{name: band_gap, at_mots: 2}", "at_most"),
    ],
)
def test_a_mistake_is_one_sentence(properties: str, named: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec(properties)
    assert named in str(caught.value)
    assert str(caught.value).count(". ") == 0


def test_hits_are_stable_unless_the_file_says_otherwise() -> None:
    gap = "{name: band_gap, at_least: 1}"
    found = spec(gap).target.stability()
    assert found is not None
    assert (found.property, found.high) == ("energy_above_hull", 0.1)
    assert spec(gap, ", stable_within: 0.05").target.stability().high == 0.05  # type: ignore[union-attr]
    assert spec(gap, ", stable_within: null").target.stability() is None
    assert spec(gap + ", {name: energy_above_hull, at_most: 0.3}").target.stability() is None
    assert spec(gap + ", {name: energy_above_hull, minimise: true}").target.stability() is not None
    with pytest.raises(SpecError, match="at least 0"):
        spec(gap, ", stable_within: -1")


WISHES = [
    f"{{name: {name}, minimise: true}}" for name in ("band_gap", "energy_above_hull", "formation_energy_per_atom")
]


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        ("{name: band_gap, at_least: 1}", "probability"),
        (WISHES[0], "expected_improvement"),
        (f"{WISHES[0]}, {{name: energy_above_hull, at_most: 0.1}}", "probability"),
        (", ".join(WISHES), "hypervolume"),
    ],
)
def test_without_a_name_the_acquisition_suits_the_target(properties: str, name: str) -> None:
    found = spec(properties)
    assert found.acquisition.name == name
    assert CampaignSpec.model_validate(found.as_dict()) == found


@pytest.mark.parametrize(
    ("properties", "rest", "named"),
    [
        (WISHES[0], "acquisition: {name: probability}", "objectives alone"),
        (WISHES[0], "acquisition: {name: hypervolume}", "two or three properties"),
        (WISHES[0], "stop: {hits: 3}", "stop.hits counts hits"),
        (", ".join([*WISHES, "{name: energy_per_atom, minimise: true}"]), "", "at most 3 can be traded off"),
        ("{name: band_gap, at_least: 1}", "acquisition: {name: greedy, options: {kappa: 1}}", "no option kappa"),
        ("{name: band_gap, at_least: 1}", "acquisition: {name: thompson, options: {exploration: 1}}", "it takes none"),
    ],
)
def test_what_does_not_go_together_is_refused(properties: str, rest: str, named: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec(properties, rest=rest)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("acquisition", "weight"),
    [("exploration: 3", 3.0), ("options: {exploration: 2}, exploration: 3", 2.0), ("options: {}", 1.0)],
)
def test_exploration_goes_on_as_a_key_of_its_own(acquisition: str, weight: float) -> None:
    found = spec("{name: band_gap, at_least: 1}", rest=f"acquisition: {{name: upper_confidence_bound, {acquisition}}}")
    made: Any = found.acquisition.build()
    assert made.exploration == weight


def test_files_stored_by_earlier_versions_are_read() -> None:
    stored = spec("{name: band_gap, value: 1, tolerance: 0.5}").as_dict()
    stored["acquisition"] = {"name": "expected_improvement", "diversity": 0.2, "exploration": 1.0, "share": "all"}
    stored["target"]["properties"] = [{"name": "band_gap", "value": 1.0, "tolerance": 0.5}]
    assert CampaignSpec.model_validate(stored).acquisition.build().name == "expected_improvement"
