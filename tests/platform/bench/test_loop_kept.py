"""Runs kept in a file: a bench goes on, whatever it was stopped in."""

import json

import pytest

from fermiloop.platform.bench.loop_kept import Kept
from fermiloop.platform.errors import InputError


def test_runs_are_found_again(tmp_path):
    path = tmp_path / "runs.jsonl"
    Kept(path).put("one", {"strategy": "default"}, ["a", "b"])
    Kept(path).put("two", {}, ["c"])
    again = Kept(path)
    assert (again.get("one"), again.get("two"), again.get("three")) == (["a", "b"], ["c"], None)
    assert json.loads(path.read_text().splitlines()[0])["strategy"] == "default"


def test_without_a_file_runs_are_kept_in_memory():
    kept = Kept(None)
    kept.put("one", {}, ["a"])
    assert kept.get("one") == ["a"]


def test_a_line_that_was_cut_off_is_made_again(tmp_path):
    path = tmp_path / "runs.jsonl"
    Kept(path).put("one", {}, ["a"])
    path.write_text(path.read_text() + '{"run": "two", "ask')
    kept = Kept(path)
    assert kept.get("two") is None
    kept.put("two", {}, ["b"])
    assert (Kept(path).get("one"), Kept(path).get("two")) == (["a"], ["b"])


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no run\nnor this\n")
    with pytest.raises(InputError, match=r"Line 1 of .*no run of this bench"):
        Kept(path)
    assert path.read_text() == "no run\nnor this\n"


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        Kept(tmp_path / "nowhere" / "runs.jsonl").put("one", {}, [])
