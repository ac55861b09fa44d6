"""What cannot work is refused before anything is stored or paid, in one sentence with the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from mongoengine import get_db

from fermiloop.flows.campaigns import methods, preflight
from fermiloop.flows.campaigns.enqueue import enqueue
from fermiloop.flows.driving import launching
from fermiloop.flows.engines.lookup import code_of
from fermiloop.platform.campaign.spec import CampaignSpec, EngineSpec, GeneratorSpec, SpaceSpec, parse_spec
from fermiloop.platform.campaign.target_spec import TargetSpec
from fermiloop.platform.errors import InputError, SpecError, UserError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.structure_types import prototype
from fermiloop.platform.store import campaigns, candidates, labels, materials, spectra
from fermiloop.platform.store import methods as stored
from fermiloop.schemas.vocabulary import CampaignState, Origin, Property, Stage


def content() -> dict[str, list[dict[str, Any]]]:
    """Every document of the database."""
    database = get_db()
    return {name: list(database[name].find({}).sort("_id", 1)) for name in sorted(database.list_collection_names())}


def changed(spec: CampaignSpec, **parts: Any) -> CampaignSpec:
    return spec.model_copy(update=parts)


def curve_of(spec: CampaignSpec, material: str) -> Any:
    return spec.target.model_copy(update={"dos": spec.target.dos.model_copy(update={"material": material})})


@pytest.fixture
def spec(library: str, campaign: Callable[..., Any]) -> CampaignSpec:
    """A campaign that can work."""
    return campaign("sound")[0]


def test_a_sound_campaign_has_no_problem_and_asking_writes_nothing(spec: CampaignSpec) -> None:
    before = content()
    assert preflight.problems(spec) == []
    assert content() == before


@pytest.mark.parametrize("name", ["gpaw", "vasp", "cp2k"])
def test_an_element_that_the_engine_does_not_compute_is_named(
    library: str, spec: CampaignSpec, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {"gpaw": "O", "vasp": "Rn", "cp2k": "U"}[name]
    space = spec.space.model_copy(update={"elements": ("Al", wrong)})
    (text,) = preflight._elements(changed(spec, space=space, engine=EngineSpec(name=name)))
    assert text.startswith(f"The engine {name} computes nothing with {wrong} of space.elements: ")
    assert text.endswith("change engine.settings, or leave them out.")


def test_stability_by_an_engine_without_energies_is_refused_without_a_command_that_cannot_help(
    spec: CampaignSpec,
) -> None:
    engine = EngineSpec(name="flow", settings={"maker": "here:Maker", "outputs": {"bulk_modulus": "k"}})
    target = spec.target.model_copy(update={"stable_within": 0.05})  # which the file then names
    (text,) = preflight._stability_references(changed(spec, target=target, engine=engine))
    assert text == (
        "target.stable_within is 0.05, but the engine flow gives no energy_per_atom with these settings, so it has no "
        "references and no hull; use an engine that gives one, or set target.stable_within to null."
    )


def test_a_cutoff_that_suffices_is_no_problem(spec: CampaignSpec) -> None:
    space = spec.space.model_copy(update={"elements": ("Al", "O")})
    engine = EngineSpec(name="gpaw", settings={"cutoff": 600, "relax_extra_cutoff": 200})
    assert list(preflight._elements(changed(spec, space=space, engine=engine))) == []


def test_a_cutoff_that_suffices_for_energies_alone_is_refused_since_campaigns_relax(spec: CampaignSpec) -> None:
    space = spec.space.model_copy(update={"elements": ("Al", "O")})
    engine = EngineSpec(name="gpaw-hydrogen", settings={"cutoff": 600})
    (text,) = preflight._elements(changed(spec, space=space, engine=engine))
    assert "O needs a cutoff of 800 eV where cells are relaxed, not 600" in text
    assert "settings: {cutoff: 600, relax_extra_cutoff: 200}" in text


@pytest.mark.parametrize("engine", ["gpaw", "gpaw-hydrogen", "vasp"])
def test_densities_of_states_that_end_before_they_are_compared_are_refused(spec: CampaignSpec, engine: str) -> None:
    short = changed(spec, engine=EngineSpec(name=engine, settings={"dos_lo": -5}))
    (text,) = preflight._dos_range(short)
    assert text == (
        f"The engine {engine} with these settings gives densities of states from -5 to 8 eV, and results are compared "
        "from -7.5 to 7.5 eV, so that their similarity would count as 0; in engine.settings set dos_lo to -7.5 or "
        "less, or leave it out."
    )
    before = content()
    with pytest.raises(InputError, match=r"set dos_lo to -7\.5 or less"):
        enqueue(short, "text")
    assert content() == before
    (text,) = preflight._dos_range(changed(spec, engine=EngineSpec(name=engine, settings={"dos_lo": -5, "dos_hi": 5})))
    assert text.endswith("set dos_lo to -7.5 or less and dos_hi to 7.5 or more, or leave both out.")
    steps = {"dos_lo": -7.5, "dos_hi": 7.5, "dos_step": 0.34}  # of which the last ends at 7.46 eV
    (text,) = preflight._dos_range(changed(spec, engine=EngineSpec(name=engine, settings=steps)))
    assert "from -7.5 to 7.46 eV" in text
    fits = steps | {"dos_step": 0.05}
    assert list(preflight._dos_range(changed(spec, engine=EngineSpec(name=engine, settings=fits)))) == []
    windows = TargetSpec(properties=[{"name": "band_gap", "at_least": 1}])
    assert list(preflight._dos_range(changed(short, target=windows))) == []  # no curve is compared


def test_gaps_whose_curves_end_before_they_are_compared_about_the_valence_edge_are_refused(spec: CampaignSpec) -> None:
    def wanted(gap: float, alignment: str = "vbm", **settings: float) -> list[str]:
        dos = {"material": "Pd", "alignment": alignment}
        target = TargetSpec(dos=dos, properties=[{"name": "band_gap", "value": gap, "tolerance": 0.5}])
        engine = EngineSpec(name="gpaw-hard", settings=settings)
        return list(preflight._dos_range(changed(spec, target=target, engine=engine)))

    (text,) = wanted(6.5)
    assert "from -7 to 11 eV about the valence edge of a gap of 6 eV" in text
    assert text.endswith("set dos_lo to -10.5 or less, or let target.dos.alignment be midgap.")
    assert wanted(6.5, "midgap") == wanted(6.5, dos_lo=-10.5) == wanted(5.4) == wanted(2.5, dos_hi=6.5) == []
    assert wanted(6.5, dos_lo=-7.0)[0].endswith("set dos_lo to -10.5 or less.")


def test_a_material_without_a_curve_and_one_that_is_not_stored_are_told_apart(spec: CampaignSpec) -> None:
    gold = materials.save(PROTOTYPES["A1"].build("Au", None, 17.0), origin=Origin.IMPORT, source={"name": "here"})
    (bare,) = preflight.problems(changed(spec, target=curve_of(spec, "Au")))
    assert bare.text.startswith("Au is stored without a density of states by the Method ")
    assert f"compute it (fermiloop compute {gold} --engine analytic)" in bare.text
    assert "load" not in bare.text
    (absent,) = preflight.problems(changed(spec, target=curve_of(spec, "Pu")))
    assert absent.text.startswith("The store holds no material Pu for target.dos; load a library")
    assert "compute it (fermiloop compute FILE --engine analytic)" in absent.text


def test_an_element_without_a_reference_is_named_where_a_hull_is_asked(library: str, spec: CampaignSpec) -> None:
    space = spec.space.model_copy(update={"elements": ("Al", "Ni", "Ag")})
    funnel = spec.funnel.model_copy(update={"stages": ("geometry", "relaxation", "hull", "target")})
    (problem,) = preflight.problems(changed(spec, space=space, funnel=funnel))
    assert problem.text.startswith("funnel.stages has hull, and Ag of space.elements has no reference energy")
    windows = parse_spec(
        "{name: x, target: {properties: [{name: energy_above_hull, value: 0, tolerance: 0.05}]}, "
        "space: {elements: [Al, Ni, Ag]}, generators: [{name: substitution, proposals: 5}], "
        "funnel: {stages: [geometry, target], potential: analytic}, engine: {name: analytic}, "
        "budget: {rounds: 1, evaluations: 1, per_round: 1}}"
    )
    (problem,) = preflight.problems(windows)
    assert problem.text.startswith("target.properties asks for energy_above_hull, and Ag of space.elements")
    assert "(fermiloop references build --engine analytic --elements Ag)" in problem.text
    silver = materials.save(PROTOTYPES["A1"].build("Ag", None, 17.0), origin=Origin.IMPORT, source={"name": "here"})
    labels.save(silver, Property.ENERGY_PER_ATOM, -1.0, method=library)
    assert preflight.problems(windows) == []


def test_without_training_data_nothing_is_launched(database: str, campaign: Callable[..., Any]) -> None:
    spec, text = campaign("empty")
    (problem,) = preflight.problems(spec)
    assert problem.key == "retrain.source"
    assert "nothing that analytic computed with these settings" in problem.text
    for launch in (lambda: enqueue(spec, text), lambda: launching.launch(spec, text)):
        with pytest.raises(InputError, match="nothing to learn from"):
            launch()
    assert campaigns.find() == []


def test_a_generator_that_fits_nowhere_is_named(spec: CampaignSpec) -> None:
    composer = GeneratorSpec(name="dos_composer", proposals=5)
    narrow = spec.space.model_copy(update={"crystal_systems": ("triclinic",)})
    (problem,) = preflight.problems(changed(spec, space=narrow, generators=(composer,)))
    assert "dos_composer can propose nothing in this space" in problem.text
    tiny = SpaceSpec(elements=("Al", "Ni"), components=(2, 2), max_sites=1)
    (problem,) = preflight.problems(changed(spec, space=tiny, generators=(composer,)))
    assert "space.max_sites" in problem.text


def test_a_generator_that_knows_no_crystal_of_such_a_shape_is_named(spec: CampaignSpec) -> None:
    substitution = (GeneratorSpec(name="substitution", proposals=5),)
    ternary = SpaceSpec(elements=("Al", "Ni", "Cu"), components=(3, 3), max_sites=8)
    (problem,) = preflight.problems(changed(spec, space=ternary, generators=substitution))
    assert problem.key == "generators"
    assert "The generator substitution can propose nothing in this space: of the" in problem.text
    assert "none is cubic or hexagonal with 3 elements and at most 8 sites" in problem.text
    assert preflight.problems(changed(spec, generators=substitution)) == []


TERNARIES = SpaceSpec(elements=("Al", "Ni", "Cu"), components=(3, 3), max_sites=8)


def composing(spec: CampaignSpec, preset: str | None = None, **options: Any) -> CampaignSpec:
    """The campaign with the composer alone, in a space of ternaries."""
    composer = GeneratorSpec(name="dos_composer", preset=preset, proposals=5, options=options)
    return changed(spec, space=TERNARIES, generators=(composer,))


def test_a_generator_whose_options_keep_it_from_so_many_elements_is_named(spec: CampaignSpec) -> None:
    (problem,) = preflight.problems(composing(spec, most_components=2))
    assert problem.key == "generators"
    assert problem.text == (
        "The generator dos_composer can propose nothing in this space: its option most_components is 2, and "
        "space.components asks for at least 3 elements; set the option to 3 or more, or lower space.components."
    )
    assert preflight.problems(composing(spec, most_components=3)) == []
    scheduled = spec.retrain.model_copy(update={"by": "schedule"})  # the champion has options of its own
    assert preflight.problems(changed(composing(spec, most_components=2), retrain=scheduled)) == []


@pytest.mark.parametrize("preset", ["paper", "regression"])
def test_a_preset_that_has_learned_no_crystal_of_so_many_elements_is_named(
    library: str, spec: CampaignSpec, preset: str
) -> None:
    asked = composing(spec, preset)
    before = content()
    with pytest.raises(InputError, match=rf"by its preset {preset} it makes crystals of at most .* learns from, 2, "):
        enqueue(asked, "text")
    assert content() == before
    assert preflight.problems(composing(spec)) == []  # factorised extrapolates
    heusler = prototype("L2_1", ("Al", "Ni", "Cu"), 13.0)
    ternary = materials.save(heusler, origin=Origin.IMPORT, source={"name": "here"})
    labels.save(ternary, Property.ENERGY_PER_ATOM, -1.0, method=library)
    (problem,) = preflight.problems(asked)  # it has no curve
    assert problem.text.endswith(
        "use the preset factorised, load crystals of 3 elements with a curve, or lower space.components."
    )
    pattern = TargetSpec(xrd={"material": "Al"})
    assert preflight.problems(changed(asked, target=pattern)) == []  # every crystal has a powder pattern
    grid = DOS_GRID.points
    spectra.save(ternary, grid, np.ones_like(grid), method=library)
    assert preflight.problems(asked) == []


def test_what_cannot_work_leaves_nothing_behind(spec: CampaignSpec) -> None:
    oxygen = spec.space.model_copy(update={"elements": ("Al", "O")})
    ternary = SpaceSpec(elements=("Al", "Ni", "Cu"), components=(3, 3))
    stable = spec.target.model_copy(update={"stable_within": 0.1})
    silver = spec.space.model_copy(update={"elements": ("Al", "Ag")})
    before = content()
    for parts, told in (
        ({"space": oxygen, "engine": EngineSpec(name="gpaw")}, "O needs a cutoff of 600 eV"),
        ({"space": silver, "target": type(stable)(**stable.model_dump())}, "references build --engine analytic"),
        ({"space": ternary, "generators": (GeneratorSpec(name="substitution", proposals=5),)}, "can propose nothing"),
    ):
        with pytest.raises(InputError, match=told):
            enqueue(changed(spec, **parts), "text")
    assert content() == before


def test_several_problems_are_counted_at_launch_and_all_listed(spec: CampaignSpec) -> None:
    bad = changed(
        spec,
        target=curve_of(spec, "Pu"),
        space=spec.space.model_copy(update={"crystal_systems": ("triclinic",)}),
        generators=(GeneratorSpec(name="random_pick", proposals=5),),
    )
    assert [problem.key for problem in preflight.problems(bad)] == ["target", "generators"]
    with pytest.raises(InputError, match=r"\(1 more: fermiloop campaign validate FILE shows all\)$"):
        enqueue(bad, "text")


@pytest.mark.parametrize("engine", ["chgnet", "cp2k"])
@pytest.mark.parametrize("name", ["band_gap", "fermi_level", "magnetic_moment"])
def test_a_target_that_the_engine_never_labels_is_refused(engine: str, name: str) -> None:
    with pytest.raises(SpecError, match=f"engine.name is {engine}, which gives no {name}"):
        parse_spec(
            f"{{name: x, target: {{properties: [{{name: {name}, value: 0, tolerance: 0.05}}]}}, "
            "space: {elements: [Al, Ni]}, generators: [{name: substitution, proposals: 5}], "
            f"engine: {{name: {engine}}}, budget: {{rounds: 1, evaluations: 1, per_round: 1}}}}"
        )


def test_candidates_that_the_engine_refuses_are_never_queued_and_the_end_says_so(
    library: str, campaign: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = code_of("analytic")

    def refuses(structure: Any, _settings: Any) -> str | None:
        return "two atoms are too many" if len(structure) > 1 else None

    monkeypatch.setattr("fermiloop.flows.engines.analytic.engine.ENGINE", replace(entry, refuses=refuses))
    spec, text = campaign("refused")
    spec = changed(spec, space=spec.space.model_copy(update={"components": (2, 2)}))
    launching.launch(spec, text)
    ended = campaigns.get("refused")
    assert ended.state is CampaignState.FAILED
    assert "Nothing was evaluated of" in ended.reason
    assert "the engine refuses" in ended.reason
    proposed = candidates.of_campaign("refused")
    assert not any(c.calculation for c in proposed)
    told = [c.reason for c in proposed if c.stage is Stage.REJECTED and (c.reason or "").startswith("the engine")]
    assert told
    assert set(told) == {"the engine analytic does not compute it: two atoms are too many"}


def test_the_methods_are_those_of_the_launch(library: str, campaign: Callable[..., Any]) -> None:
    spec, text = campaign("fixed")
    assert methods.of_campaign(spec) == methods.here(spec)  # before the launch: what this machine would make of it
    enqueue(spec, text)
    kept = methods.of_campaign(spec)
    assert kept.engine == library
    assert stored.get(kept.cheap).engine == "analytic"


def test_another_machine_is_refused_with_both_methods(
    library: str, campaign: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, text = campaign("moved")
    enqueue(spec, text)
    entry = code_of("analytic")
    record = entry.method({})
    elsewhere = type(record)(record.engine, record.functional, {**record.settings, "ENCUT": 520}, record.code_versions)
    monkeypatch.setattr("fermiloop.flows.engines.analytic.engine.ENGINE", replace(entry, method=lambda _: elsewhere))
    assert methods.of_campaign(spec).engine == library  # it does not change under the campaign
    count = len(stored.of_engine("analytic"))
    with pytest.raises(UserError, match=f"with the Method {library} of analytic .* ENCUT was None and is 520"):
        launching.launch(spec, text)
    assert len(stored.of_engine("analytic")) == count


def test_a_generator_that_stands_twice_by_its_usual_preset_is_told(spec: CampaignSpec) -> None:
    usual, named, other = (
        GeneratorSpec(name="dos_composer", preset=preset, proposals=2) for preset in (None, "factorised", "paper")
    )
    (problem,) = preflight.problems(changed(spec, generators=(usual, other, named)))
    assert problem.text.startswith("generators names dos_composer/factorised twice, once by its usual preset;")
    assert preflight.problems(changed(spec, generators=(usual, other))) == []
