"""What the commands of benches share."""

import json
from pathlib import Path

import pytest

from fermiloop.platform.cli import bench_common
from fermiloop.platform.cli.bench_common import SEED_LIBRARY, crystals, one_form, tell
from fermiloop.platform.errors import InputError

RESULT = {"rows": [{"what": "share", "ours": 0.5, "note": None}], "source": "us", "data": {"n": 3}, "seconds": 1.2}


def test_the_file_asked_for_comes_first_and_a_quick_check_takes_what_ships(tmp_path, monkeypatch):
    beside, asked = tmp_path / "crystals.jsonl", tmp_path / "mine.jsonl"
    monkeypatch.setattr(bench_common, "BESIDE", beside)
    assert crystals(None, quick=False) == SEED_LIBRARY
    beside.touch()
    assert crystals(None, quick=False) == beside
    assert crystals(None, quick=True) == SEED_LIBRARY
    assert crystals(asked, quick=False) == crystals(asked, quick=True) == asked


def test_what_lies_beside_a_checkout_is_looked_for_beside_it():
    checkout = Path(__file__).resolve().parents[3]
    assert checkout.parent / "shared" / "data" / "mp_structures.jsonl.gz" == bench_common.BESIDE


def test_two_forms_of_one_answer_are_refused():
    one_form(as_json=True, as_markdown=False)
    one_form(as_json=False, as_markdown=True)
    with pytest.raises(InputError, match="exclude each other"):
        one_form(as_json=True, as_markdown=True)


def test_a_result_is_told_in_the_form_asked_for(capsys):
    tell("Shares", RESULT, as_json=True, as_markdown=False)
    assert json.loads(capsys.readouterr().out) == RESULT
    tell("Shares", RESULT, as_json=False, as_markdown=True)
    assert capsys.readouterr().out.startswith("| what |")
    tell("Shares", RESULT, as_json=False, as_markdown=False)
    said = capsys.readouterr().out
    assert "Published figures: us. Data: n 3. 1 s." in said
    assert "note" not in said  # no row says anything there
    tell("Shares", {"rows": [], "left_out": "no file"}, as_json=False, as_markdown=False)
    assert "left out. no file" in capsys.readouterr().out
