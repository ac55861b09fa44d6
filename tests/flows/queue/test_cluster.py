"""Jobs for a scheduler, which is a stand-in that keeps what it is given."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from fermiloop.flows.queue import cluster as queues
from fermiloop.flows.queue.cluster import QueueJob
from fermiloop.platform.errors import FailureError, InputError
from fermiloop.platform.settings import settings

# FireWorks leaves the pipes of the scheduler's command to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

SUBMIT = """#!{python}
import os, pathlib, sys
if "FERMILOOP_MONGODB_URI" in os.environ: sys.exit("the address is in the environment")
if (pathlib.Path({folder!r}) / "refuse").exists():
    sys.exit("sbatch: error: invalid partition specified: nowhere")
kept = pathlib.Path({folder!r}) / "jobs"
kept.mkdir(exist_ok=True)
number = 1000 + len(list(kept.iterdir()))
(kept / str(number)).write_text(pathlib.Path(sys.argv[-1]).read_text())
print({answer!r}.format(number))
"""
STATUS = """#!{python}
import os, pathlib, sys
kept = pathlib.Path({folder!r}) / "jobs"
jobs = sorted(kept.iterdir()) if kept.exists() else []
if {header!r}: print({header!r})
for job in jobs: print({row!r}.format(job.name, user=sys.argv[sys.argv.index("-u") + 1]))
"""
PBS_HEADER = "Job ID Username Queue Jobname SessID NDS TSK Memory Time S Time"
KINDS = {
    "slurm": ("sbatch", "squeue", "Submitted batch job {}", "", "{user}"),
    "pbs": ("qsub", "qstat", "{}.server", PBS_HEADER, "{0} {user} long fermiloop 1 1 1 -- 24:00 R 00:01"),
    "sge": ("qsub", "qstat", 'Your job {} ("fermiloop") has been submitted', "", "{0} 0.5 fermiloop {user} r"),
}


@pytest.fixture
def cluster(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Maker of a stand-in for one scheduler; the folder of what it was given."""

    def make(queue: str) -> Path:
        submit, status, answer, header, row = KINDS[queue]
        folder = tmp_path / queue
        folder.mkdir()
        values = {"python": sys.executable, "folder": str(folder), "answer": answer, "header": header, "row": row}
        for name, text in ((submit, SUBMIT), (status, STATUS)):
            (folder / name).write_text(text.format(**values))
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
        return folder

    return make


def jobs(folder: Path) -> list[str]:
    """Scripts that the stand-in was given."""
    kept = folder / "jobs"
    return [path.read_text() for path in sorted(kept.iterdir())] if kept.exists() else []


def test_a_slurm_job_runs_workers_in_place_of_its_shell(cluster: Any) -> None:
    folder = cluster("slurm")
    asked = QueueJob("slurm", 4, nodes=2, tasks_per_node=48, walltime="24:00:00", account="chem", partition="long",
                     setup=("module load vasp/6.4.3",))  # fmt: skip
    assert queues.submit(asked) == ["1000"]
    (script,) = jobs(folder)
    lines = script.splitlines()
    for line in ("--nodes=2", "--ntasks-per-node=48", "--time=24:00:00", "--account=chem", "--partition=long",
                 "--job-name=fermiloop", "--signal=B:TERM@120"):  # fmt: skip
        assert f"#SBATCH {line}" in lines
    assert lines.index(f". {queues.queue_folder() / 'environment'}") < lines.index("module load vasp/6.4.3")
    assert f"exec {sys.executable} -m fermiloop.platform.cli.main worker run -n 4 --until-idle" in lines


def test_the_address_of_the_database_is_in_a_file_of_its_owner_only(cluster: Any) -> None:
    folder = cluster("slurm")
    secret = str(settings().mongodb_uri)
    queues.submit(QueueJob("slurm"))
    assert secret not in jobs(folder)[0]
    assert os.environ["FERMILOOP_MONGODB_URI"] == secret
    place = queues.queue_folder()
    path = place / queues.ENVIRONMENT
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    others = [file for file in place.rglob("*") if file.is_file() and file != path]
    assert len(others) >= 3
    assert not any(secret in file.read_text() for file in others)
    shown = subprocess.run(
        ["/bin/bash", "-c", f". {path}; echo $FERMILOOP_MONGODB_URI; echo $FERMILOOP_DATA_DIR"],
        env={}, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert shown == [secret, str(settings().data_dir.absolute())]


@pytest.mark.parametrize("queue", KINDS)
def test_no_more_jobs_than_the_bound_are_in_the_queue(cluster: Any, queue: str) -> None:
    folder = cluster(queue)
    asked = QueueJob(queue, partition="long")
    assert queues.submit(asked, jobs=2, most=3) == ["1000", "1001"]
    assert queues.submit(asked, jobs=5, most=3) == ["1002"]
    assert queues.submit(asked, jobs=5, most=3) == []
    assert len(jobs(folder)) == 3


def test_pbs_and_sge_take_their_own_words(cluster: Any) -> None:
    folder = cluster("pbs")
    queues.submit(QueueJob("pbs", nodes=2, tasks_per_node=32, walltime="12:00:00", partition="long"))
    assert "#PBS -l nodes=2:ppn=32" in jobs(folder)[0]
    assert "#PBS -l walltime=12:00:00" in jobs(folder)[0]
    folder = cluster("sge")
    queues.submit(QueueJob("sge", walltime="12:00:00", setup=("#$ -pe mpi 16",)))
    assert "#$ -l h_rt=12:00:00" in jobs(folder)[0]
    assert "#$ -pe mpi 16" in jobs(folder)[0]


def test_what_was_edited_in_the_adapter_is_kept(cluster: Any) -> None:
    folder = cluster("slurm")
    queues.submit(QueueJob("slurm", walltime="24:00:00", partition="long"))
    path = queues.queue_folder() / queues.ADAPTER
    tree = yaml.safe_load(path.read_text())
    assert (tree["_fw_name"], tree["_fw_q_type"]) == ("{{fermiloop.flows.queue.cluster.WorkerAdapter}}", "SLURM")
    path.write_text(yaml.safe_dump({**tree, "mem": "180G", "qos": "high"}))
    queues.submit(QueueJob("slurm", walltime="48:00:00"))
    script = jobs(folder)[1]
    for line in ("--mem=180G", "--qos=high", "--time=48:00:00", "--partition=long"):
        assert f"#SBATCH {line}" in script
    path.write_text("[not an adapter")
    with pytest.raises(InputError, match=r"my_qadapter\.yaml is no queue adapter"):
        queues.submit(QueueJob("slurm"))


def test_a_refusal_is_told_in_the_schedulers_words(cluster: Any) -> None:
    folder = cluster("slurm")
    (folder / "refuse").touch()
    with pytest.raises(
        FailureError, match="sbatch refused the job: sbatch: error: invalid partition specified: nowhere"
    ):
        queues.submit(QueueJob("slurm", partition="nowhere"))


def test_without_a_scheduler_or_a_server_it_says_so(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="sbatch is not on the PATH"):
        queues.submit(QueueJob("slurm"))
    monkeypatch.delenv("FERMILOOP_MONGODB_URI")
    settings.cache_clear()
    with pytest.raises(InputError, match="set FERMILOOP_MONGODB_URI"):
        queues.script(QueueJob("slurm"))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"queue": "lsf"}, "known are slurm, pbs, sge"),
        ({"account": "a b"}, "'a b'"),
        ({"partition": "x\n#SBATCH --uid=0"}, "partition"),
        ({"walltime": "a day"}, "24:00:00"),
        ({"setup": ("echo a\nrm b",)}, "line break"),
        ({"setup": ("echo $$",)}, r"\$\$"),
        ({"queue": "sge", "nodes": 2}, "-pe mpi"),
    ],
)
def test_what_a_scheduler_cannot_take_is_refused(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        QueueJob(**{"queue": "slurm", **changes})


def test_pbs_without_a_queue_cannot_be_counted(cluster: Any) -> None:
    cluster("pbs")
    with pytest.raises(InputError, match="give --partition"):
        queues.submit(QueueJob("pbs"))


def test_the_script_hands_the_settings_to_what_takes_the_place_of_its_shell(cluster: Any) -> None:
    folder = cluster("slurm")
    queues.submit(QueueJob("slurm", setup=("export VASP_LICENCE=ours",)))
    text = re.sub(r"^exec .*$", "exec /usr/bin/env", jobs(folder)[0], flags=re.MULTILINE)
    shell = subprocess.run(["/bin/bash"], input=text, env={}, capture_output=True, text=True, check=True)
    shown = dict(line.split("=", 1) for line in shell.stdout.splitlines())
    assert shown["FERMILOOP_MONGODB_URI"] == settings().mongodb_uri
    assert shown["VASP_LICENCE"] == "ours"
    assert shown["PWD"].startswith(str(queues.queue_folder() / "launcher_"))


@pytest.mark.parametrize(
    ("queue", "text", "seconds"),
    [
        ("slurm", "10", 600),
        ("slurm", "10:30", 630),
        ("slurm", "24:00:00", 86_400),
        ("slurm", "2-12", 216_000),
        ("slurm", "1-00:30", 88_200),
        ("slurm", "1-00:00:30", 86_430),
        ("pbs", "600", 600),
        ("sge", "00:10:00", 600),
    ],
)
def test_a_walltime_is_read_as_its_scheduler_reads_it(queue: str, text: str, seconds: int) -> None:
    assert queues.walltime_seconds(queue, text) == seconds
    assert QueueJob(queue, walltime=text).walltime == text


@pytest.mark.parametrize(
    ("queue", "text", "least"),
    [
        ("slurm", "00:02:00", "00:05:00"),
        ("slurm", "00:04:59", "00:05:00"),
        ("slurm", "2", "00:05:00"),
        ("slurm", "02:00", "00:05:00"),
        ("slurm", "0-00:02", "00:05:00"),
        ("pbs", "00:02:00", "00:03:00"),
        ("sge", "120", "00:03:00"),
        ("pbs", "0", "00:03:00"),
    ],
)
def test_a_job_that_would_be_told_to_end_at_once_is_refused(queue: str, text: str, least: str) -> None:
    with pytest.raises(InputError, match=f"'{text}' is too short.*give {least} at least"):
        QueueJob(queue, walltime=text)


def test_the_shortest_walltime_and_no_limit_are_taken() -> None:
    assert QueueJob("slurm", walltime="00:05:00").walltime == "00:05:00"
    assert QueueJob("slurm", walltime="0").walltime == "0"
