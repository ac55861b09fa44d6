"""A phonon density of states as a target: the kind is one declaration, and all that a campaign needs follows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.db_init.importers.dispatch import load
from fermiloop.flows.campaigns.records import read_record
from fermiloop.flows.campaigns.steps import training_method_of
from fermiloop.flows.campaigns.targets import resolve, with_target_curves
from fermiloop.flows.driving import launching
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.protocol import results_of
from fermiloop.flows.engines.recorded.engine import output_of
from fermiloop.flows.engines.sanity import fault_of
from fermiloop.flows.engines.steps import tasks
from fermiloop.platform.campaign.spec import CampaignSpec, parse_spec
from fermiloop.platform.campaign.summary import summarise
from fermiloop.platform.campaign.target_spec import TargetSpec
from fermiloop.platform.errors import InputError, SpecError
from fermiloop.platform.plugins.engines import ENGINES
from fermiloop.platform.report.html import write_report
from fermiloop.platform.representations.answer_file import read_answers
from fermiloop.platform.representations.grids import GRIDS, PHONON_GRID
from fermiloop.platform.representations.phonon_curves import JARVIS_WAVENUMBERS
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import campaigns, candidates, materials, spectra, training
from fermiloop.schemas.curve_kinds import SpectrumKind, other_stored_kinds
from fermiloop.schemas.vocabulary import Stage

PHONON = SpectrumKind.PHONON_DOS
TEXT = """
name: {name}
target: {target}
space: {{elements: [Al, Ni, Cu, Ti, Pt], components: [1, 2], crystal_systems: [cubic], max_sites: 4}}
generators:
  - {{name: random_pick, proposals: 12, options: {{potential: none}}}}
funnel: {{stages: [geometry, duplicates, target], potential: analytic}}
engine: {{name: analytic, settings: {{{settings}}}}}
budget: {{rounds: 1, evaluations: 2, per_round: 2}}
seed: 3
"""
PASTED = "{phonon_dos: {frequencies: [0, 5, 10, 26], values: [0, 1, 0.2, 0]}, stable_within: null}"


def spec(target: str, settings: str = "curve: phonon_dos", name: str = "phonons") -> CampaignSpec:
    return parse_spec(TEXT.format(name=name, target=target, settings=settings))


def curves_of(library: str) -> dict[str, np.ndarray]:
    """Phonon densities of states for the whole library, by material, saved."""
    made = {}
    for key in spectra.materials_with(library):
        task = {"structure": materials.structure(key).as_dict(), "curve": "phonon_dos"}
        points, values = tasks.analytic_static(task, Path())["curves"]["phonon_dos"]
        spectra.save(key, points, values, method=library, kind=PHONON)
        made[key] = np.asarray(values)
    return made


@pytest.mark.parametrize("kind", SpectrumKind)
def test_a_kind_is_what_its_declaration_says(kind: SpectrumKind) -> None:
    assert GRIDS[kind].n == kind.declared.n
    model = TargetSpec.model_fields[str(kind)].annotation
    assert kind.declared.points in model.__args__[0].model_fields  # type: ignore[union-attr]
    computed = kind is not SpectrumKind.DOS and not kind.declared.of_crystals
    assert (kind in other_stored_kinds()) is computed
    assert (kind in ENGINES["recorded"].gives_curves) is computed


def test_an_engine_that_does_not_give_it_is_refused() -> None:
    with pytest.raises(SpecError, match=r"gives no phonon density of states.*engine.settings.curve to phonon_dos"):
        spec(PASTED, "")
    with pytest.raises(SpecError, match="use chgnet-phonon or analytic or recorded"):
        parse_spec(TEXT.format(name="x", target=PASTED, settings="").replace("{name: analytic", "{name: chgnet"))
    absorbing = "{absorption: {photon_energies: [1, 3, 7], values: [0, 1, 0.2]}, stable_within: null}"
    with pytest.raises(SpecError, match=r"gives no absorption for target.absorption; use analytic or recorded"):
        parse_spec(TEXT.format(name="x", target=absorbing, settings="").replace("{name: analytic", "{name: gpaw"))
    with pytest.raises(InputError, match="makes up phonon_dos and absorption, not 'sound'"):
        code_of("analytic").method({"curve": "sound"})


def test_a_pasted_curve_is_looked_for_to_the_end(library: str, tmp_path: Path) -> None:
    curves_of(library)
    text = TEXT.format(name="phonons", target=PASTED, settings="curve: phonon_dos")
    launching.launch(parse_spec(text), text)
    summary = summarise(read_record("phonons"))
    assert summary["target"]["kind"] == "phonon_dos"
    assert len(summary["target"]["values"]) == PHONON_GRID.n
    done = [one for one in candidates.of_campaign("phonons") if one.stage is Stage.EVALUATED]
    assert len(done) == 2
    target = resolve(parse_spec(text))
    for one in done:
        stored = spectra.of_material(one.material, PHONON)
        assert stored is not None
        assert one.scores["computed_similarity"] == pytest.approx(float(target.similarity(stored.array())), abs=1e-6)
        assert one.scores["predicted_similarity_std"] > 0  # predicted by what the library's curves teach
    assert write_report(summary, tmp_path).exists()


def test_a_curve_on_the_grid_of_an_earlier_version_is_read_again(library: str) -> None:
    curves_of(library)
    text = TEXT.format(name="phonons", target=PASTED, settings="curve: phonon_dos")
    launching.launch(parse_spec(text), text)
    kept = campaigns.get("phonons")
    kept.resolved.curve = kept.resolved.curve[:50]
    kept.save()
    assert len(resolve(parse_spec(text)).curve) == PHONON_GRID.n


def test_the_curve_of_a_stored_material(library: str) -> None:
    wanted = spec("{phonon_dos: {material: Cu}}")
    with pytest.raises(InputError, match="Cu is stored without a phonon density of states"):
        resolve(wanted)
    curves = curves_of(library)
    found = resolve(wanted)
    assert found.grid == PHONON_GRID
    known = [PHONON_GRID.normalise(curves[one.id]) for one in materials.find_formula("Cu")]
    assert any(np.allclose(found.curve, one, atol=1e-5) for one in known)


def test_imported_curves_are_learned_from(database: str, tmp_path: Path) -> None:
    rows = []
    for number, (one, other) in enumerate([("Al", "Ni"), ("Al", "Cu"), ("Ti", "Ni")]):
        poscar = f"x\n1.0\n3 0 0\n0 3 0\n0 0 3\n{one} {other}\n1 1\ndirect\n0 0 0\n0.5 0.5 0.5\n"
        values = np.exp(-(((JARVIS_WAVENUMBERS - 150 - 50 * number) / 30) ** 2)).tolist()
        rows.append({"jid": f"JVASP-{number}", "poscar": poscar, "phonon_dos": values, "ehull": 0.0})
    file = tmp_path / "phonons.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    load(f"jarvis-phonons:{file}")
    text = TEXT.format(name="imported", target="{phonon_dos: {material: AlNi}}", settings="curve: phonon_dos")
    wanted = parse_spec(text + "retrain: {source: JARVIS-DFT}\n")
    method = training_method_of(wanted)
    ids = [one.id for one in materials.find(materials.MaterialQuery())]
    learned = with_target_curves(training.training_set(ids, DOS_GRID, method), wanted)
    assert learned.grid == PHONON_GRID
    assert learned.has_curve.all()
    place = [one.composition.reduced_formula for one in learned.structures].index("AlNi")
    target = resolve(wanted)
    assert target.similarity(learned.curves[place]) == pytest.approx(1.0)
    assert target.similarity(learned.curves[place - 1]) < 0.9


def test_a_recorded_answer_may_hold_one(tmp_path: Path) -> None:
    crystal = Structure(Lattice.cubic(3.6), ["Cu"], [[0, 0, 0]])
    row: dict[str, Any] = {"structure": crystal.as_dict(), "energy_per_atom": -4.0}
    row["curves"] = {"phonon_dos": {"frequencies": [0, 5, 25], "values": [0, 1, 0]}}
    file = tmp_path / "answers.jsonl"
    file.write_text(json.dumps(row), encoding="utf-8")
    output = output_of(read_answers(file)[0])
    found = results_of({"static": output})
    assert found.curves["phonon_dos"][0].tolist() == [0.0, 5.0, 25.0]
    assert fault_of(found) is None
    short = results_of({"static": output | {"curves": {"phonon_dos": [[0, 5], [0, 1]]}}})
    assert fault_of(short) == "its phonon density of states does not rise from 0 to 25 THz"
