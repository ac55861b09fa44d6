"""One intake of curves: files, texts, columns, drawings and stored materials end on one grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.app import curves
from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import materials, methods, spectra

X = np.round(np.arange(-9.0, 9.01, 0.1), 6)
Y = np.exp(-((X - 1) ** 2))


@pytest.mark.parametrize("text", ["", "1 2 3", "0 1\nx y", "0 1", "0 nan\n1 2", "0 1\n1 inf", "0 1\n1 2\n0 3\n"])
def test_pastes_that_are_no_curve(text: str) -> None:
    with pytest.raises(InputError):
        curves.of_pasted(text)


def test_a_pasted_file_is_read_as_its_program_wrote_it() -> None:
    rows = "".join(f"{e + 3.5:.3f} {y:.6f}\n" for e, y in zip(X, np.exp(-(X**2)), strict=True))
    found = curves.of_pasted("# E (eV) dos(E) EFermi = 3.5 eV\n" + rows)
    assert found.window == (DOS_GRID.lo, DOS_GRID.hi)
    assert DOS_GRID.points[found.values.argmax()] == pytest.approx(0.0, abs=1e-6)
    assert found.values.max() == pytest.approx(1.0, abs=1e-3)
    assert found.remarks == ("The Fermi level 3.5 eV of the heading was taken.",)


def test_file_text_and_columns_of_one_curve_are_one(tmp_path: Path, database: str) -> None:
    text = "energy,dos\n" + "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True))
    (tmp_path / "c.csv").write_text(text)
    ways = [
        curves.of(str(tmp_path / "c.csv"), (-2.0, 3.0)),
        curves.of_text(text, (-2.0, 3.0)),
        curves.of_pasted(text, (-2.0, 3.0)),
        curves.of_columns(X, Y, window=(-2.0, 3.0)),
        curves.of_drawing(X, Y, (-2.0, 3.0)),
    ]
    for one in ways:
        np.testing.assert_allclose(one.values, ways[0].values, atol=1e-9)
        assert one.window == (-2.0, 3.0)
    assert ways[0].values[DOS_GRID.points < -2.05].sum() == 0


def test_the_stored_curve_of_a_material_is_like_the_others_and_not_like_itself(database: str) -> None:
    method = methods.save("gpaw", "PBE", {}, {})
    ids = {}
    for symbol, place in (("Pd", 0.0), ("Pt", 0.2), ("Ni", 4.0)):
        crystal = PROTOTYPES["A1"].build(symbol, None, 15.0)
        ids[symbol] = materials.save(crystal, origin="import", source={"name": "test", "key": symbol})
        spectra.save(ids[symbol], X, np.exp(-((X - place) ** 2)), method=method)
    for text in ("Pd", ids["Pd"]):
        found = curves.similar(curves.of(text), limit=2)
        assert [one.material for one in found] == [ids["Pt"], ids["Ni"]]
    near = curves.Nearness(curves.of("Pd"), curves.Metric.WASSERSTEIN)
    assert near.key == "dos_distance"
    assert list(near.ranking(5, [ids["Ni"]])) == [ids["Ni"]]
    with pytest.raises(InputError, match="no metric"):
        curves.similar(curves.of("Pd"), metric="euclid")
    with pytest.raises(NotFoundError):
        curves.of("Cu")


def test_a_coarse_paste_is_refused_and_a_coarse_drawing_is_not() -> None:
    x, y = [-8.0, 0.0, 8.0], [1.0, 2.0, 1.0]
    assert curves.of_drawing(x, y, (-7.5, 7.5)).values.max() == 2.0
    with pytest.raises(InputError, match="largest step"):
        curves.of_columns(x, y, window=(-7.5, 7.5))


@pytest.mark.parametrize("window", [(1.0, 0.0), (0.0, 0.1), (-9.0, 0.0), (-5.0, 5.0), (float("nan"), 1.0)])
def test_windows_that_are_invalid(window: tuple[float, float]) -> None:
    with pytest.raises(InputError):
        curves.of_drawing([-2.0, 2.0], [1.0, 1.0], window)


@given(st.floats(-7.0, 0.0), st.floats(1.0, 7.0))
def test_a_flat_curve_is_flat_inside_its_window_and_zero_outside(lo: float, hi: float) -> None:
    values = curves.of_drawing([-8.0, 8.0], [2.0, 2.0], (lo, hi)).values
    inside = (DOS_GRID.points >= lo) & (DOS_GRID.points <= hi)
    assert (values[inside] == 2).all()
    assert values[(DOS_GRID.points < lo - 0.11) | (DOS_GRID.points > hi + 0.11)].sum() == 0


def test_files_and_ids_are_told_apart(tmp_path: Path) -> None:
    assert curves.is_file("pd.csv")
    assert curves.is_file("./pd")
    assert curves.is_file(str(tmp_path / "x"))
    assert not curves.is_file("Pd")
    assert not curves.is_file("m-0123")
