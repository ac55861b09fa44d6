"""Campaigns for a powder pattern and for property windows, whole ones on a synthetic library."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fermiloop.flows.campaigns import methods as kept_methods
from fermiloop.flows.campaigns import targets
from fermiloop.flows.campaigns.records import read_record
from fermiloop.flows.campaigns.targets import CrystalSimilarity, resolve
from fermiloop.flows.driving import launching
from fermiloop.flows.rounds.retrain import SURROGATE, state_folder
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.campaign.summary import summarise
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import Target
from fermiloop.platform.report.html import write_report
from fermiloop.platform.representations.diffraction import xrd_pattern
from fermiloop.platform.representations.grids import XRD_GRID
from fermiloop.platform.store import campaigns, candidates, checkpoints, labels, materials, methods
from fermiloop.schemas.campaign import Campaign
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.vocabulary import CampaignState, Stage

TEXT = """
name: {name}
target: {target}
space: {{elements: [Al, Ni, Cu, Ti, Pt], components: [1, 2], crystal_systems: [cubic], max_sites: 4}}
generators:
  - {{name: random_pick, proposals: 16, options: {{potential: none}}}}
funnel: {{stages: [geometry, duplicates, target], potential: analytic}}
acquisition: {{name: expected_improvement}}
engine: {{name: analytic}}
budget: {{rounds: 1, evaluations: 2, per_round: 2}}
retrain: {{source: {source}}}
seed: 3
"""


def run(name: str, target: str, source: str = "null") -> dict[str, Any]:
    text = TEXT.format(name=name, target=target, source=source)
    launching.launch(parse_spec(text), text)
    assert campaigns.get(name).state is CampaignState.FINISHED
    return summarise(read_record(name))


def test_a_powder_pattern_is_looked_for_and_scored_by_the_relaxed_crystal(library: str, tmp_path: Any) -> None:
    summary = run("pattern", "{xrd: {material: Al}, exclude: [Al]}")
    assert summary["target"]["kind"] == "xrd"
    assert len(summary["target"]["grid"]) == len(summary["target"]["values"]) == XRD_GRID.n
    done = [c for c in candidates.of_campaign("pattern") if c.stage is Stage.EVALUATED]
    assert done
    target = resolve(parse_spec(TEXT.format(name="x", target="{xrd: {material: Al}}", source="null")))
    for candidate in done:
        computed = xrd_pattern(materials.structure(candidate.material))
        expected = float(computed @ target.curve / np.linalg.norm(computed) / np.linalg.norm(target.curve))
        assert candidate.scores["computed_similarity"] == pytest.approx(expected)
        assert candidate.scores["score"] == candidate.scores["computed_similarity"]
        assert candidate.scores["predicted_score_std"] == 0
    best = max(c.scores["predicted_score"] for c in candidates.of_campaign("pattern") if "predicted_score" in c.scores)
    assert best in {c.scores["predicted_score"] for c in done}
    assert write_report(summary, tmp_path).exists()


def test_the_pattern_of_a_stored_material_is_its_own(library: str) -> None:
    spec = parse_spec(TEXT.format(name="x", target="{xrd: {material: NiTi}}", source="null"))
    found = materials.find_formula("NiTi") or materials.find_formula("TiNi")
    if found:
        assert resolve(spec).curve == pytest.approx(xrd_pattern(found[0].to_structure()))
    with pytest.raises(InputError, match="no material Xe"):
        resolve(parse_spec(TEXT.format(name="x", target="{xrd: {material: Xe}}", source="null")))


def test_windows_are_predicted_by_a_surrogate_that_learns_the_engines_labels(library: str) -> None:
    values = {m.id: 0.1 * len(m.elements) for m in materials.get_many(_all_ids(library)).values()}
    for key, value in values.items():
        labels.save(key, "band_gap", value, method=library)
    run("gap", "{properties: [{name: band_gap, value: 0.2, tolerance: 0.1}]}")
    checkpoint = checkpoints.get(campaigns.round_of("gap", 1).checkpoints[SURROGATE])
    assert (checkpoint.generator, checkpoint.preset) == (SURROGATE, "blend")
    assert checkpoint.snapshot == campaigns.round_of("gap", 1).snapshot
    assert "held_out_mae/band_gap" in checkpoint.metrics
    scored = [c for c in candidates.of_campaign("gap") if "predicted_score" in c.scores]
    assert scored
    assert all(c.scores["predicted_band_gap_std"] > 0 for c in scored)
    assert all(0 <= c.scores["predicted_probability"] <= 1 for c in scored)
    by_size = {n: [c.scores["predicted_score"] for c in scored if len(c.elements) == n] for n in (1, 2)}
    if by_size[1]:
        assert np.mean(by_size[2]) > np.mean(by_size[1])


def test_too_few_labels_leave_a_window_unknown_and_the_round_goes_on(library: str) -> None:
    run("unknown", "{properties: [{name: band_gap, value: 0.2, tolerance: 0.1}]}")
    reasons = {v["reason"] for c in candidates.of_campaign("unknown") for v in c.verdicts if v["stage"] == "target"}
    assert reasons == {"nothing predicts its band_gap, energy_above_hull"}


def test_labels_of_a_named_source_are_learned(library: str) -> None:
    external = methods.save("external", "PBE", {"source": "elsewhere"}, {})
    for i, key in enumerate(_all_ids(library)):
        labels.save(key, "band_gap", 0.01 * i, method=external)
    run("sourced", "{properties: [{name: band_gap, value: 0.1, tolerance: 0.1}]}", "elsewhere")
    checkpoint = checkpoints.get(campaigns.round_of("sourced", 1).checkpoints[SURROGATE])
    assert "held_out_mae/band_gap" in checkpoint.metrics
    with pytest.raises(InputError, match=r"nowhere.*known are elsewhere"):
        run("unsourced", "{properties: [{name: band_gap, value: 0.1, tolerance: 0.1}]}", "nowhere")


def test_a_trainings_state_is_kept_until_it_is_done(database: str) -> None:
    def train(interrupted: bool) -> list[str]:
        with state_folder("snap-1", "ftcp/structured", 4) as folder:
            found = [path.name for path in folder.iterdir()]
            (folder / "half").write_text("state", encoding="utf-8")
            if interrupted:
                raise KeyboardInterrupt
            return found

    with pytest.raises(KeyboardInterrupt):
        train(interrupted=True)
    assert train(interrupted=False) == ["half"]
    assert train(interrupted=False) == []


def test_similarity_of_patterns_needs_a_pattern() -> None:
    with pytest.raises(InputError, match=r"target\.xrd"):
        CrystalSimilarity(SpectrumKind.XRD).similarity([], Target())


def _all_ids(method: str) -> list[str]:
    from fermiloop.platform.store import training

    return training.materials_of(method)


def test_the_curve_of_the_launch_stays_whatever_the_store_learns(library: str, campaign: Any) -> None:
    spec, text = campaign("one")
    campaigns.create(spec.name, spec.as_dict(), text)
    before = resolve(spec).curve
    kept_methods.keep(spec)
    targets.keep(spec)
    assert before is not None
    np.testing.assert_array_equal(resolve(spec).curve, before)
    campaigns.fix_curve("one", before[::-1], "midgap")
    np.testing.assert_array_equal(resolve(spec).curve, before)  # kept once
    Campaign.objects(id="one").update(set__resolved__curve=before[::-1].tolist())
    np.testing.assert_array_equal(resolve(spec).curve, before[::-1])  # what is kept is what counts
    other = spec.model_copy(update={"target": spec.target.model_copy(update={"hit_similarity": 0.5})})
    np.testing.assert_array_equal(resolve(other).curve, before)  # another file of the same name
