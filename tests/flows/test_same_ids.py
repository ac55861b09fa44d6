"""The same seed asks for the same crystals: a campaign in a store against recorded answers, and its replay."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fermiloop.db_init import setup
from fermiloop.db_init.importers.seed import SHIPPED, read
from fermiloop.flows.campaigns.targets import resolve
from fermiloop.flows.driving import launching
from fermiloop.flows.engines.recorded.engine import method as recorded_method
from fermiloop.platform.campaign.replaying.loop import replay
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.predictors.surrogates import learners
from fermiloop.platform.representations.answer_file import Answer, read_answers
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.training import TrainingSet
from fermiloop.platform.store import campaigns, candidates, labels, materials, methods, spectra
from fermiloop.schemas.material import Material
from fermiloop.schemas.vocabulary import Origin, Property

N, KNOWN = 60, 24
FILE = """
name: {name}
target: {target}
space: {{elements: [{elements}], components: [1, 3], crystal_systems: [cubic, hexagonal, tetragonal], max_sites: 20}}
generators:
  - {{name: pool, proposals: 100, options: {{file: answers.jsonl}}}}
funnel: {{stages: [target], potential: analytic}}
engine: {{name: recorded, settings: {{file: answers.jsonl}}}}
budget: {{rounds: 3, evaluations: 8, per_round: 3}}
seed: 11
"""
SOURCE = {"name": "seed library, for tests"}


@dataclass(frozen=True)
class Crystals:
    """Crystals of the seed library: a file of answers, and the answers as a training set."""

    file: Path
    pool: TrainingSet
    elements: str


@pytest.fixture
def crystals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crystals:
    """60 of them in a file; cells are the canonical ones, as a store keeps them."""
    monkeypatch.setattr(learners, "TREES", 15)
    rows = [row for _, row in read(SHIPPED) if len(row["structure"]["sites"]) <= 4]
    chosen = np.random.default_rng(5).choice(len(rows), N, replace=False)
    lines = [_line(rows[i]) for i in chosen]
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    answers = read_answers(path)
    symbols = {element.symbol for one in answers for element in one.structure.composition.elements}
    return Crystals(path, _training_set(answers), ", ".join(sorted(symbols)))


def _line(row: dict) -> dict:  # type: ignore[type-arg]
    from pymatgen.core import Structure

    material = Material.from_structure(Structure.from_dict(row["structure"]), origin=Origin.SEED, source=SOURCE)
    factor = material.n_sites / len(row["structure"]["sites"])
    return {
        "key": str(material.id),
        "structure": material.to_structure().as_dict(),
        "energy": factor * row["energy"],
        "gap": row.get("gap", 0.0),
        "nelectrons": factor * row["nelectrons"],
        "dos": [factor * value for value in row["dos"]],
    }


def _training_set(answers: list[Answer]) -> TrainingSet:
    curves = [DOS_GRID.resample(one.energies, np.asarray(one.density, dtype=np.float32)) for one in answers]
    energies = np.array([one.energy_per_atom for one in answers], dtype=float)
    return TrainingSet(
        tuple(one.key for one in answers), tuple(one.structure for one in answers), ("cubic",) * N, ("",) * N, DOS_GRID,
        np.array(curves), {"energy_per_atom": energies},
    )  # fmt: skip


def _load_known(crystals: Crystals) -> None:
    """What is known at the start, by the Method of the file of answers."""
    record = recorded_method({"file": str(crystals.file)})
    method = methods.save(record.engine, record.functional, record.settings, record.code_versions)
    for one in read_answers(crystals.file)[:KNOWN]:
        key = materials.save(one.structure, origin=Origin.SEED, source=SOURCE)
        assert key == one.key
        spectra.save(key, one.energies, one.density, method=method, n_electrons=one.n_electrons, gap=one.gap)
        labels.save(key, Property.ENERGY_PER_ATOM, one.energy_per_atom, method=method)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("window", "{properties: [{name: energy_per_atom, value: -5.0, tolerance: 0.4}], stable_within: null}"),
        ("curve", "{dos: {material: KEY}, hit_similarity: 0.8, stable_within: null}"),
    ],
)
def test_campaign_and_replay_ask_for_the_same(database: str, crystals: Crystals, name: str, target: str) -> None:
    setup.init()
    _load_known(crystals)
    target = target.replace("KEY", crystals.pool.ids[3])
    text = FILE.format(name=name, target=target, elements=crystals.elements)
    spec = parse_spec(text, folder=crystals.file.parent)
    wanted = resolve(spec)
    run = replay(spec, wanted, crystals.pool, range(KNOWN), seed=11)
    launching.launch(spec, text)
    by_id = {one.id: one for one in candidates.of_campaign(name)}
    selected = [by_id[key] for one in campaigns.rounds(name) for key in one.selected]
    assert [one.material for one in selected] == list(run.asked)
    hits = [sum(by_id[key].scores["hit"] for key in one.selected) for one in campaigns.rounds(name)]
    assert hits == list(run.hits)
    assert all(one.scores["computed_score"] > 0 for one in selected)
