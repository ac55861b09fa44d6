"""A campaign goes on with the packages of its launch, and is refused where others are installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packages import install, on_path

from fermiloop.flows.campaigns import methods, packages
from fermiloop.flows.campaigns.enqueue import enqueue
from fermiloop.flows.driving import launching
from fermiloop.platform.errors import UserError
from fermiloop.platform.plugins.acquisitions import ACQUISITIONS
from fermiloop.platform.store import campaigns

DECLARED = """
from fermiloop.platform.plugins.acquisitions import AcquisitionDeclaration
ITS = AcquisitionDeclaration(
    "of_a_group", "greedy under another name", load="fermiloop.platform.acquisition.acquisitions:Greedy", when="Never."
)
"""


def put(folder: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a version of the package."""
    groups = {"fermiloop.acquisitions": {"of_a_group": "group_acquisition:ITS"}}
    install(folder, "group-acquisition", {"group_acquisition": DECLARED}, groups, version)
    on_path(monkeypatch, folder)
    ACQUISITIONS.reload()


@pytest.fixture
def launched(library: str, campaign: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "one").mkdir()
    put(tmp_path / "one", "1.0", monkeypatch)
    spec, text = campaign("of-a-package")
    spec = spec.model_copy(update={"acquisition": spec.acquisition.model_copy(update={"name": "of_a_group"})})
    enqueue(spec, text)
    yield spec, text
    monkeypatch.undo()
    ACQUISITIONS.reload()


def test_packages_are_kept_with_the_launch_and_ours_are_none(launched: Any) -> None:
    spec, _ = launched
    kept = campaigns.get("of-a-package").resolved.packages
    assert kept == {"acquisition of_a_group": "group-acquisition 1.0"}
    assert methods.difference(spec) is None
    assert packages.of_spec(spec) == kept


def test_another_version_is_refused_with_both(launched: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, text = launched
    (tmp_path / "two").mkdir()
    put(tmp_path / "two", "2.0", monkeypatch)
    told = "the acquisition of_a_group came from group-acquisition 1.0, and is group-acquisition 2.0 here"
    with pytest.raises(UserError, match=told):
        launching.launch(spec, text)


def test_a_package_that_is_gone_is_named(launched: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, _ = launched
    monkeypatch.undo()
    ACQUISITIONS.reload()
    assert "came from group-acquisition 1.0, and is not installed here" in str(methods.difference(spec))
