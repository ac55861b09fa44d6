"""Potentials by name: light, each with its model, and refused with the command that installs it."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
from packages import install, on_path

from fermiloop.platform.errors import InputError, PluginError
from fermiloop.platform.plugins.potentials import DEFAULT, POTENTIALS, PotentialDeclaration, potential, usable

ABSENT = PotentialDeclaration(
    "absent",
    "of a package that nobody has",
    place="nobody.has:It",
    model="It 1",
    package="nobody-has",
    module="nobody_has",
)


def test_declarations_import_nothing_heavy():
    code = (
        "import sys; from fermiloop.platform.plugins.potentials import POTENTIALS;"
        "[one.missing() for one in POTENTIALS.values()];"
        "print(sorted({'torch', 'ase', 'pymatgen', 'numpy', 'atomate2', 'sevenn'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_each_names_a_model_of_its_own_and_where_its_code_lies():
    assert DEFAULT in POTENTIALS
    models = [one.model for one in POTENTIALS.values()]
    assert len(set(models)) == len(models)
    assert all(one.licence for one in POTENTIALS.values())
    assert POTENTIALS["chgnet"].model == "CHGNet 0.3.0"  # part of the ids of Methods in stores
    assert POTENTIALS["analytic"].model == "Lennard-Jones, for tests"


def test_names_of_atomate2_are_names_there():
    from atomate2.forcefields.utils import MLFF

    named = [one.arguments["force_field"] for one in POTENTIALS.values() if "force_field" in one.arguments]
    assert len(named) >= 5
    assert set(named) <= set(MLFF.__members__)


def test_what_is_not_installed_is_refused_with_the_command():
    with pytest.raises(InputError, match=r"absent needs the package nobody-has, .*: pip install nobody-has\.$"):
        ABSENT.build()
    ours = dataclasses.replace(ABSENT, extra="sevennet")
    assert "pip install '.[sevennet]' in fermiloop's folder" in str(ours.missing())
    assert ABSENT.versions() == {}
    assert POTENTIALS["chgnet"].versions()["chgnet"]


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"vasp is no potential; choose one of chgnet, analytic, .*, none\.$"):
        usable("vasp", ("none",))
    with pytest.raises(InputError, match="choose one of chgnet"):
        potential("vasp")
    usable("none", ("none",))
    usable("analytic")


@pytest.mark.parametrize("wrong", [{"place": "no place"}, {"model": " "}])
def test_a_declaration_without_place_or_model_is_refused(wrong):
    with pytest.raises(PluginError):
        dataclasses.replace(ABSENT, **wrong)


def test_a_broken_package_says_why_its_name_is_unknown(monkeypatch, tmp_path):
    install(tmp_path, "sad", {"sad": "import no_such\n"}, {"fermiloop.potentials": {"sad": "sad:IT"}})
    on_path(monkeypatch, tmp_path)
    POTENTIALS.reload()
    try:
        with pytest.raises(InputError, match=r"sad is no potential; its package cannot be used: .*no_such"):
            potential("sad")
    finally:
        monkeypatch.undo()
        POTENTIALS.reload()
