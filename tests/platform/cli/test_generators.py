"""Generators and their checkpoints from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fermiloop.platform.plugins.generators import GENERATORS


@pytest.fixture
def trained(database: str, tmp_path: Path) -> list[str]:
    """Two checkpoints of the composer."""
    from fermiloop.platform.store import checkpoints

    made = []
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        (folder / "weights.safetensors").write_bytes(bytes([seed]) * 8)
        about = {"config": {}, "metrics": {"held_out_top5": 0.5}, "history": [1.0], "snapshot": "snap-1", "seed": seed}
        made.append(checkpoints.save(folder, generator="dos_composer", preset="factorised", **about))
    return made


def test_list_names_every_generator(cli: Callable[..., Any], trained: list[str]) -> None:
    rows = {row["name"]: row for row in cli("generators", "list", "--json").json()}
    assert set(rows) == {*GENERATORS, "surrogate", "forward_dos", "property_ensemble"}
    assert rows["dos_composer"]["presets"] == ["paper", "regression", "factorised"]
    assert (rows["dos_composer"]["checkpoints"], rows["dos_composer"]["champion"]) == (2, [])


def test_promote_and_roll_back(cli: Callable[..., Any], trained: list[str]) -> None:
    def champion() -> list[str]:
        return cli("generators", "list", "--json").json()[0]["champion"]

    for checkpoint in trained:
        assert cli("generators", "promote", checkpoint).code == 0
        assert champion() == [checkpoint]
    assert trained[0] in cli("generators", "rollback", "dos_composer").out
    assert champion() == [trained[0]]


def test_show(cli: Callable[..., Any], trained: list[str]) -> None:
    assert {row["id"] for row in cli("generators", "show", "dos_composer", "--json").json()} == set(trained)
    one = cli("generators", "show", trained[1], "--json").json()
    assert (one["seed"], one["metrics"]) == (2, {"held_out_top5": 0.5})
    assert "held_out_top5 0.5" in cli("generators", "show", trained[1]).out


def test_train_keeps_a_challenger_with_its_snapshot(cli: Callable[..., Any], database: str, dos_library: Any) -> None:
    from fermiloop.flows.rounds.learnable import is_held_out
    from fermiloop.platform.store import materials, methods, snapshots, spectra
    from fermiloop.schemas.vocabulary import Origin

    method = methods.save("gpaw", "PBE", {}, {"gpaw": "26.7"})
    rows = zip(dos_library.ids, dos_library.structures, dos_library.prototypes, dos_library.curves, strict=True)
    for key, structure, prototype, curve in rows:
        source = {"name": "test", "key": key, "licence": "MIT"}
        material = materials.save(structure, origin=Origin.IMPORT, source=source, prototype=prototype)
        spectra.save(material, dos_library.grid.points, curve, method=method)
    trained = cli("generators", "train", "random_pick", "--seed", "3", "--json").json()
    assert (trained["generator"], trained["state"], trained["seed"]) == ("random_pick", "challenger", 3)
    learned = snapshots.ids(trained["snapshot"])
    assert not any(is_held_out(key) for key in learned)
    assert 0.7 * materials.count() < len(learned) < materials.count()
    assert cli("generators", "train", "random_pick", "--seed", "3", "--json").json()["id"] == trained["id"]
