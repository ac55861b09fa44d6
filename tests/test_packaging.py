"""The package as it is shipped: every folder of code listed, one-way imports, no file too long."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = ("platform", "flows", "schemas", "db_init")


def code_files() -> list[Path]:
    return sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py"))


def test_every_code_folder_is_listed_as_a_package() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {"fermiloop." + ".".join(p.parent.relative_to(ROOT).parts) for p in code_files()}
    assert listed == found | {"fermiloop", "fermiloop.platform"}


def test_platform_does_not_hide_the_standard_library() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert all((p.parent / "__init__.py").exists() for p in code_files() if p.parent != ROOT / "platform")


def test_no_module_is_longer_than_400_lines() -> None:
    long = {str(p.relative_to(ROOT)): n for p in code_files() if (n := len(p.read_text().splitlines())) > 400}
    assert not long


@pytest.mark.parametrize("drawer", ["utils", "helpers", "misc", "common"])
def test_no_drawers(drawer: str) -> None:
    assert not [p for p in code_files() if drawer in p.relative_to(ROOT).with_suffix("").parts]


def test_tests_mirror_the_tree() -> None:
    """Every folder of tests that bears a code folder's path stands beside that folder."""
    for test in (ROOT / "tests").rglob("test_*.py"):
        parts = test.relative_to(ROOT / "tests").parts[:-1]
        if parts and parts[0] in CODE:
            assert (ROOT / Path(*parts)).is_dir(), test


def test_imports_point_one_way() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([str(lint)], cwd=ROOT, env={"PYTHONPATH": str(ROOT / ".lint")}, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:]


def test_the_two_folders_of_links_show_the_same_code() -> None:
    """`.src` has the API beside the code; the import linter needs a namespace without it, which `.lint` is."""
    for folder in (".src", ".lint"):
        links = {path.name: path.resolve() for path in (ROOT / folder / "fermiloop").iterdir() if path.is_symlink()}
        assert {name: links[name] for name in CODE} == {name: ROOT / name for name in CODE}, folder
    assert not (ROOT / ".lint" / "fermiloop" / "__init__.py").exists()
