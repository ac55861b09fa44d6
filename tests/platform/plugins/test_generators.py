"""What declarations of generators say is what their code does, and a name that is gone is told with its package."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from fermiloop.platform.errors import InputError, NotFoundError, PluginError
from fermiloop.platform.generators.ccdcgan.generator import PRESETS as CCDCGAN_PRESETS
from fermiloop.platform.generators.ftcp.options import PRESETS as FTCP_PRESETS
from fermiloop.platform.generators.imatgen.options import PRESETS as IMATGEN_PRESETS
from fermiloop.platform.generators.inverse import PRESETS
from fermiloop.platform.plugins.declaration import load
from fermiloop.platform.plugins.generators import GENERATORS, GeneratorDeclaration, generator
from fermiloop.platform.plugins.provenance import told

HEAVY = ("numpy", "torch", "ase", "pymatgen", "sklearn", "jobflow", "scipy", "mongoengine")


@pytest.mark.parametrize("name", GENERATORS)
def test_a_declaration_names_code_that_is_there(name: str) -> None:
    declared = GENERATORS[name]
    assert load(declared.load).name == name
    assert dataclasses.is_dataclass(load(declared.options))
    assert not declared.scorer or callable(load(declared.scorer))
    assert bool(declared.scorer) == declared.learns


def test_presets_are_those_of_the_code() -> None:
    presets = {name: declared.presets for name, declared in GENERATORS.items() if declared.presets}
    assert presets == {
        "dos_composer": tuple(PRESETS), "ftcp": FTCP_PRESETS, "ccdcgan": CCDCGAN_PRESETS, "imatgen": IMATGEN_PRESETS,
    }  # fmt: skip
    assert GENERATORS["ftcp"].default_preset == "structured"
    assert GENERATORS["imatgen"].default_preset is None


def test_declarations_import_nothing_heavy() -> None:
    code = (
        "import sys; from fermiloop.platform.plugins.generators import GENERATORS; list(GENERATORS);"
        f"sys.exit(', '.join(set({HEAVY}) & set(sys.modules)) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr


def test_one_without_options_takes_none_and_code_that_is_missing_is_told() -> None:
    bare = GeneratorDeclaration("bare", "a dictionary", load="builtins:dict")
    assert bare.build() == {}
    with pytest.raises(InputError, match="epochs is no option of this generator; it takes none"):
        bare.build(None, {"epochs": 3})
    with pytest.raises(PluginError, match="no_such_package cannot be imported"):
        GeneratorDeclaration("gone", "nothing", load="no_such_package:Model").build()
    with pytest.raises(PluginError, match="is no place of code"):
        GeneratorDeclaration("wrong", "nothing", load="a path/model.py")


def test_a_name_that_is_gone_is_told_with_the_package_that_gave_it() -> None:
    config = {"plugin": {"package": "a-group", "version": "2.1"}}
    with pytest.raises(NotFoundError, match=r"hers came with the package a-group 2\.1, which is not installed here"):
        generator("hers", config)
    with pytest.raises(NotFoundError, match="hers is no generator; choose one of dos_composer"):
        generator("hers")
    assert told(GENERATORS, "hers", config) == "a-group 2.1, not installed"
    assert told(GENERATORS, "hers", {}) == told(GENERATORS, "ftcp", config) == ""
