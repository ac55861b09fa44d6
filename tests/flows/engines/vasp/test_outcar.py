"""Cores and end of a run, in the wordings of VASP's versions."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from fermiloop.flows.engines.vasp.outcar import cores, is_whole, was_stopped

SHARED = Path(__file__).parents[4] / ".." / "shared"
BEFORE = "".join(f" Initialising GPU {n} of a launcher that says much\n" for n in range(300))


@pytest.mark.parametrize(
    ("line", "n"),
    [
        (" running on    8 nodes", 8),  # 4.6, 5.2
        (" running on    4 total cores", 4),  # 5.3 to 6.1
        (" running on 4096 total cores", 4096),
        (" running   64 mpi-ranks, with    1 threads/rank", 64),  # 6.2 and later
        (" running 64 mpi-ranks, with 1 threads/rank", 64),
        (" running   16 mpi-ranks, with    4 threads/rank, on    1 nodes", 64),  # 6.4
        (" running  256 mpi-ranks, with    1 threads/rank, on    4 nodes", 256),
        (" running    4 mpi-ranks, with   18 threads/rank, on    1 nodes", 72),  # OpenACC, OpenMP
        ("running 2 MPI-ranks, with 8 threads/rank", 16),
        (" serial version", 1),
        (" executed on             LinuxIFC date 2021.10.28  14:46:07", 1),
        (" it was running on 99 total cores, they say", 1),
        ("", 1),
    ],
)
@pytest.mark.parametrize("before", ["", BEFORE], ids=["first", "after other lines"])
@pytest.mark.parametrize("packed", [False, True])
def test_cores_are_ranks_times_threads(line: str, n: int, before: str, *, packed: bool, tmp_path: Path) -> None:
    text = f"{before} vasp.6.4.2 20Jul23 (build) complex\n\n{line}\n distrk:  each k-point on   64 cores,    1 groups\n"
    if packed:
        (tmp_path / "OUTCAR.gz").write_bytes(gzip.compress(text.encode()))
    else:
        (tmp_path / "OUTCAR").write_text(text)
    assert cores(tmp_path) == n


def test_without_a_readable_outcar_it_is_one_core(tmp_path: Path) -> None:
    assert cores(tmp_path) == 1
    (tmp_path / "OUTCAR.gz").write_bytes(gzip.compress(b" running on    4 total cores\n" * 99)[:30])
    assert cores(tmp_path) == 1


@pytest.mark.skipif(not SHARED.is_dir(), reason="the genuine outputs of VASP (../shared) are not here")
def test_cores_of_genuine_runs() -> None:
    assert cores(SHARED / "vasp" / "Fe") == 64
    assert cores(SHARED / "vasp" / "Si" / "scf") == 4
    assert cores(SHARED / "cases" / "outcar") == 96  # 48 ranks of two threads
    assert is_whole(SHARED / "vasp" / "Fe")
    assert is_whole(SHARED / "vasp" / "Si" / "dos")


def test_a_run_is_whole_when_both_files_came_to_their_end(tmp_path: Path) -> None:
    assert not is_whole(tmp_path)
    (tmp_path / "OUTCAR").write_text("...\n General timing and accounting informations for this job:\n")
    assert not is_whole(tmp_path)
    (tmp_path / "vasprun.xml").write_text("<modeling>\n</mod")
    assert not is_whole(tmp_path)
    (tmp_path / "vasprun.xml").write_text("<modeling>\n</modeling>\n")
    assert is_whole(tmp_path)


@pytest.mark.parametrize(
    ("text", "relaxation", "static"),
    [
        (" reached required accuracy - stopping structural energy minimisation\n", False, False),
        (" soft stop encountered!  aborting job ...\n", True, False),
        (" reached required accuracy - ...\n soft stop encountered!  aborting job ...\n", False, False),
        (" hard stop encountered!  aborting job ...\n", True, True),
        ("", False, False),
    ],
)
def test_a_run_that_a_stopcar_ended_is_told_from_one_that_converged(
    text: str, relaxation: bool, static: bool, tmp_path: Path
) -> None:
    (tmp_path / "OUTCAR").write_text(text)
    assert was_stopped(tmp_path, relaxes=True) is relaxation
    assert was_stopped(tmp_path, relaxes=False) is static
