"""The campaign file: every mistake in one sentence that names the thing."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from fermiloop.platform.campaign.spec import CampaignSpec, load_spec, parse_spec
from fermiloop.platform.errors import SpecError
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.schemas.vocabulary import Alignment

EXAMPLES = Path(__file__).parents[3] / "examples"
GOOD: dict[str, Any] = yaml.safe_load((EXAMPLES / "pd-like.yaml").read_text())
CURVE = {"energies": [-8, 0, 8], "values": [1, 2, 1]}
WINDOWS = {"properties": [{"name": "band_gap", "value": 1, "tolerance": 0.1}]}
DROP = object()

# key path, value put there, what the sentence must name
CASES: list[tuple[str, Any, str]] = [
    ("name", DROP, "name is missing"),
    ("name", "Pd Like", "Pd Like"),
    ("name", "-pd", "-pd"),
    ("name", "x" * 64, "63"),
    ("name", 5, "name is 5"),
    ("nmae", "x", "did you mean name?"),
    ("target", DROP, "target is missing"),
    ("target", "Pd", "mapping"),
    ("target", {}, "nothing to look for"),
    ("target.dos", {}, "target.dos must name one"),
    ("target.dos", {"material": "Pd", "file": "a.csv"}, "only one"),
    ("target.dos", {"materials": "Pd"}, "did you mean material?"),
    ("target.dos", {"file": "nowhere.csv"}, "nowhere.csv"),
    ("target.dos", {"energies": [-8, 8]}, "target.dos.values is missing"),
    ("target.dos", {**CURVE, "values": [1, float("nan"), 1]}, "values[1] is nan"),
    ("target.dos", {**CURVE, "energies": [-8, float("inf"), 8]}, "energies[1] is inf"),
    ("target.dos", {**CURVE, "energies": [-8, -9, 8]}, "must rise"),
    ("target.dos", {**CURVE, "energies": [-5, 0, 8]}, "-7.5 to 7.5"),
    ("target.dos", {**CURVE, "values": [1, 2]}, "as many"),
    ("target.dos", {**CURVE, "values": [1, -2, 1]}, "negative"),
    ("target.dos", {**CURVE, "values": [0, 0, 0]}, "all 0"),
    ("target.dos", {**CURVE, "values": [1, "two", 1]}, "'two'"),
    ("target.hit_similarity", 1.5, "at most 1"),
    ("target.hit_similarity", 0, "greater than 0"),
    ("target.hit_similarity", float("nan"), "finite"),
    ("target.exclude", ["Qq"], "Qq"),
    ("target.exclude", "Pd", "list"),
    ("target.properties", [{"name": "bandgap", "value": 1, "tolerance": 0.1}], "did you mean band_gap?"),
    ("target.properties", [{"name": "band_gap", "value": 1, "tolerance": 0}], "tolerance"),
    ("target.properties", [{"name": "band_gap", "value": 1}], "tolerance is missing"),
    ("space.elements", ["Al", "Pq"], "Pq"),
    ("space.elements", ["Al", "al"], "did you mean Al?"),
    ("space.elements", ["Al", "Al"], "Al twice"),
    ("space.elements", ["Sr0.5Ba0.5", "O"], "only ordered crystals are searched; list its elements"),
    ("space.elements", ["CU"], "did you mean Cu?"),
    ("space.elements", [], "at least 1"),
    ("space.elements", ["Al", True], "true"),
    ("space.components", [0, 2], "[0, 2]"),
    ("space.components", [2, 7], "1 to 6"),
    ("space.components", [2, 1], "rise"),
    ("space.components", [1, 5], "dos_composer"),
    ("space.components", [1], "space.components"),
    ("space.components", [1, 2.5], "whole number"),
    ("space.crystal_systems", ["cubik"], "did you mean cubic?"),
    ("space.max_sites", 0, "at least 1"),
    ("space.max_sites", 61, "at most 60"),
    ("generators", [], "at least 1"),
    ("generators", [{"name": "dos_compser", "proposals": 3}], "did you mean dos_composer?"),
    ("generators", [{"name": "dos_composer", "preset": "papr", "proposals": 3}], "did you mean paper?"),
    ("generators", [{"name": "substitution", "preset": "paper", "proposals": 3}], "no preset"),
    ("generators", [{"name": "substitution"}], "generators[0].proposals is missing"),
    ("generators", [{"name": "substitution", "proposals": 0}], "generators[0].proposals is 0"),
    ("generators", [{"name": "substitution", "proposals": 1}, {"name": "substitution", "proposals": 2}], "second time"),
    ("generators", [{"name": "substitution", "proposals": 1, "options": {"x": float("inf")}}], "inf"),
    ("funnel.stages", ["geometry", "composition"], "order"),
    ("funnel.stages", ["hul"], "did you mean hull?"),
    ("funnel.stages", ["hull"], "relaxation"),
    ("funnel.options", {"relaxation": {"pressure": 5}}, "at zero pressure"),
    ("funnel.options", {"relaxation": {"pressure": -5}}, "0 to 500 GPa"),
    ("funnel.potential", "chgnett", "did you mean chgnet?"),
    ("funnel.max_energy_above_hull", -0.1, "-0.1"),
    ("acquisition.name", "expected_improvment", "did you mean expected_improvement?"),
    ("acquisition.diversity", 2, "at most 1"),
    ("surrogate", {"name": "blends"}, "did you mean blend?"),
    ("surrogate", {"options": {"curve": "spline"}}, "curve of a surrogate must be model or labels"),
    ("engine.name", "gpaww", "did you mean gpaw?"),
    ("engine.name", "chgnet", "no density of states"),
    ("engine.time_limit", 0, "engine.time_limit"),
    ("engine.time_limit", "900", "must be a number"),
    ("engine.settings", [1], "mapping"),
    ("budget", DROP, "budget is missing"),
    ("budget.rounds", 0, "at least 1"),
    ("budget.evaluations", -4, "-4"),
    ("budget.per_round", 5, "budget.evaluations, 4"),
    ("budget.core_hours", 0, "greater than 0"),
    ("budget.core_hour", 2, "did you mean core_hours?"),
    ("retrain.min_new_labels", 1.5, "whole number"),
    ("stop", {"hits": 0}, "stop.hits"),
    ("seed", -1, "seed is -1"),
    ("seed", "seven", "'seven'"),
    ("target", WINDOWS, "dos_composer"),
]


def changed(path: str, value: Any, text: str | None = None) -> str:
    tree = copy.deepcopy(GOOD) if text is None else yaml.safe_load(text)
    *above, last = path.split(".")
    place = tree
    for key in above:
        place = place[key]
    if value is DROP:
        del place[last]
    else:
        place[last] = value
    return yaml.safe_dump(tree)


def one_sentence(message: str) -> bool:
    return "\n" not in message and message.endswith((".", "?")) and not re.search(r"[.?!] [A-Z]", message)


@pytest.mark.parametrize(("path", "value", "named"), CASES)
def test_a_mistake_is_one_sentence(path: str, value: Any, named: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(changed(path, value), source="pd.yaml")
    message = str(caught.value)
    assert named in message
    assert message.startswith("pd.yaml")
    assert one_sentence(message), message


TEXTS = [
    ("", "is empty"),
    ("# nothing\n", "is empty"),
    ("- a\n- b\n", "a list"),
    ("pd-like", "'pd-like'"),
    ("name: [x\nseed: 1\n", "line 2"),
    ("a: 1\na: 2\n", "'a' stands twice"),
    ("a: &x [1]\nb: *x\n", "aliases"),
    ("a: !!python/object/apply:os.system [ls]\n", "line 1"),
    ("\tname: x\n", "line 1"),
    ("[" * 3000, "YAML"),
    ("? [a]\n: 1\n", "YAML"),
]


@pytest.mark.parametrize(("text", "named"), TEXTS)
def test_broken_text_is_one_sentence(text: str, named: str) -> None:
    if text.startswith("[["):
        named = ""
    with pytest.raises(SpecError) as caught:
        parse_spec(text, source="pd.yaml")
    assert named in str(caught.value)
    assert one_sentence(str(caught.value)), str(caught.value)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"\x89PNG\r\n\x1a\n\xff", "UTF-8"),
        (b"name: \0", "binary"),
        (b"#" * 1_000_001, "1000001"),
        (None, "no campaign"),
    ],
)
def test_a_file_that_is_no_campaign(content: bytes | None, named: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpecError, match=named):
        load_spec(path)
    with pytest.raises(SpecError, match="folder"):
        load_spec(tmp_path)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_examples_hold_and_come_back_from_their_dictionary(path: Path) -> None:
    spec = load_spec(path)
    assert spec.name == path.stem
    assert CampaignSpec.model_validate(spec.as_dict()) == spec


def test_a_curve_file_is_read_into_the_campaign(tmp_path: Path) -> None:
    (tmp_path / "pd.csv").write_text("".join(f"{x},{9 - abs(x)}\n" for x in range(-8, 9)))
    (tmp_path / "c.yaml").write_text(changed("target.dos", {"file": "pd.csv"}))
    target = load_spec(tmp_path / "c.yaml").target
    assert target.dos is not None
    assert target.dos.energies == tuple(range(-8, 9))
    assert target.dos.gap == 0
    assert "names no Fermi level" in target.told(Alignment.MIDGAP)[0]
    curve = target.unit_curve()
    assert curve is not None
    assert curve.sum() * 0.1 == pytest.approx(1, abs=0.02)


def test_a_curve_file_that_is_too_coarse_says_the_largest_step(tmp_path: Path) -> None:
    (tmp_path / "pd.csv").write_text("-8,1\n0,2\n8,1\n")
    (tmp_path / "c.yaml").write_text(changed("target.dos", {"file": "pd.csv"}))
    with pytest.raises(SpecError, match="8 eV apart, but the largest step allowed is 1 eV"):
        load_spec(tmp_path / "c.yaml")


EDGE = {"energies": [-6.5, *range(-6, 2)], "values": [1, 2, 4, 3, 5, 2, 4, 3, 1]}


def test_a_window_lets_a_curve_cover_less() -> None:
    text = changed("target.dos", EDGE)
    with pytest.raises(SpecError, match=r"-7\.5 to 7\.5"):
        parse_spec(text)
    target = parse_spec(changed("target.window", [-6.0, 1.0], text)).target
    curve = target.unit_curve()
    assert curve is not None
    assert np.flatnonzero(curve).tolist() == list(range(15, 86))
    assert curve[15:86].sum() * 0.1 == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ([-7, 1], "-7 to 1"),
        ([1, -6], "backwards"),
        ([-9, 1], "leaves"),
        ([0, 0.2], "at least 5"),
        ([0], "two numbers"),
        ("all", "a list"),
        ([-6, float("nan")], "finite"),
    ],
)
def test_windows_that_do_not_hold(window: object, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        parse_spec(changed("target.window", window, changed("target.dos", EDGE)))


def test_a_window_needs_a_density_of_states() -> None:
    with pytest.raises(SpecError, match=r"target\.dos is missing"):
        parse_spec(changed("target", {"xrd": {"material": "Al"}, "window": [-1, 1]}))


def test_an_insulators_curve_lies_about_the_middle_of_its_gap_or_its_valence_edge() -> None:
    x = np.round(np.arange(-10, 10.01, 0.05), 6)
    y = np.where((x <= 0) & (x > -5), 2.0, 0.0) + np.where(x > 2, 1.0, 0.0)  # zero at the valence edge, gap 2 eV
    target = parse_spec(changed("target.dos", {"energies": x.tolist(), "values": y.tolist()})).target
    middle, edge = target.unit_curve(), target.unit_curve(Alignment.VBM)
    assert middle is not None
    assert edge is not None
    assert DOS_GRID.points[np.flatnonzero(middle[:76])[-1]] == pytest.approx(-1.0, abs=0.11)
    assert DOS_GRID.points[np.flatnonzero(edge[:80])[-1]] == pytest.approx(0.0, abs=0.11)
    assert "moved by +1.0" in target.told(Alignment.MIDGAP)[0]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [(None, Alignment.VBM), ("midgap", Alignment.MIDGAP), ("fermi", Alignment.MIDGAP), ("vbm", Alignment.VBM)],
)
def test_the_file_says_what_lies_at_zero_or_leaves_it_to_the_store(
    asked: str | None, expected: Alignment, tmp_path: Path
) -> None:
    (tmp_path / "pd.csv").write_text("".join(f"{x},{9 - abs(x)}\n" for x in range(-8, 9)))
    (tmp_path / "c.yaml").write_text(changed("target.dos", {"file": "pd.csv", "alignment": asked}))
    spec = load_spec(tmp_path / "c.yaml")
    assert spec.target.alignment(Alignment.VBM) is expected
    assert CampaignSpec.stored(spec.as_dict()) == spec


def test_nitrogen_and_exponents_are_what_they_look_like() -> None:
    text = changed("space.elements", ["Ti"]).replace("- Ti", "- N\n  - Y\n  - No").replace("0.2", "2e-1")
    spec = parse_spec(text)
    assert spec.space.elements == ("N", "Y", "No")
    assert spec.funnel.max_energy_above_hull == 0.2
