"""Programs that go wrong: each gives one clear reason, and what is good beside it is kept."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.command import running
from fermiloop.platform.generators.command.generator import Command
from fermiloop.platform.generators.command.options import CommandOptions
from fermiloop.platform.generators.protocol import Space, Target

SPACE = Space(("Al", "Ni", "Pt"), (1, 2), ("cubic",), 4)
ONE = "(out / 'a.cif').write_text(cif())\n"


def draw(generator, n=5):
    return generator.sample(Target(), SPACE, n, np.random.default_rng(0))


def refused(generator) -> str:
    with pytest.raises(InputError) as told:
        draw(generator)
    text = str(told.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 800
    return text


def test_one_that_takes_too_long_is_ended_with_its_children(command, tmp_path):
    pid = tmp_path / "pid"
    text = (
        "import subprocess\nchild = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n"
        f"Path({str(pid)!r}).write_text(str(child.pid))\nsys.stderr.write('still at step 3')\nsys.stderr.flush()\n"
        "time.sleep(60)\n"
    )
    began = time.monotonic()
    told = refused(command(text, time_limit=1.5))
    assert time.monotonic() - began < 20
    assert "ran out of its 1.5 s" in told
    assert "still at step 3" in told
    deadline = time.monotonic() + 10
    while _runs(int(pid.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(int(pid.read_text()))


def _runs(pid: int) -> bool:
    """Whether a process works still; one that has ended and waits to be asked for its end does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_one_that_leaves_children_behind_does_not_keep_them(command, tmp_path):
    pid = tmp_path / "pid"
    generator = command(
        "import subprocess\nchild = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n"
        f"Path({str(pid)!r}).write_text(str(child.pid))\n" + ONE
    )
    assert len(draw(generator)) == 1
    deadline = time.monotonic() + 10
    while _runs(int(pid.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(int(pid.read_text()))


def test_one_that_fails_tells_the_end_of_its_standard_error(command):
    told = refused(command("sys.stderr.write('x' * 5000 + ' no GPU\\x1b[31m found')\nsys.exit(3)\n"))
    assert "exit code 3" in told
    assert told.endswith("found.")
    assert "\x1b" not in told


def test_one_that_is_killed_tells_the_signal(command):
    assert "signal 11 (Segmentation fault)" in refused(command("import signal\nos.kill(os.getpid(), 11)\n"))


def test_one_that_is_no_program(dos_library, tmp_path):
    with pytest.raises(InputError, match="no-such-program is no program here"):
        Command(CommandOptions(sample=["no-such-program"])).fit(dos_library.subset([0]), 1, lambda stage, share: None)
    text = tmp_path / "text"
    text.write_text("no program")
    text.chmod(0o755)
    generator = Command(CommandOptions(sample=[str(text)]))
    generator.fit(dos_library.subset([0]), 1, lambda stage, share: None)
    assert "cannot be started" in refused(generator)


def test_an_answer_of_a_gigabyte_is_refused_unread(command):
    text = "file = (out / 'a.extxyz').open('wb')\nfile.truncate(1_000_000_000)\n"
    assert "more than 100000000 bytes" in refused(command(text))


def test_one_that_goes_on_writing_is_ended_before_its_time(command):
    began = time.monotonic()
    told = refused(command("while True:\n    sys.stdout.write('x' * 9999)\n", most_bytes=1_000_000, time_limit=60.0))
    assert "more than 1000000 bytes" in told
    assert time.monotonic() - began < 30


def test_thousands_of_files_are_refused(command, monkeypatch):
    monkeypatch.setattr(running, "MOST_FILES", 50)
    assert "more than 50 files" in refused(command("for i in range(60):\n    (out / f'{i}.cif').write_text(cif())\n"))


def test_garbage_is_counted_by_its_reason_and_the_good_is_kept(command):
    generator = command(
        ONE + "(out / 'b.cif').write_bytes(os.urandom(500))\n(out / 'c.json').write_text('{')\n"
        "(out / 'd.json').write_text('[1, {\"sites\": 3}]')\n(out / 'e.extxyz').write_text('5\\nno\\nAl 0 0')\n"
        "(out / 'f.exe').write_text('')\n(out / 'g.cif').write_text(cif(a='nan'))\n"
        "(out / 'h.cif').write_text(cif(a=0.4))\n(out / 'scores.json').write_text('[')\n"
    )
    (made,) = draw(generator)
    assert made.detail["name"] == "a.cif"
    assert generator.failures["a .json file that cannot be read"] == 1
    assert generator.failures["an entry that is no crystal"] == 2
    assert generator.failures["a .extxyz file that cannot be read"] == 1
    assert generator.failures["scores.json is no mapping from name to score"] == 1
    assert sum(generator.failures.values()) == 9


@pytest.mark.parametrize(
    "frame",
    [
        'Lattice="nan 0 0 0 2.9 0 0 0 2.9"', 'Lattice="inf 0 0 0 2.9 0 0 0 2.9"', 'Lattice="0 0 0 0 0 0 0 0 0"',
        'Lattice="2.9 0 0 2.9 0 0 0 0 2.9"', 'Lattice="2.9 0 0 0 2.9 0 0 0 2.9" score=nan',
        'Lattice="2.9 0 0 0 2.9 0 0 0 2.9" score=high', 'Lattice="1e9 0 0 0 1e9 0 0 0 1e9"',
    ],
)  # fmt: skip
def test_cells_and_scores_that_are_no_numbers(command, frame):
    generator = command(ONE + f"(out / 'x.extxyz').write_text('''1\n{frame}\nAl 0 0 0\n''')\n")
    assert [p.detail["name"] for p in draw(generator)] == ["a.cif"]
    assert sum(generator.failures.values()) == 1


def test_garbage_alone_is_refused(command):
    told = refused(command("(out / 'b.cif').write_bytes(os.urandom(500))\n"))
    assert "left no crystal in out/: 1 × a .cif file that cannot be read" in told


def test_nothing_at_all_is_counted(command):
    generator = command("pass\n")
    assert draw(generator) == []
    assert generator.failures == {"a program that left no crystal in out/": 1}


def test_links_are_not_followed(command, tmp_path):
    secret = tmp_path / "secret.cif"
    generator = command(
        "Path({0!r}).write_text(cif(two='Pt'))\nos.symlink({0!r}, out / 'b.cif')\nos.mkdir(out / 'c.cif')\n"
        "os.mkfifo(out / 'd.cif')\n".format(str(secret))
        + ONE
    )
    assert [p.structure.composition.reduced_formula for p in draw(generator)] == ["AlNi"]
    assert generator.failures == {"a link, which is not followed": 1, "no plain file": 2}


def test_a_folder_of_answers_that_is_a_link_is_refused(command, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    assert "something else in place" in refused(command(f"os.rmdir(out)\nos.symlink({str(other)!r}, out)\n"))


def test_a_cell_of_too_many_atoms_is_not_looked_at(command):
    lines = "'600\\nLattice=\"50 0 0 0 50 0 0 0 50\"\\n' + 'Al 0 0 0\\n' * 600"
    generator = command(ONE + f"(out / 'x.extxyz').write_text({lines})\n")
    assert len(draw(generator)) == 1
    assert sum(generator.failures.values()) == 1


def test_more_crystals_than_can_be_wanted_are_not_read(command):
    generator = command("frame = '1\\nLattice=\"2.6 0 0 0 2.6 0 0 0 2.6\"\\nAl 0 0 0\\n'\n"
                        "(out / 'x.extxyz').write_text(frame * 500)\n")  # fmt: skip
    assert len(draw(generator, 2)) == 2
    assert generator.failures["crystals beyond the 20 that are read"] == 1


@pytest.mark.parametrize(
    ("fit", "told"),
    [
        ("os.symlink('/etc/passwd', folder / 'model' / 'x')\n", "no plain file"),
        ("for name in 'xy':\n    (folder / 'model' / name).write_bytes(b'0' * 3000)\n", "more than 5000 bytes"),
        ("sys.exit('no convergence')\n", "no convergence"),
        ("time.sleep(30)\n", "ran out of its 1 s"),
    ],
)  # fmt: skip
def test_a_training_that_goes_wrong(command, fit, told):
    with pytest.raises(InputError, match=told):
        command(ONE, fit, time_limit=1.0, most_bytes=5000)


def test_a_cancelled_training_ends_its_program(program, dos_library, tmp_path):
    pid = tmp_path / "pid"
    fit = program(f"Path({str(pid)!r}).write_text(str(os.getpid()))\ntime.sleep(60)\n", "fit")
    generator = Command(CommandOptions(sample=program(ONE), fit=fit))

    class Cancelled(Exception):  # noqa: N818 - no error of ours
        pass

    def cancel(stage, share):
        if pid.exists():
            raise Cancelled

    with pytest.raises(Cancelled):
        generator.fit(dos_library.subset([0]), 1, cancel)
    assert pid.exists()
    assert not _runs(int(pid.read_text()))


def test_a_version_that_fails_is_told(program, dos_library):
    generator = Command(CommandOptions(sample=program(ONE), version=[*program("sys.exit(4)\n", "version")]))
    with pytest.raises(InputError, match="tells no version"):
        generator.fit(dos_library.subset([0]), 1, lambda stage, share: None)
