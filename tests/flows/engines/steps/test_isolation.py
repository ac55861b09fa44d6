"""Children for real: they finish, fail, crash, run out of time, and are never paid twice."""

import errno
import json
import time

import numpy as np
import pytest
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from pymatgen.core import Lattice, Structure

from fermiloop.flows.engines.gpaw.dft import band_edges
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.steps import isolation
from fermiloop.platform.errors import EngineError, InputError
from fermiloop.platform.settings import settings

AL = Structure(Lattice.cubic(4.05), ["Al"] * 4, [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("FERMILOOP_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def task(**more):
    return {"kind": "analytic_relax", "structure": AL.as_dict(), "fmax": 0.05, "steps": 200, **more}


def test_finished_output_is_adopted_and_not_paid_twice():
    first = isolation.run("calc-a", "relax", task(), 60)
    paid = isolation.core_seconds("calc-a")
    assert isolation.run("calc-a", "relax", task(), 60) == first
    assert paid > 0
    assert isolation.core_seconds("calc-a") == paid
    assert isolation.attempts("calc-a") == 1


@pytest.mark.parametrize(
    ("more", "limit", "words"),
    [
        ({"fail": "raise"}, 60, "asked to fail"),
        ({"fail": "crash"}, 60, "SIGABRT"),
        ({"sleep": 60}, 6, "ran out of its 6 s"),
    ],
)
def test_reason_of_a_failure_is_kept(more, limit, words):
    began = time.monotonic()
    with pytest.raises(EngineError, match=words):
        isolation.run("calc-b", "relax", task(**more), limit)
    assert time.monotonic() - began < 40
    failure = isolation.read_failure("calc-b")
    assert failure is not None
    assert words in failure.reason
    log = isolation.failure_logs("calc-b")["relax"]
    assert words in log
    assert ("Traceback" in log) is ("fail" in more and more["fail"] == "raise")
    assert isolation.attempts("calc-b") == 1


def test_full_disk_is_one_sentence_and_leaves_nothing(monkeypatch, data_dir):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(isolation.os, "fsync", full)
    with pytest.raises(EngineError, match="is full"):
        isolation.run("calc-c", "relax", task(), 60)
    assert list((data_dir / "calculations" / "calc-c" / "relax").iterdir()) == []


def test_two_that_write_one_file_at_a_time_leave_it_whole(monkeypatch, tmp_path):
    path, flush = tmp_path / "molecule.json", isolation.os.fsync

    def meanwhile(descriptor):
        monkeypatch.setattr(isolation.os, "fsync", flush)
        isolation.write_atomically(path, "of another process")
        flush(descriptor)

    monkeypatch.setattr(isolation.os, "fsync", meanwhile)
    isolation.write_atomically(path, "of this one")
    assert path.read_text() == "of this one"
    assert list(tmp_path.iterdir()) == [path]


def test_analytic_engine_runs_its_flow_with_a_curve():
    engine = code_of("analytic")
    flow = engine.flow("calc-d", AL, {}, 60.0)
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    run_locally(flow, store=store, ensure_success=True, log=False)
    outputs = {"static": store.get_output(flow.jobs[-1].uuid, load=True)}
    found = engine.results(outputs)
    assert found.energies.shape == found.density.shape == (361,)
    assert np.isfinite(found.energy_per_atom)
    json.dumps(found.density.tolist())


def test_unknown_setting_names_the_nearest():
    with pytest.raises(InputError, match="cutoff"):
        code_of("gpaw").method({"cutof": 400})


class Levels:
    """A calculator of given levels: (n_spins, n_kpoints, n_bands) eV, Fermi level at zero."""

    def __init__(self, levels):
        self.levels = np.array(levels, dtype=float)

    def get_fermi_level(self):
        return 0.0

    def get_number_of_spins(self):
        return len(self.levels)

    def get_ibz_k_points(self):
        return self.levels[0]

    def get_eigenvalues(self, kpt, spin):
        return self.levels[spin][kpt]


@pytest.mark.parametrize(
    ("levels", "gap"),
    [
        ([[[-2, 1], [-1, 2]]], 2.0),
        ([[[-2, 1], [-1, -0.5]]], 0.0),
        ([[[-2, 1], [-1, -0.5]], [[-2, 1], [-1, 2]]], 0.0),
        ([[[-2, -1], [-2, -1]], [[1, 2], [1, 2]]], 2.0),
    ],
    ids=["insulator", "metal", "one spin crosses", "polarised insulator"],
)
def test_gap(levels, gap):
    levels = [[sorted(k) for k in spin] for spin in levels]
    assert band_edges(Levels(levels)).gap == pytest.approx(gap)
