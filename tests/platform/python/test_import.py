"""``import fermiloop``: light, lazy, complete."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

import fermiloop

HEAVY = ("numpy", "pandas", "pymatgen", "mongoengine", "pymongo", "torch", "pydantic", "jobflow", "ase")


def test_importing_it_imports_nothing_else() -> None:
    code = "import sys; import fermiloop; print([name for name in sys.modules if name.startswith('fermiloop.')])"
    code += f"; print([name for name in {HEAVY} if name in sys.modules]); print(fermiloop.__version__)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:3] == ["[]", "[]", version("fermiloop")]


def test_every_name_is_there_and_listed() -> None:
    for name in fermiloop.__all__:
        assert getattr(fermiloop, name) is getattr(fermiloop, name)
        assert name in dir(fermiloop)
    with pytest.raises(AttributeError, match="no attribute 'campain'"):
        fermiloop.campain  # noqa: B018


def test_the_standard_library_s_platform_is_not_hidden() -> None:
    import platform

    assert platform.machine()
