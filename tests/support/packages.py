"""Packages with entry points, as pip leaves them, on the path of this process."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

import pytest


def install(
    folder: Path,
    name: str,
    modules: Mapping[str, str],
    groups: Mapping[str, Mapping[str, str]],
    version: str = "1.0",
) -> Path:
    """Write modules and the metadata of a distribution, as ``pip install --target`` would.

    Parameters
    ----------
    modules
        Text of each module by its name.
    groups
        Entry points: group to name to place.
    """
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text, encoding="utf-8")
    told = folder / f"{name.replace('-', '_')}-{version}.dist-info"  # packages of one folder are told apart by it
    told.mkdir(parents=True)
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    lines = [
        line
        for group, entries in groups.items()
        for line in (f"[{group}]", *(f"{entry} = {place}" for entry, place in entries.items()), "")
    ]
    (told / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


def on_path(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let this process find what lies in a folder, until the test ends."""
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
