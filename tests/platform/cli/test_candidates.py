"""Finding and explaining candidates."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fermiloop.platform.representations.prototypes import PROTOTYPES

AXIS = np.linspace(-10.0, 8.0, 361)


def candidate(campaign: str, number: int, generator: str, index: int, pair: tuple[str, str], **fields: Any) -> Any:
    from fermiloop.schemas.candidate import Candidate

    crystal = PROTOTYPES["B2"].build(*pair, volume_per_atom=12.0)
    formula = crystal.composition.reduced_formula
    symbols = sorted(pair)
    return Candidate(
        id=Candidate.make_id(campaign, number, generator, index), campaign=campaign, round=number,
        generator=generator.partition("/")[0], preset=generator.partition("/")[2] or None,
        index=index, structure=crystal.as_dict(), formula=formula, formula_lower=formula.lower(), elements=symbols,
        chemical_system="-".join(symbols), n_sites=2, seed=11, score=1.0 - index / 10, **fields,
    )  # fmt: skip


def alike(value: float) -> dict[str, float]:
    """Scores of a candidate that the funnel has seen."""
    return {"similarity": value, "predicted_similarity": value}


@pytest.fixture
def proposed(database: str) -> dict[str, str]:
    """Two candidates of one campaign and one of another: name to id."""
    from fermiloop.platform.store import candidates

    made = [
        candidate("one", 1, "substitution", 0, ("Ni", "Al"), stage="passed", scores=alike(0.9)),
        candidate("one", 2, "random_pick", 1, ("Ni", "Pt"), stage="rejected", scores=alike(0.4)),
        candidate("two", 1, "dos_composer/paper", 0, ("Cu", "Pd")),
    ]
    return dict(zip(("AlNi", "NiPt", "CuPd"), candidates.save_many(made), strict=True))


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        ("", ["AlNi", "NiPt", "CuPd"]),
        ("--campaign one", ["AlNi", "NiPt"]),
        ("--campaign one --round 2", ["NiPt"]),
        ("--stage passed", ["AlNi"]),
        ("--generator random_pick", ["NiPt"]),
        ("--generator dos_composer", ["CuPd"]),
        ("--generator dos_composer/paper", ["CuPd"]),
        ("--generator dos_composer/factorised", []),
        ("--elements Ni,Pt", ["NiPt"]),
        ("--elements Ni Pt", ["NiPt"]),
        ("--space-group 221 --campaign two", ["CuPd"]),
        ("--space-group 225", []),
        ("--formula PdCu", ["CuPd"]),
        ("--chemical-system Ni-Al", ["AlNi"]),
        ("--range predicted_similarity=0.5:", ["AlNi"]),
        ("--crystal-system cubic", ["AlNi", "NiPt", "CuPd"]),
        ("--crystal-system hexagonal", []),
        ("--sites 3:", []),
    ],
)
def test_find(cli: Callable[..., Any], proposed: dict[str, str], argv: str, names: list[str]) -> None:
    found = cli("candidates", "find", *argv.split(), "--json")
    assert (found.code, found.err) == (0, "")
    assert {row["id"] for row in found.json()} == {proposed[name] for name in names}


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        ("--sort -similarity", ["AlNi", "NiPt", "CuPd"]),
        ("--sort similarity --limit 2", ["NiPt", "AlNi"]),
        ("--sort similarity --descending --limit 1", ["AlNi"]),
        ("--sort -round --limit 1", ["NiPt"]),
        ("--sort generator_score --limit 1", ["NiPt"]),
        ("--sort generator --generator dos_composer", ["CuPd"]),
        ("--sort -similarity --stage rejected", ["NiPt"]),
    ],
)
def test_sorted(cli: Callable[..., Any], proposed: dict[str, str], argv: str, names: list[str]) -> None:
    rows = cli("candidates", "find", *argv.split(), "--json").json()
    assert [row["id"] for row in rows] == [proposed[name] for name in names]


def test_ties_are_broken_by_the_id(cli: Callable[..., Any], proposed: dict[str, str]) -> None:
    alike = sorted((proposed["AlNi"], proposed["CuPd"]))
    for order in ("round", "-generator_score"):
        rows = cli("candidates", "find", "--sort", order, "--columns", "id,formula", "--limit", "2", "--json").json()
        assert [row["id"] for row in rows] == alike
        assert set(rows[0]) == {"id", "formula"}


def test_most_similar_computed_curve_first(cli: Callable[..., Any], proposed: dict[str, str], tmp_path: Path) -> None:
    from fermiloop.platform.store import candidates, materials, methods, spectra
    from fermiloop.schemas.vocabulary import Origin

    method = methods.save("gpaw", "PBE", {}, {"gpaw": "26.7"})
    for name, centre in (("AlNi", 0.0), ("NiPt", -1.0)):
        source = {"name": "test", "key": name, "licence": "MIT"}
        crystal = candidates.get(proposed[name]).to_structure()
        material = materials.save(crystal, origin=Origin.CAMPAIGN, source=source, candidate=proposed[name])
        spectra.save(material, AXIS, np.exp(-((AXIS - centre) ** 2)), method=method)
        candidates.update(proposed[name], material=material)
    path = tmp_path / "curve.csv"
    path.write_text("".join(f"{x:.3f} {y:.6f}\n" for x, y in zip(AXIS, np.exp(-((AXIS + 0.8) ** 2)), strict=True)))
    rows = cli("candidates", "find", "--dos-like", str(path), "--json").json()
    assert [row["id"] for row in rows] == [proposed["NiPt"], proposed["AlNi"]]


def test_show_and_cif(cli: Callable[..., Any], proposed: dict[str, str], tmp_path: Path) -> None:
    shown = cli("candidates", "show", proposed["AlNi"], "--json").json()
    assert (shown["stage"], shown["similarity"]) == ("passed", 0.9)
    assert "Full Formula (Al1 Ni1)" in cli("candidates", "show", proposed["AlNi"]).out
    assert cli("candidates", "find", "--campaign", "one", "--cif", str(tmp_path / "cif")).code == 0
    assert len(list((tmp_path / "cif").iterdir())) == 2


def test_explain(cli: Callable[..., Any], proposed: dict[str, str]) -> None:
    chain = cli("candidates", "explain", proposed["AlNi"], "--json").json()
    assert {"candidate", "generator", "seed", "checkpoint", "snapshot", "labels", "calculations"} <= set(chain)
    assert (chain["candidate"], chain["seed"]) == (proposed["AlNi"], 11)
    assert "seed 11" in cli("candidates", "explain", proposed["AlNi"]).out


def test_export(cli: Callable[..., Any], proposed: dict[str, str], tmp_path: Path) -> None:
    said = cli("candidates", "export", str(tmp_path / "one.jsonl"), "--campaign", "one")
    assert (said.code, said.out) == (0, f"Wrote 2 candidates to {tmp_path / 'one.jsonl'}.\n")
    head, *rows = [json.loads(line) for line in (tmp_path / "one.jsonl").read_text().splitlines()]
    assert (head["format"], head["kind"]) == ("fermiloop-materials", "candidates")
    assert {row["id"] for row in rows} == {proposed["AlNi"], proposed["NiPt"]}
    assert cli("candidates", "export", str(tmp_path / "best.csv"), "--range", "predicted_similarity=0.5:").code == 0
    assert len((tmp_path / "best.csv").read_text().splitlines()) == 2
    assert cli("candidates", "export", str(tmp_path / "folder"), "--generator", "dos_composer").code == 0
    assert len(list((tmp_path / "folder").glob("*.cif"))) == 1
    assert cli("candidates", "export", str(tmp_path / "two.optimade.jsonl"), "--campaign", "two").code == 0
    empty = cli("db", "load", str(tmp_path / "one.jsonl"))
    assert empty.code == 2
    assert "candidates" in empty.err
