"""Catalogues that find the packages of a test, and forget them when it ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from packages import install, on_path

from fermiloop.platform.plugins.catalogue import Catalogue


@contextmanager
def installed(
    folder: Path, modules: Mapping[str, str], groups: Mapping[str, Mapping[str, str]], *catalogues: Catalogue[Any]
) -> Iterator[None]:
    """A package ``a-group`` of these modules and entry points, for as long as it lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    install(folder, "a-group", modules, groups)
    with pytest.MonkeyPatch.context() as patch:
        on_path(patch, folder)
        for one in catalogues:
            one.reload()
        try:
            yield
        finally:
            for module in modules:
                sys.modules.pop(module, None)
    for one in catalogues:
        one.reload()
