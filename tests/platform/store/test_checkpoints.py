"""Checkpoints come back as they were saved or not at all; champions follow one another and step back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mongoengine import get_db

from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.store import checkpoints, snapshots
from fermiloop.platform.store.checkpoints import BUCKET
from fermiloop.schemas.checkpoint import Checkpoint
from fermiloop.schemas.vocabulary import CheckpointState

ABOUT = {
    "preset": "paper", "config": {"width": 64}, "metrics": {"top1": 0.9}, "history": [2.0, 1.0], "snapshot": "snap-1",
}  # fmt: skip


@pytest.fixture
def save(database, tmp_path):
    """Saver of a checkpoint of the given weights: its id."""

    def make(weights: bytes = b"weights", generator: str = "dos_composer", seed: int = 1, **about: str) -> str:
        folder = tmp_path / f"made-{seed}"
        folder.mkdir(exist_ok=True)
        (folder / "weights.safetensors").write_bytes(weights)
        (folder / "config.json").write_text('{"width": 64}')
        (folder / ".lock").write_text("not of it")
        return checkpoints.save(folder, generator=generator, seed=seed, **ABOUT | about)

    return make


@pytest.fixture
def target(tmp_path) -> Path:
    """An empty folder to fetch into."""
    folder = tmp_path / "fetched"
    folder.mkdir()
    return folder


def state_of(checkpoint: str) -> CheckpointState:
    return checkpoints.get(checkpoint).state


def test_files_come_back(save, target):
    weights = np.random.default_rng(0).bytes(1_000_000)  # several chunks
    made = save(weights)
    checkpoints.fetch(made, target)
    assert {path.name for path in target.iterdir()} == {"weights.safetensors", "config.json"}
    assert (target / "weights.safetensors").read_bytes() == weights
    kept = checkpoints.get(made)
    assert (kept.generator, kept.preset, kept.snapshot, kept.seed) == ("dos_composer", "paper", "snap-1", 1)
    assert (kept.metrics, list(kept.history), kept.state) == ({"top1": 0.9}, [2.0, 1.0], CheckpointState.CHALLENGER)


def test_the_same_is_saved_once_and_files_are_shared(save):
    assert save() == save()
    assert Checkpoint.objects.count() == 1
    save(seed=2)
    assert Checkpoint.objects.count() == 2
    assert get_db()[f"{BUCKET}.files"].count_documents({}) == 2


def test_other_weights_are_another_checkpoint(save):
    assert len({save(b"a"), save(b"b"), save(b"b", generator="substitution")}) == 3


def test_an_empty_folder_is_no_checkpoint(database, tmp_path):
    with pytest.raises(InputError, match="no checkpoint files"):
        checkpoints.save(tmp_path, generator="dos_composer", seed=1, **ABOUT)


def damage_a_chunk() -> None:
    get_db()[f"{BUCKET}.chunks"].update_one({}, {"$set": {"data": b"x" * 7}})


def cut_all_chunks() -> None:
    get_db()[f"{BUCKET}.chunks"].delete_many({})


def lose_files() -> None:
    get_db()[f"{BUCKET}.files"].delete_many({})


@pytest.mark.parametrize(
    ("harm", "error", "reason"),
    [
        (damage_a_chunk, InputError, "is damaged; retrain it"),
        (cut_all_chunks, InputError, "is damaged; retrain it"),
        (lose_files, NotFoundError, "lost its file"),
    ],
)
def test_what_is_damaged_is_told_and_nothing_is_written(save, target, harm, error, reason):
    made = save()
    harm()
    with pytest.raises(error, match=reason):
        checkpoints.fetch(made, target)
    assert list(target.iterdir()) == []


def test_what_is_not_there(database, target):
    for call in (checkpoints.get, lambda key: checkpoints.fetch(key, target), checkpoints.promote):
        with pytest.raises(NotFoundError, match="ckpt-none"):
            call("ckpt-none")


def test_one_champion_at_a_time(save):
    first, second, other = save(seed=1), save(seed=2), save(generator="substitution")
    assert checkpoints.champion("dos_composer") is None
    checkpoints.promote(other)
    for made in (first, second):
        assert checkpoints.promote(made).state is CheckpointState.CHAMPION
        assert checkpoints.champion("dos_composer").id == made
    assert (state_of(first), state_of(second)) == (CheckpointState.RETIRED, CheckpointState.CHAMPION)
    assert checkpoints.champion("substitution").id == other
    checkpoints.promote(first)
    assert (state_of(first), state_of(second)) == (CheckpointState.CHAMPION, CheckpointState.RETIRED)


def test_each_method_has_a_champion_of_its_own(save):
    snaps = {method: snapshots.freeze((), query={}, split_seed=0, method=method) for method in ("soft", "hard")}
    soft, newer = (save(seed=seed, snapshot=snaps["soft"]) for seed in (1, 2))
    hard = save(seed=3, snapshot=snaps["hard"])
    older = save(seed=4, snapshot=snaps["hard"])
    for made in (older, soft, hard, newer):
        checkpoints.promote(made)
    assert checkpoints.champion("dos_composer", "soft").id == newer
    assert checkpoints.champion("dos_composer", "hard").id == hard
    assert checkpoints.champion("dos_composer").id == newer
    assert checkpoints.champion("dos_composer", "another") is None
    assert checkpoints.rollback("dos_composer").id == soft
    with pytest.raises(NotFoundError, match="no earlier champion"):
        checkpoints.rollback("dos_composer")  # not that of another Method, which is now the newest in use
    assert checkpoints.champion("dos_composer", "soft").id == soft
    assert checkpoints.champion("dos_composer", "hard").id == hard


def test_roll_back_goes_back_step_by_step(save):
    made = [save(seed=seed) for seed in (1, 2, 3)]
    for checkpoint in (made[1], made[0], made[2]):  # not in the order in which they were trained
        checkpoints.promote(checkpoint)
    for expected in (made[0], made[1]):
        assert checkpoints.rollback("dos_composer").id == expected
        assert checkpoints.champion("dos_composer").id == expected
    with pytest.raises(NotFoundError, match="no earlier champion"):
        checkpoints.rollback("dos_composer")
    assert checkpoints.champion("dos_composer").id == made[1]


def test_find_newest_first(save):
    made = [save(seed=seed) for seed in (1, 2, 3)]
    save(generator="substitution")
    assert [c.id for c in checkpoints.find("dos_composer")] == made[::-1]
    assert len(checkpoints.find()) == 4
    assert len(checkpoints.find(limit=2)) == 2
