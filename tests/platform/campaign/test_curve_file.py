"""Curves as targets: patterns out of files, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fermiloop.platform.campaign.curve_file import compared, curve_problem, read_pattern
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.curve_files.reading import Reading
from fermiloop.platform.representations.spectral_search import Window
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.schemas.vocabulary import Alignment

GOOD = [
    b"angle,intensity\n10,1\n50,2\n90,1\n",
    b"# degree counts\n10 1\n\n50\t2\n90 ; 1\n",
    b'{"angles": [10, 50, 90], "values": [1, 2, 1]}',
]
BAD = [
    (b"", "empty"),
    (b"\x89PNG\xff", "binary"),
    (b"a\0b", "binary"),
    (b"10\n90\n", "1 columns"),
    (b"10 1 2\n", "3 columns"),
    (b"10 1\nx 2\n", "'x'"),
    (b"energy dos\n", "no numbers"),
    (b"{broken", "line 1"),
    (b"[1, 2]", "both keys"),
    (b'{"angles": [1, null], "values": [1, 2]}', "None"),
    (b'{"angles": 3, "values": [1, 2]}', "no list"),
    (b'{"energies": [1], "values": [1]}', "angles"),
]


@pytest.mark.parametrize("content", GOOD)
def test_patterns_are_read_from_text_and_json(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(content)
    x, y = read_pattern(tmp_path / "c", "angles")
    assert x.tolist() == [10, 50, 90]
    assert y.tolist() == [1, 2, 1]


@pytest.mark.parametrize(("content", "named"), BAD)
def test_what_is_no_curve_is_refused(content: bytes, named: str, tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_pattern(tmp_path / "c", "angles")
    assert named in str(caught.value)
    assert str(caught.value).endswith(".")


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError):
            read_pattern(path, "angles")


X = np.arange(-8.0, 8.1, 0.5)
PROBLEMS = [
    (X, 0 * X, "all 0"),
    (X, -1 - 0 * X, "negative"),
    (X, np.where(np.abs(X) < 0.1, 1e4, 1.0), "artefact"),
    (X, np.where(X == -1, -0.5, 1.0), "-0.5"),
    (np.array([-8.0, 0.0, 8.0]), np.array([1.0, 2.0, 1.0]), "largest step allowed is 1 eV"),
    (X[4:-4], 1 + 0 * X[4:-4], "must cover"),
    (X[::-1], 1 + 0 * X, "must rise"),
    (np.where(X == 0, np.nan, X), 1 + 0 * X, "nan"),
    (X, np.ones(3), "as many"),
]


@pytest.mark.parametrize(("x", "y", "words"), PROBLEMS)
def test_curves_that_are_no_target(x: np.ndarray, y: np.ndarray, words: str) -> None:
    problem = curve_problem(x, y)
    assert problem is not None
    assert words in problem


def test_a_coarse_part_outside_the_window_is_no_matter() -> None:
    x = np.concatenate([[-20.0, -12.0], X, [15.0]])
    assert curve_problem(x, 1 + 0 * x) is None


def test_a_reading_is_compared_about_the_zero_of_the_store() -> None:
    x = np.round(np.arange(-10, 10.01, 0.05), 6)
    y = np.where((x <= 1) & (x > -4), 2.0, 0.0) + np.where(x > 3, 1.0, 0.0)
    values, said = compared(Reading.of(x, y, 1.2), Window.of(DOS_GRID, (-6.0, 4.0)), Alignment.MIDGAP)
    assert DOS_GRID.points[np.flatnonzero(values[:76])[-1]] == pytest.approx(-1.0, abs=0.11)
    assert not values[DOS_GRID.points > 4.01].any()
    assert "+0.8" in said[-1]
    with pytest.raises(InputError, match=r"cover .* zero was moved"):
        compared(Reading.of(x[x > -5.4], y[x > -5.4], 1.2), Window.of(DOS_GRID), Alignment.MIDGAP)
