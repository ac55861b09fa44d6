"""Hits must be stable where the engine gives a hull: decided at the launch, told, refused where asked for in vain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fermiloop.db_init.element_references import shipped
from fermiloop.flows.campaigns import methods, preflight, stability
from fermiloop.flows.campaigns.enqueue import enqueue
from fermiloop.flows.campaigns.potential import error_of_potential
from fermiloop.flows.campaigns.records import read_record
from fermiloop.flows.campaigns.targets import resolve
from fermiloop.flows.driving import launching
from fermiloop.platform.campaign.potential_error import PotentialError
from fermiloop.platform.campaign.spec import CampaignSpec, parse_spec
from fermiloop.platform.campaign.summary import summarise
from fermiloop.platform.store import campaigns, candidates, labels, materials
from fermiloop.schemas.vocabulary import Origin, Property, Stage

TEXT = """
name: {name}
target: {{dos: {dos}, exclude: [Pd]{more}}}
space: {{elements: [{elements}], components: [1, 2], crystal_systems: [cubic], max_sites: 4}}
generators: [{{name: substitution, proposals: 12}}]
funnel: {{stages: [geometry, duplicates, target], potential: analytic}}
surrogate: {{name: composition_trees}}
acquisition: {{diversity: 0.1}}
engine: {{name: analytic}}
budget: {{rounds: 1, evaluations: 3, per_round: 3}}
seed: 3
"""


def made(name: str, more: str = "", elements: str = "Al, Ni, Cu, Ti, Pt", dos: str = "{material: Pd}") -> Any:
    text = TEXT.format(name=name, more=more, elements=elements, dos=dos)
    return parse_spec(text), text


def test_stability_is_part_of_a_hit_and_of_the_baseline(library: str) -> None:
    spec, text = made("stable", ", hit_similarity: 0.05")
    assert spec.acquisition.name == "probability"
    launching.launch(spec, text)
    assert campaigns.get("stable").resolved.hull is True
    done = [c for c in candidates.of_campaign("stable") if c.stage is Stage.EVALUATED]
    assert done
    assert all(c.scores["hit"] is (c.scores["computed_energy_above_hull"] <= 0.1) for c in done)
    assert all(c.scores["computed_similarity"] >= 0.05 for c in done)
    summary = summarise(read_record("stable"))
    assert "energy above the hull ≤ 0.1 eV/atom, by analytic (method-" in summary["target"]["hit"]
    for row in summary["evaluated"]:
        assert row["hit"] is (not row["missed"])
    loose, _ = made("stable", ", hit_similarity: 0.05, stable_within: 10")
    assert preflight.is_launched(spec)
    assert not preflight.is_launched(loose)
    shares = [read_record("stable").library_hits]
    highest = max(labels.values(_ids(), Property.ENERGY_PER_ATOM, library).values())
    assert highest > -10
    assert 0 < sum(shares[0]) <= len(shares[0])


def _ids() -> list[str]:
    return [m.id for m in materials.find_formula("Al")]


def test_without_references_it_is_off_and_said_and_stays_so(library: str) -> None:
    spec, text = made("bare", elements="Al, Ni, Ag")
    assert stability.condition(spec) is None
    told = stability.remark(spec)
    assert told is not None
    assert "Ag of space.elements has none by analytic" in told
    assert preflight.problems(spec) == []
    enqueue(spec, text)
    assert campaigns.get("bare").resolved.hull is False
    assert resolve(spec).stability is None
    asked, _ = made("asked", ", stable_within: 0.1", elements="Al, Ni, Ag")
    (problem,) = preflight.problems(asked)
    assert problem.text.startswith("target.stable_within is 0.1, and Ag of space.elements has no reference energy")
    off, _ = made("off", ", stable_within: null", elements="Al, Ni, Ag")
    assert preflight.problems(off) == []
    assert stability.remark(off) is None


def test_a_hull_above_the_ground_state_of_an_element_is_told_with_the_command(library: str) -> None:
    spec, _ = made("high")  # of titanium the library holds the face-centred cubic crystal
    told = stability.at_launch(spec)
    assert told is not None
    assert told.startswith("the hull stands on Ti in A1: the ground state was not computed by analytic")
    assert "fermiloop references build --engine analytic --elements Ti computes it" in told
    assert stability.remark(spec) is None  # what every look at the campaign asks
    off, _ = made("off-high", ", stable_within: null")
    assert stability.at_launch(off) is None
    key = materials.save(shipped()["Ti"].structure, origin=Origin.IMPORT, source={"name": "here"})
    labels.save(key, Property.ENERGY_PER_ATOM, -99.0, method=methods.of_campaign(spec).engine)
    assert stability.at_launch(spec) is None


def test_what_cannot_be_compared_is_no_target(library: str) -> None:
    spec, _ = made("fermi", ", properties: [{name: fermi_level, at_most: 5}]")
    (problem,) = preflight.problems(spec)
    assert "fermi_level, whose zero is another one" in problem.text


def test_a_campaign_of_before_is_the_same_campaign(library: str) -> None:
    spec, text = made("former")
    kept = spec.as_dict()
    kept["target"]["stable_within"] = None
    kept["acquisition"] = {"name": "expected_improvement", "diversity": 0.1, "exploration": 1.0}
    campaigns.create("former", CampaignSpec.model_validate(kept).as_dict(), text)
    assert preflight.is_launched(spec)
    assert not preflight.is_launched(made("former", ", stable_within: 0.2")[0])


def test_the_funnels_own_engine_makes_no_error(library: str) -> None:
    spec, _ = made("own")
    assert error_of_potential(spec) == PotentialError(0.0, 0.0)
    other = spec.model_copy(update={"funnel": spec.funnel.model_copy(update={"potential": "chgnet"})})
    assert error_of_potential(other) == PotentialError(0.05, 0.0)


def test_a_photoemission_file_of_two_spins_is_looked_for_from_minus_6_to_1(library: str, tmp_path: Path) -> None:
    x = np.arange(-6.0, 1.01, 0.1)
    up, down = np.exp(-((x + 2) ** 2)), 0.5 * np.exp(-((x + 1) ** 2))
    rows = "\n".join(f"{a:.3f} {b:.6f} {-c:.6f}" for a, b, c in zip(x, up, down, strict=True))
    path = tmp_path / "xps.dat"
    path.write_text(f"# energy(eV) dos_up dos_down\n{rows}\n", encoding="utf-8")
    spec, text = made("xps", ", window: [-6, 1], hit_similarity: 0.3, stable_within: null", dos=f"{{file: {path}}}")
    assert spec.target.dos is not None
    assert np.array(spec.target.dos.values) == pytest.approx(up + down, abs=1e-5)
    launching.launch(spec, text)
    done = [c for c in candidates.of_campaign("xps") if c.stage is Stage.EVALUATED]
    assert done
    assert all(c.scores["hit"] is (c.scores["computed_similarity"] >= 0.3) for c in done)
    assert all("predicted_probability" in c.scores for c in done)
