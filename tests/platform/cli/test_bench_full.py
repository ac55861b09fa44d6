"""``fermiloop bench … --full``: says what it takes, trains, and leaves a checkpoint that can be promoted."""

import json

import numpy as np
import pytest

from fermiloop.platform.bench.full import PLANS
from fermiloop.platform.cli.bench_full import SCALED


@pytest.fixture
def library(tmp_path, make_library):
    data = make_library(elements=("Al", "Ni", "Pd"), names=("A1", "B2", "L1_2"), every=1)
    energies = np.linspace(-10, 8, 361)
    lines = [
        json.dumps({
            "key": data.ids[i], "formula": s.composition.reduced_formula, "prototype": data.prototypes[i],
            "structure": s.as_dict(), "dos": np.interp(energies, data.grid.points, data.curves[i]).tolist(),
        })
        for i, s in enumerate(data.structures)
    ]  # fmt: skip
    path = tmp_path / "library.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_every_plan_has_a_command() -> None:
    assert set(SCALED) == set(PLANS)


def test_an_estimate_trains_nothing(cli, library, tmp_path) -> None:
    folder = tmp_path / "training"
    words = ("bench", "dos", "--full", "--estimate", "--library", str(library), "--to", str(folder), "--device", "cpu")
    found = cli(*words, "--json").json()
    assert [row["stage"] for row in found["rows"]] == ["paper", "preparation", "in all"]
    assert found["crystals"] == 12
    assert found["device"] == "cpu"
    assert not folder.exists()


def test_a_training_becomes_a_checkpoint_that_is_promoted(cli, database, library, tmp_path) -> None:
    words = ("bench", "dos", "--full", "--library", str(library), "--to", str(tmp_path / "training"))
    stopped = cli(*words, "--hours", "0")
    assert stopped.code != 0
    assert "the same command goes on" in stopped.err
    found = cli(*words, "--json").json()
    promoted = cli("generators", "promote", found["checkpoint"])
    assert found["checkpoint"] in promoted.out
    shown = cli("generators", "show", found["checkpoint"], "--json").json()
    assert shown["preset"] == "paper"
    assert shown["snapshot"].startswith("file-")


@pytest.mark.parametrize("words", [("--device", "cpu"), ("--hours", "1"), ("--estimate",), ("--to", "x")])
def test_options_of_full_alone_are_refused(cli, words) -> None:
    assert f"{words[0]} belongs to --full" in cli("bench", "ftcp", *words).err
