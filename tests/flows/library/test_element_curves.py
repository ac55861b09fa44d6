"""Making the table of element curves; the DFT is left out."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from fermiloop.flows.library import element_curves
from fermiloop.flows.library.element_curves import broadened, extend, pack
from fermiloop.platform.predictors.element_curves import ENERGIES

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_run_goes_on_where_the_file_ends_and_leaves_out_what_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    computed: list[str] = []

    def compute(symbol: str) -> dict[str, Any]:
        if symbol == "Cl":
            raise RuntimeError("no convergence")
        computed.append(symbol)
        return {"element": symbol, "volume": 20.0, "density": [1.0] * len(ENERGIES)}

    monkeypatch.setattr(element_curves, "compute", compute)
    file = tmp_path / "records.jsonl"
    extend(file, ["Na", "Cl"])
    extend(file, ["Na", "Al"])
    assert computed == ["Na", "Al"]
    assert "Cl: RuntimeError: no convergence" in capsys.readouterr().out
    assert [json.loads(line)["element"] for line in file.read_text().splitlines()] == ["Na", "Al"]


def test_a_table_is_packed_by_atomic_number_and_the_same_twice(tmp_path: Path) -> None:
    records = [{"element": symbol, "volume": 1.0, "density": [0.0]} for symbol in ("Cu", "Al")]
    assert pack(records, tmp_path / "a.gz") == 2
    pack(records[::-1], tmp_path / "b.gz")
    lines = gzip.decompress((tmp_path / "a.gz").read_bytes()).decode().splitlines()
    assert [json.loads(line)["element"] for line in lines] == ["Al", "Cu"]
    packed = [gzip.decompress((tmp_path / name).read_bytes()) for name in ("a.gz", "b.gz")]
    assert packed[0] == packed[1]


def test_broadening_keeps_the_area() -> None:
    energies = np.arange(-12, 11, 0.05)
    density = np.where(np.abs(energies) < 0.02, 1 / 0.05, 0.0)
    values = np.array(broadened(energies, density))
    assert abs(np.trapezoid(values, ENERGIES) - 1) < 1e-3
    assert abs(float(ENERGIES[values.argmax()])) < 0.06
