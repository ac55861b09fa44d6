"""Texts that hold a crystal, whatever their form: CIF, POSCAR, or pymatgen's JSON; the content decides."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from fermiloop.db_init.importers.crystals import cif, poscar, structure_json
from fermiloop.db_init.importers.crystals.found import Crystal
from fermiloop.platform.errors import InputError

CIF_LINE: Final = re.compile(r"^\s*(?:data_|_cell_length_a)", re.MULTILINE | re.IGNORECASE)
PRINTED: Final = ("Full Formula", "Structure Summary", "<pymatgen", "Structure(")


def read(text: str, what: str) -> Crystal:
    """The one crystal of a text.

    Raises
    ------
    InputError
        If it holds none or several.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\n" not in text.strip() and "\\n" in text and not text.lstrip().startswith("{"):
        text = text.replace("\\r", "").replace("\\n", "\n")  # line ends that were escaped on the way into one line
    stripped = text.strip()
    if not stripped or stripped.lower() in {"nan", "none", "null"}:
        raise InputError(f"The {what} holds no crystal: it is empty.")
    if stripped.startswith(PRINTED):
        raise InputError(f"The {what} holds no crystal but what Python prints of one; write it as CIF or JSON.")
    if stripped.startswith("{"):
        return structure_json.read(_dictionary(stripped, what), what)
    if CIF_LINE.search(text):
        found = cif.read(text, what)
        if len(found) > 1:
            raise InputError(f"The {what} holds {len(found)} crystals, where one is due.")
        if isinstance(found[0], InputError):
            raise found[0]
        return found[0]
    return poscar.read(text.lstrip("\ufeff"), what)


def _dictionary(text: str, what: str) -> Mapping[str, Any]:
    """A dictionary as JSON, or as Python writes it."""
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(found, Mapping):
            return found
    raise InputError(f"The {what} holds no crystal: it begins with a brace but is no JSON.")
