"""Which reader takes a file of a density of states: the content decides, the name only where it must."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.curve_files import columns, doscar, json_curves, vasprun, xmgrace
from fermiloop.platform.representations.curve_files.reading import AS_IT_IS, Reading, Wish
from fermiloop.platform.representations.curve_files.text import MOST_BYTES, decoded, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEAD: Final = 4000  # bytes that tell XML


class Format(NamedTuple):
    """A form of text: its name, whether a text is of it, and its reader."""

    name: str
    fits: Callable[[str], bool]
    read: Callable[[str, str, Wish], Reading]


FORMATS: Final = (
    Format("JSON", json_curves.is_json, json_curves.read_json),
    Format("DOSCAR", doscar.is_doscar, doscar.read_doscar),
    Format("xmgrace", xmgrace.is_xmgrace, xmgrace.read_xmgrace),
    Format("columns", lambda _: True, columns.read_columns),
)
"""The first that fits reads."""


def read_curve_file(path: Path, wish: Wish = AS_IT_IS) -> Reading:
    """Density of states of a file of any known form, packed by gzip or not.

    Raises
    ------
    InputError
        If the file is missing or holds no density of states: which file, and what is wrong with it.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file with a curve in it.")
    if not path.exists():
        raise InputError(f"There is no curve file {path}; check the path.")
    try:
        with path.open("rb") as file:
            start = file.read(MOST_BYTES + 1)
        if vasprun.is_vasprun(unpacked_start(start)):
            return vasprun.read_vasprun(path, wish)
        return read_curve_text(_all(start), path.name, wish)
    except InputError as error:
        raise InputError(f"The curve file {path} cannot be used: {lowered(str(error))}") from None
    except OSError as error:
        raise InputError(f"The curve file {path} cannot be read ({error.strerror}); check its permissions.") from None


def read_curve_text(text: str, name: str = "", wish: Wish = AS_IT_IS) -> Reading:
    """Density of states of a text of any known form but XML.

    Parameters
    ----------
    text
        The content.
    name
        Name of its file, where it has one.
    wish
        What the person says of it.

    Raises
    ------
    InputError
        If it holds no density of states.
    """
    if text.lstrip().startswith("<"):
        raise InputError("this is XML or HTML, and no vasprun.xml; give text or JSON.")
    form = next(one for one in FORMATS if one.fits(text))
    return form.read(text, name, wish).told(form.name)


def unpacked_start(start: bytes) -> bytes:
    """The first bytes of a file, unpacked where they are gzip's."""
    import zlib

    if not start.startswith(b"\x1f\x8b"):
        return start[:HEAD]
    try:
        return zlib.decompressobj(wbits=31).decompress(start[:100_000], HEAD)
    except zlib.error:
        return b""


def _all(content: bytes) -> str:
    """The text of a file; of a DOSCAR that is longer, with the parts of many atoms, what comes first."""
    if len(content) > MOST_BYTES:
        text = content[:MOST_BYTES].decode("latin-1")
        if doscar.is_doscar(text):
            return text
    return decoded(unpacked(content))


def lowered(text: str) -> str:
    """A sentence as it goes on after a colon."""
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text
