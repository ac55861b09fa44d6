"""The generator `command`: what a program is told, what is kept of it, and what comes back."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import ase.io
import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.command.generator import Command
from fermiloop.platform.generators.command.options import CommandOptions
from fermiloop.platform.generators.protocol import Condition, Space, Target
from fermiloop.platform.settings import settings

SPACE = Space(("Al", "Ni", "Pt"), (1, 2), ("cubic",), 4)
LISTEN = "import shutil\nshutil.copytree(folder, {to!r}, dirs_exist_ok=True)\n"
ONE = "(out / 'a.cif').write_text(cif())\n"


def draw(generator, n=5, seed=0, target=None, space=SPACE):
    return generator.sample(target or Target(), space, n, np.random.default_rng(seed))


def test_a_program_is_told_all_that_is_asked(command, dos_library, tmp_path):
    heard = tmp_path / "heard"
    generator = command(LISTEN.format(to=str(heard)) + ONE)
    grid = dos_library.grid
    conditions = (Condition("band_gap", low=1.0),)
    target = Target(grid, grid.normalise(dos_library.curves[0]), 0.8, conditions, ("Pt",), (-4.0, 1.0))
    draw(generator, 7, target=target)
    request, asked, space = (
        json.loads((heard / f"{name}.json").read_text()) for name in ("request", "target", "space")
    )
    assert (request["task"], request["n"], request["time_limit"]) == ("sample", 7, 20.0)
    assert space == {
        "elements": ["Al", "Ni", "Pt"], "components": [1, 2], "crystal_systems": ["cubic"], "max_sites": 4,
    }  # fmt: skip
    assert asked["curve"]["window"] == [-4.0, 1.0]
    np.testing.assert_allclose(asked["curve"]["energies"], grid.points)
    np.testing.assert_allclose(asked["curve"]["values"], target.curve)
    assert asked["conditions"][0]["property"] == "band_gap"
    assert (asked["conditions"][0]["low"], asked["conditions"][0]["high"]) == (1.0, None)
    assert asked["exclude"] == ["Pt"]


def test_a_program_gets_the_training_set_with_its_labels_and_curves(command, dos_library, tmp_path):
    heard = tmp_path / "heard"
    draw(command(LISTEN.format(to=str(heard)) + ONE))
    read = ase.io.read(heard / "training.extxyz", ":")
    assert [atoms.info["id"] for atoms in read] == list(dos_library.ids[:4])
    for row, atoms in enumerate(read):
        assert atoms.get_volume() == pytest.approx(dos_library.structures[row].volume)
        assert atoms.info["prototype"] == dos_library.prototypes[row]
        for name, values in dos_library.labels.items():
            assert atoms.info[name] == pytest.approx(values[row])
    with np.load(heard / "curves.npz") as kept:
        np.testing.assert_allclose(kept["curves"], dos_library.curves[:4])
        np.testing.assert_allclose(kept["energies"], dos_library.grid.points)


def test_the_folder_is_the_last_argument_and_in_the_environment_and_goes_afterwards(command, tmp_path):
    text = "Path({to!r}).write_text(json.dumps([sys.argv[1], os.environ['FERMILOOP_FOLDER'], os.getcwd()]))\n"
    draw(command(text.format(to=str(tmp_path / "said")) + ONE))
    (said,) = {*json.loads((tmp_path / "said").read_text())}
    assert not Path(said).exists()
    assert list((settings().data_dir / "commands").iterdir()) == []


def test_no_account_reaches_a_program(command, tmp_path, monkeypatch):
    monkeypatch.setenv("FERMILOOP_MONGODB_URI", "mongodb://me:secret@db.example.org")
    monkeypatch.setenv("MP_API_KEY", "secret-key")
    draw(command(f"Path({str(tmp_path / 'said')!r}).write_text(json.dumps(dict(os.environ)))\n" + ONE))
    assert "secret" not in (tmp_path / "said").read_text()


def test_a_program_that_asks_fermiloop_back_may(monkeypatch):
    monkeypatch.setenv("FERMILOOP_FOLDER", "/somewhere")
    settings.cache_clear()
    assert settings().allow_commands is False


def test_no_shell_reads_the_words(program, dos_library, tmp_path):
    words = [*program("(out / 'a.cif').write_text(cif())\nPath(sys.argv[2]).write_text(sys.argv[1])\n"),
             "$(touch pwned); `id` && true > x", str(tmp_path / "said")]  # fmt: skip
    generator = Command(CommandOptions(sample=words))
    generator.fit(dos_library.subset([0]), 1, lambda stage, share: None)
    assert len(draw(generator)) == 1
    assert (tmp_path / "said").read_text() == "$(touch pwned); `id` && true > x"


def test_the_seed_decides(command):
    generator = command(
        "import random\nrandom.seed(json.loads((folder / 'request.json').read_text())['seed'])\n"
        "(out / 'a.cif').write_text(cif(a=2.8 + random.random() / 5))\n"
    )
    first, again, other = (draw(generator, seed=seed)[0].structure.volume for seed in (3, 3, 4))
    assert first == again != other


def test_what_a_program_was_is_kept_with_every_crystal(program, dos_library, tmp_path):
    words = program(ONE)
    said = program("print('tool 2.1')\nprint('more')\n", "version")
    generator = Command(CommandOptions(sample=words, version=said))
    report = generator.fit(dos_library.subset([0]), 1, lambda stage, share: None)
    (made,) = draw(generator, 1)
    about = made.detail["program"]
    assert about["command"] == words
    assert about["version"] == "tool 2.1"
    hashes = dict(about["files"])
    assert hashes[words[-1]] == hashlib.sha256(Path(words[-1]).read_bytes()).hexdigest()
    assert Path(sys.executable).name in {Path(path).name for path in hashes}
    assert report.detail["program"]["files"] == about["files"]


def test_scores_rank_and_the_space_is_kept(command, dos_library):
    generator = command(
        "for name, one, two in (('a', 'Al', 'Ni'), ('b', 'Al', 'Pt'), ('c', 'Al', 'Au'), ('d', 'Ni', 'Pt')):\n"
        "    (out / f'{name}.cif').write_text(cif(one=one, two=two))\n"
        "(out / 'scores.json').write_text(json.dumps({'a': 0.1, 'b.cif': 0.9, 'c': 5, 'd': 0.5}))\n"
    )
    made = draw(generator, 2)
    assert [p.structure.composition.reduced_formula for p in made] == ["AlPt", "NiPt"]
    assert [p.score for p in made] == [0.9, 0.5]
    assert generator.failures == {"elements outside the space": 1}
    assert draw(generator, 5, target=Target(exclude_formulas=("AlPt",)))[0].score == 0.5


def test_a_parent_counts_where_it_is_one_of_the_training_set(command, dos_library):
    frame = '2\\nLattice="2.9 0 0 0 2.9 0 0 0 {}" score={} parent={}\\nAl 0 0 0\\nNi 1.45 1.45 1.45\\n'
    generator = command(
        f"(out / 'x.extxyz').write_text('{frame.format(2.9, 1.0, dos_library.ids[1])}{frame.format(2.9, 0.5, 'no')}')\n"
    )
    assert [(p.score, p.parent) for p in draw(generator)] == [(1.0, dos_library.ids[1]), (0.5, None)]


def test_what_fit_leaves_is_kept_hashed_and_given_back(command, dos_library, tmp_path):
    fit = ("(folder / 'model' / 'deep').mkdir()\n(folder / 'model' / 'deep' / 'w.bin').write_bytes(bytes(range(9)))\n"
           "(folder / 'model' / 'empty').write_text('')\nassert not (folder / 'target.json').exists()\n")  # fmt: skip
    sample = ("assert (folder / 'model' / 'deep' / 'w.bin').read_bytes() == bytes(range(9))\n"
              "assert (folder / 'model' / 'empty').read_bytes() == b''\n" + ONE)  # fmt: skip
    generator = command(sample, fit)
    kept = tmp_path / "kept"
    kept.mkdir()
    generator.save(kept)
    loaded = Command.load(kept)
    assert loaded.model == {"deep/w.bin": bytes(range(9)), "empty": b""}
    assert [p.structure for p in draw(loaded)] == [p.structure for p in draw(generator)]
    report = generator.fit(dos_library.subset([0]), 1, lambda stage, share: None)
    assert dict(report.detail["program"]["model"])["deep/w.bin"] == hashlib.sha256(bytes(range(9))).hexdigest()


def test_a_checkpoint_that_leads_out_of_its_folder_is_refused(command, tmp_path):
    from safetensors.numpy import load_file, save_file

    generator = command(ONE, "(folder / 'model' / 'w').write_text('x')\n")
    generator.save(tmp_path)
    arrays = load_file(tmp_path / "weights.safetensors")
    arrays["model/../../escaped"] = arrays.pop("model/w")
    save_file(arrays, tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match="do not fit"):
        Command.load(tmp_path)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "sample"),
        ({"sample": "python x.py"}, "list of words"),
        ({"sample": ["a", 3]}, "list of words"),
        ({"sample": ["a\0b"]}, "list of words"),
        ({"sample": [" "]}, "empty word"),
        ({"sample": ["a"], "time_limit": 0}, "time_limit"),
        ({"sample": ["a"], "time_limit": True}, "time_limit"),
        ({"sample": ["a"], "most_bytes": 10**12}, "most_bytes"),
        ({"sample": ["a"], "fit": ["x"] * 101}, "fit"),
    ],
)
def test_options_are_checked(options, told):
    with pytest.raises(InputError, match=told):
        CommandOptions(**options)
