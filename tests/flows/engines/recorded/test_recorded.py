"""Answers of a file in the place of calculations."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore

from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.steps import isolation
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.engines import ENGINES
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.testing.engines import check_engine

ENTRY = code_of("recorded")
SALT, OTHER = PROTOTYPES["B1"].build("Na", "Cl", 22.0), PROTOTYPES["B1"].build("K", "Cl", 28.0)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    energies = np.linspace(-8.0, 8.0, 65)
    rows = [
        {"key": "salt", "structure": (SALT * [2, 1, 1]).as_dict(), "energy": -14.0, "gap": 5.0, "nelectrons": 16.0,
         "dos": np.where(energies < -2.5, 3.0, 0.0).tolist(), "energies": energies.tolist()},
        {"key": "bare", "structure": OTHER.as_dict()},
    ]  # fmt: skip
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return {"file": str(path)}


def test_the_answer_is_that_of_the_file_and_costs_nothing(settings: dict[str, str]) -> None:
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    flow = ENTRY.flow("calc-x", SALT, settings, 10.0)
    run_locally(flow, store=store, log=False, create_folders=False, ensure_success=True)
    found = ENTRY.results({name: ref.resolve(store) for name, ref in flow.output.items()})
    assert (found.energy_per_atom, found.gap, found.n_electrons, len(found.structure)) == (-3.5, 5.0, 16.0, 4)
    assert found.density is not None
    assert len(found.density) == 65
    assert isolation.core_seconds("calc-x") == 0


def test_it_does_what_campaigns_ask_of_an_engine(settings: dict[str, str]) -> None:
    check_engine(ENGINES["recorded"], [SALT, OTHER], settings)


def test_what_the_file_does_not_hold_is_refused(settings: dict[str, str]) -> None:
    assert ENTRY.refuses(SALT, settings) is None
    assert ENTRY.refuses(PROTOTYPES["B2"].build("Na", "Cl", 22.0), settings) == "its file holds no such crystal"
    assert ENTRY.refuses(OTHER, settings) == "its file holds bare without an energy"


def test_a_calculation_without_an_answer_fails_with_the_reason(settings: dict[str, str]) -> None:
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    run_locally(ENTRY.flow("calc-y", OTHER, settings, 10.0), store=store, log=False, create_folders=False)
    failure = isolation.read_failure("calc-y")
    assert failure is not None
    assert "no answer is recorded for KCl" in failure.reason


def test_another_content_is_another_method(settings: dict[str, str]) -> None:
    first = ENTRY.method(settings)
    assert first == ENTRY.method(settings)
    path = Path(settings["file"])
    path.write_text(path.read_text(encoding="utf-8").replace("-14.0", "-15.0"), encoding="utf-8")
    os.utime(path, (1e9, 1e9))  # the file system may not tell two writes of one moment apart
    assert ENTRY.method(settings).settings != first.settings


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        ENTRY.method({"file": str(tmp_path / "none.jsonl")})
    for settings in ({}, {"file": ""}):
        with pytest.raises(InputError, match="answers from a file; name it by its setting file"):
            ENTRY.method(settings)
