"""Paths in a campaign file are found from where it lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fermiloop.platform.campaign.paths import anchored


def test_paths_of_pool_and_recorded_become_absolute_and_others_stay(tmp_path: Path):
    tree = {
        "generators": [
            {"name": "pool", "proposals": 3, "options": {"file": "a/x.jsonl"}},
            {"name": "pool", "proposals": 3, "options": {}},
            {"name": "ftcp", "proposals": 3, "options": {"file": "x"}},
        ],
        "engine": {"name": "recorded", "settings": {"file": str(tmp_path / "y.jsonl")}},
    }
    found = anchored(tree, tmp_path)
    assert found["generators"][0]["options"]["file"] == str(tmp_path / "a" / "x.jsonl")
    assert found["generators"][1:] == tree["generators"][1:]
    assert found["engine"] == tree["engine"]
    assert tree["generators"][0]["options"] == {"file": "a/x.jsonl"}  # the tree that was given is left as it is


@pytest.mark.parametrize(
    "tree", [3, {"generators": 3, "engine": None}, {"generators": [None, {"name": "pool", "options": 3}]}]
)
def test_what_is_no_campaign_is_left_to_the_checks(tree: Any, tmp_path: Path):
    assert anchored(tree, tmp_path) == tree


def test_files_that_a_command_names_become_absolute_and_other_words_stay(tmp_path: Path):
    (tmp_path / "propose.py").write_text("")
    (tmp_path / "python3").write_text("")
    words = ["python3", "propose.py", "--seed", "", 3, "x" * 5000, "/etc/hostname", "missing.py"]
    tree = {"generators": [{"name": "command", "options": {"sample": words, "fit": ["./propose.py"], "version": 3}}]}
    options = anchored(tree, tmp_path)["generators"][0]["options"]
    assert options["sample"] == ["python3", str(tmp_path / "propose.py"), *words[2:]]
    assert options["fit"] == [str(tmp_path / "propose.py")]
    assert options["version"] == 3
    for strange in ({"name": "command"}, {"name": "command", "options": None}):
        assert anchored({"generators": [strange]}, tmp_path) == {"generators": [strange]}
