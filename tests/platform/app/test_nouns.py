"""What every front end calls, on a real store: labels, materials, calculations, generators, schedules, campaigns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fermiloop.platform.app import (
    calculations,
    campaigns,
    candidates,
    curves,
    filters,
    generators,
    labels,
    materials,
    schedules,
    tokens,
)
from fermiloop.platform.app.rows import Order
from fermiloop.platform.errors import InputError, NotFoundError, SpecError, UserError
from fermiloop.platform.generators.protocol import Space, Target
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import calculations as kept_calculations
from fermiloop.platform.store import campaigns as kept_campaigns
from fermiloop.platform.store import materials as kept_materials
from fermiloop.platform.store import methods, spectra
from fermiloop.schemas.vocabulary import CampaignState, CheckpointState, Role

TEXT = """
name: held
target: {properties: [{name: band_gap, value: 1.0, tolerance: 0.5}], stable_within: null}
space: {elements: [Ni, Al]}
generators: [{name: substitution, proposals: 5}]
funnel: {stages: [geometry, duplicates, target], potential: analytic}
engine: {name: analytic}
budget: {rounds: 1, evaluations: 2, per_round: 2}
"""
X = np.linspace(-9.0, 9.0, 361)


@pytest.fixture
def method(database: str) -> str:
    return methods.save("gpaw", "PBE", {"cutoff": 400}, {"gpaw": "26.7"})


@pytest.fixture
def library(method: str) -> dict[str, str]:
    """Materials with a curve and a gap: formula to id."""
    made = {}
    for i, pair in enumerate((("Ni", "Al"), ("Pd", "Al"), ("Cu", "Pd"))):
        crystal = PROTOTYPES["B2"].build(*pair, 12.0)
        key = kept_materials.save(crystal, origin="import", source={"name": "test", "key": str(i)})
        spectra.save(key, X, np.exp(-((X - i) ** 2)), method=method)
        labels.add(key, "band_gap", 0.5 * i, method=method)
        made[crystal.composition.reduced_formula] = key
    return made


def test_a_label_needs_a_material_a_method_and_a_property(library: dict[str, str], method: str) -> None:
    key = library["AlNi"]
    made = labels.add(key, "formation_energy_per_atom", -0.4, method=method)
    assert labels.add(key, "formation_energy_per_atom", -0.4, method=method) == made
    assert labels.add(key, "formation_energy_per_atom", -0.5, method=method) != made
    assert [one.value for one in labels.of_material(key) if one.version == 2] == [-0.5]
    with pytest.raises(NotFoundError, match="no method method-0"):
        labels.add(key, "band_gap", 1.0, method="method-0")
    with pytest.raises(NotFoundError, match="no material"):
        labels.add("m-0", "band_gap", 1.0, method=method)
    with pytest.raises(InputError, match="is unknown"):
        labels.add(key, "colour", 1.0, method=method)


def test_materials_by_filters_order_and_nearness(library: dict[str, str]) -> None:
    def found(**how: Any) -> list[object]:
        wanted = filters.of_materials(**{k: v for k, v in how.items() if k not in ("near", "order")})
        rows = materials.find(wanted, near=how.get("near"), order=how.get("order"))
        return [row["formula"] for row in rows]

    assert set(found(elements=["Al"])) == {"AlNi", "AlPd"}
    assert found(ranges={"band_gap": (0.4, 0.6)}) == ["AlPd"]
    assert found(order=Order("band_gap", descending=True), limit=2) == ["CuPd", "AlPd"]
    near = curves.Nearness(curves.of("AlNi"))
    assert found(near=near) == ["AlPd", "CuPd"]
    assert found(near=near, elements="Cu") == ["CuPd"]
    one = materials.known(library["AlNi"])
    assert (one.material.formula, len(one.labels), len(one.settings)) == ("AlNi", 1, 1)
    assert materials.spectrum(library["AlNi"]).array().max() == pytest.approx(1.0)
    with pytest.raises(NotFoundError):
        materials.spectrum(library["AlNi"], method="method-0")


def test_a_campaign_is_checked_launched_once_paused_cloned_and_cancelled(database: str, tmp_path: Path) -> None:
    (tmp_path / "held.yaml").write_text(TEXT)
    given = campaigns.load(tmp_path / "held.yaml")
    assert "nothing to learn from" in " ".join(one.text for one in campaigns.check(given.spec).problems)
    with pytest.raises(InputError):
        campaigns.enqueue(given)
    assert campaigns.find() == []
    with pytest.raises(SpecError, match="names a file"):
        campaigns.parse(TEXT.replace("{properties", "{dos: {file: /etc/passwd}, properties"))
    assert campaigns.problems_of("name: [")[0].key == ""


def test_a_campaign_moves_by_its_name(database: str) -> None:
    given = campaigns.parse(TEXT)
    kept_campaigns.create("held", given.spec.as_dict(), TEXT)
    assert campaigns.look("held")["round"] == 0
    campaigns.pause("held")
    with pytest.raises(UserError, match="is not running"):
        campaigns.pause("held")
    campaigns.resume("held")
    assert campaigns.wait("held", timeout=0.05, every=0.01) is CampaignState.RUNNING
    assert campaigns.cancel("held") == []
    assert campaigns.wait("held") is CampaignState.CANCELLED
    assert campaigns.await_idle("held", timeout=0.0) == 0
    assert campaigns.parse(campaigns.clone("held", "other")).spec.name == "other"
    assert [one.name for one in campaigns.glances()] == ["held"]
    with pytest.raises(NotFoundError):
        campaigns.wait("none")


def test_failed_calculations_are_found_by_text_or_pattern_and_set_aside(method: str) -> None:
    crystal = PROTOTYPES["B2"].build("Ni", "Al", 12.0)
    run = kept_calculations.plan("c-1", crystal, engine="gpaw", method=method, settings={}, campaign=None)
    kept_calculations.finish(run, "failed", core_seconds=1.0, error="SCF (did) not converge")
    assert [one.id for one in calculations.find(error="(DID)")] == [run]
    assert calculations.find(error="SCF.*not") == []
    assert calculations.failed(pattern="SCF.*not") == [run]
    assert calculations.ignore([run]) == 1
    assert calculations.failed(pattern="SCF") == []
    assert calculations.details(run).calculation.ignored
    with pytest.raises(InputError, match="known are waiting"):
        calculations.find(state="lost")
    with pytest.raises(NotFoundError):
        calculations.find(campaign="none")


def test_a_generator_is_trained_promoted_and_sampled(library: dict[str, str], method: str) -> None:
    with pytest.raises(InputError, match="did you mean substitution"):
        generators.train("substitutio")
    made = generators.train("substitution", seed=3)
    assert made.state is CheckpointState.CHALLENGER
    with pytest.raises(NotFoundError, match="No checkpoint of substitution is in use"):
        generators.sample("substitution", Target(), Space(("Ni", "Al")), 3)
    assert generators.promote(made.id).state is CheckpointState.CHAMPION
    (champion,) = generators.standing("substitution").of(CheckpointState.CHAMPION)
    assert champion.id == made.id
    target = Target(grid=DOS_GRID, curve=DOS_GRID.normalise(np.exp(-(DOS_GRID.points**2))))
    first, again = (
        generators.sample(one, target, Space(("Ni", "Pt", "Al", "Ag")), 3, seed=1) for one in ("substitution", made.id)
    )
    assert first
    assert [one.structure for one in first] == [one.structure for one in again]


def test_a_schedule_is_added_paused_and_removed(library: dict[str, str]) -> None:
    made = schedules.add("nightly", "dos_composer", "cron", "0 3 * * *", preset="factorised")
    assert made.next_look_at is not None
    schedules.pause("nightly")
    assert [(one.id, one.active) for one in schedules.find()] == [("nightly", False)]
    schedules.resume("nightly")
    assert schedules.run_once() == schedules.history() == []
    schedules.remove("nightly")
    assert schedules.find() == []
    with pytest.raises(InputError, match="'No Name'"):
        schedules.add("No Name", "dos_composer", "cron", "0 3 * * *")
    with pytest.raises(InputError, match="no preset of dos_composer"):
        schedules.add("nightly", "dos_composer", "cron", "0 3 * * *", preset="x")


def test_a_token_opens_what_its_role_grants(database: str) -> None:
    text = tokens.create("laptop", "read")
    assert tokens.refusal(text, Role.READ) is None
    assert "this needs launch" in str(tokens.refusal(text, Role.LAUNCH))
    assert tokens.revoke("laptop")
    assert "revoked" in str(tokens.refusal(text, Role.READ))
    with pytest.raises(InputError, match="no role"):
        tokens.create("x", "root")


def test_candidates_of_nothing_are_none(database: str) -> None:
    assert candidates.find(filters.of_candidates(generator="dos_composer/paper")) == []
    with pytest.raises(NotFoundError):
        candidates.explain("c-0")
    with pytest.raises(NotFoundError):
        candidates.dos("c-0")
