"""A target that covers a part of the energies, and one zero from the target to the score."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fermiloop.flows.campaigns.enqueue import enqueue
from fermiloop.flows.campaigns.records import read_record
from fermiloop.flows.campaigns.targets import alignment_of, computed_curve, filled, resolve
from fermiloop.flows.driving import launching
from fermiloop.flows.engines.protocol import EvaluationResult
from fermiloop.flows.rounds.retrain import learned_from
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.campaign.summary import summarise
from fermiloop.platform.errors import SpecError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID, windowed_cosine, within
from fermiloop.platform.settings import settings
from fermiloop.platform.store import campaigns, candidates, materials, snapshots, spectra
from fermiloop.schemas.campaign import Campaign
from fermiloop.schemas.vocabulary import Alignment, CampaignState, Stage

TEXT = """
name: {name}
target: {target}
space: {{elements: [Al, Ni, Cu, Ti, Pt], components: [1, 2], crystal_systems: [cubic], max_sites: 4}}
generators:
  - {{name: substitution, proposals: 10}}
  - {{name: dos_composer, preset: factorised, proposals: 10, options: {{epochs: 1, potential: none, test_share: 0.0}}}}
funnel: {{stages: [geometry, duplicates, target], potential: analytic}}
acquisition: {{name: expected_improvement}}
engine: {{name: analytic}}
budget: {{rounds: 1, evaluations: 2, per_round: 2}}
seed: 3
"""
WINDOW = (-6.0, 1.0)


def spec_of(name: str, curve: str, window: tuple[float, float] | None = WINDOW) -> Any:
    where = f", window: [{window[0]}, {window[1]}]" if window else ""
    text = TEXT.format(name=name, target=f"{{dos: {curve}{where}, exclude: [Pd]}}")
    return parse_spec(text), text


def pasted(lo: float = -6.0, hi: float = 1.0) -> str:
    x = np.round(np.arange(lo, hi + 0.05, 0.1), 6)
    return f"{{energies: {x.tolist()}, values: {np.round(np.exp(-((x + 2) ** 2)), 6).tolist()}}}"


def test_a_spectrum_of_occupied_states_is_looked_for_and_scored_in_its_window(library: str) -> None:
    spec, text = spec_of("xps", pasted())
    launching.launch(spec, text)
    assert campaigns.get("xps").state is CampaignState.FINISHED
    target = resolve(spec)
    assert target.window == WINDOW
    done = [one for one in candidates.of_campaign("xps") if one.stage is Stage.EVALUATED]
    assert done
    for one in done:
        stored = spectra.of_material(one.material)
        curve = DOS_GRID.resample(stored.points(), stored.array())
        expected = float(windowed_cosine(curve, target.curve, DOS_GRID, WINDOW))
        assert one.scores["computed_similarity"] == pytest.approx(expected, abs=1e-6)
        assert one.scores["predicted_score"] <= 1 + 1e-9
    summary = summarise(read_record("xps"))
    assert summary["target"]["window"] == list(WINDOW)
    assert summary["target"]["alignment"] == "midgap"
    assert {one.generator.partition("/")[0] for one in candidates.of_campaign("xps")} == {
        "substitution",
        "dos_composer",
    }


def test_of_a_material_only_the_window_counts(library: str) -> None:
    target = resolve(spec_of("x", "{material: Pd}")[0])
    whole = resolve(spec_of("y", "{material: Pd}", None)[0])
    inside = within(DOS_GRID, WINDOW)
    assert not target.curve[~inside].any()
    assert float(windowed_cosine(whole.curve, target.curve, DOS_GRID, WINDOW)) == pytest.approx(1.0)
    other = whole.curve + np.where(inside, 0.0, 5.0)
    assert float(target.similarity(other)) == pytest.approx(1.0)
    assert float(whole.similarity(other)) < 0.5


def test_generators_are_given_the_librarys_mean_outside_the_window(library: str) -> None:
    spec, _ = spec_of("x", pasted())
    target = resolve(spec)
    given, inside = filled(target, spec), within(DOS_GRID, WINDOW)
    assert given.curve[~inside].sum() > 0
    assert float(windowed_cosine(given.curve, target.curve, DOS_GRID, WINDOW)) == pytest.approx(1.0)
    assert float(given.similarity(target.curve)) == pytest.approx(1.0)
    assert np.trapezoid(given.curve, dx=DOS_GRID.step) == pytest.approx(1.0)
    whole = resolve(spec_of("y", "{material: Pd}", None)[0])
    assert filled(whole, spec) is whole


@pytest.mark.parametrize(("zero", "top"), [("midgap", -1.0), ("vbm", 0.0)])
def test_target_result_and_stored_curve_lie_at_one_zero(
    library: str, zero: str, top: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERMILOOP_DOS_ALIGNMENT", zero)
    settings.cache_clear()
    x = np.round(np.arange(-10, 10.01, 0.05), 6)
    y = np.where((x <= -1) & (x > -6), 2.0, 0.0) + np.where(x >= 1, 1.0, 0.0)  # as an engine gives it, gap 2 eV
    spec, _ = spec_of("x", f"{{energies: {np.round(x + 1.0, 6).tolist()}, values: {y.tolist()}}}", None)
    target = resolve(spec)  # given about its valence edge
    result = EvaluationResult(PROTOTYPES["A1"].build("Al", None, 16.0), -1.0, gap=2.0, energies=x, density=y)
    computed = computed_curve(result, spec)
    assert computed is not None
    key = materials.save(result.structure, origin="import", source={"name": "test"})
    spectra.save(key, x, y, method="method-1", gap=2.0)
    stored = spectra.of_material(key, method="method-1")
    assert stored.alignment is Alignment(zero)
    for curve in (target.curve, computed, DOS_GRID.resample(stored.points(), stored.array())):
        assert DOS_GRID.points[np.flatnonzero(curve[:80])[-1]] == pytest.approx(top, abs=0.11)
    assert float(target.similarity(computed)) > 0.99


def test_a_campaign_may_set_its_own_zero_for_target_library_and_results(library: str) -> None:
    x = np.round(np.arange(-10, 10.01, 0.05), 6)
    y = np.where((x <= -1) & (x > -6), 2.0, 0.0) + np.where(x >= 1, 1.0, 0.0)  # as an engine gives it, gap 2 eV
    crystal = PROTOTYPES["A1"].build("Al", None, 15.0)
    key = materials.save(crystal, origin="import", source={"name": "test"})
    spectra.save(key, x, y, method=library, gap=2.0)
    result = EvaluationResult(crystal, -1.0, gap=2.0, energies=x, density=y)
    for zero, top in (("midgap", -1.0), ("fermi", -1.0), ("vbm", 0.0)):
        spec, text = spec_of(f"zero-{zero}", f"{{material: {key}, alignment: {zero}}}", None)
        enqueue(spec, text)
        target = resolve(spec)
        assert (target.grid.alignment == "vbm") == (zero == "vbm")
        snapshot = snapshots.freeze([key], query={}, split_seed=0, method=library, about=alignment_of(spec))
        data = learned_from(spec, snapshot, library)
        computed = computed_curve(result, spec)
        for curve in (target.curve, computed, data.curves[0], target.curve_on(data.grid)):
            assert DOS_GRID.points[np.flatnonzero(curve[:80])[-1]] == pytest.approx(top, abs=0.11)
        assert float(target.similarity(computed)) == pytest.approx(1.0, abs=1e-3)
        kept = campaigns.get(spec.name).resolved
        assert kept.alignment == read_record(spec.name).alignment == ("vbm" if zero == "vbm" else "midgap")


def test_a_campaign_launched_before_zeros_were_chosen_keeps_its_curve(library: str) -> None:
    spec, text = spec_of("before", "{material: Pd}", None)
    enqueue(spec, text)
    Campaign.objects(id="before").update(unset__spec__target__dos__alignment=1, set__resolved__curve=[0.0] * 150 + [1])
    assert resolve(spec).curve[-1] == 1.0


def test_a_zero_that_is_none_is_refused() -> None:
    with pytest.raises(SpecError, match=r"target\.dos\.alignment"):
        spec_of("x", "{material: Pd, alignment: cbm}")
