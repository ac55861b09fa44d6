"""Curve files: two forms that are read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from fermiloop.platform.campaign.curve_file import read_curve
from fermiloop.platform.errors import InputError

GOOD = [
    b"energy,dos\n-8,1\n0,2\n8,1\n",
    b"# eV states\n-8 1\n\n0\t2\n8 ; 1\n",
    b'{"energies": [-8, 0, 8], "values": [1, 2, 1]}',
]
BAD = [
    (b"", "empty"),
    (b"\x89PNG\xff", "UTF-8"),
    (b"a\0b", "binary"),
    (b"-8\n8\n", "1 columns"),
    (b"-8 1 2\n", "3 columns"),
    (b"-8 1\nx 2\n", "'x'"),
    (b"-8 nan\n8 1\n", "nan"),
    (b"8 1\n-8 1\n", "rise"),
    (b"-1 1\n1 1\n", "-7.5"),
    (b"energy dos\n", "no numbers"),
    (b"{broken", "line 1"),
    (b"[1, 2]", "both keys"),
    (b'{"energies": [1, null], "values": [1, 2]}', "None"),
    (b'{"energies": 3, "values": [1, 2]}', "no list"),
]


@pytest.mark.parametrize("content", GOOD)
def test_both_forms_are_read(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(content)
    x, y = read_curve(tmp_path / "c")
    assert x.tolist() == [-8, 0, 8]
    assert y.tolist() == [1, 2, 1]


@pytest.mark.parametrize(("content", "named"), BAD)
def test_what_is_no_curve_is_refused(content: bytes, named: str, tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_curve(tmp_path / "c")
    assert named in str(caught.value)
    assert str(caught.value).endswith(".")


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError):
            read_curve(path)
