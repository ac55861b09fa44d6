"""Task documents on disk: written whole, and with a substitute for what cannot be written as it is."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monty.json import MontyEncoder
from monty.serialization import loadfn
from pydantic import BaseModel
from pymatgen.electronic_structure.dos import CompleteDos, Dos

logger = logging.getLogger("fermiloop.flows")


def keep(output: Any, path: Path) -> Any:
    """Write a document in one move (gzipped JSON); the document as it was written."""
    try:
        text = _text(output)
    except Exception as error:  # noqa: BLE001  (any library's own serialisation may fail in its own way)
        logger.warning("a task document is written without what cannot be: %s: %s", type(error).__name__, error)
        output = storable(output)
        text = _text(output)
    partial = path.with_name(f"part-{path.name}")
    partial.write_bytes(gzip.compress(text.encode("utf-8"), 6))
    partial.replace(path)
    return output


def load(path: Path) -> Any:
    """The document of a file, its objects made again."""
    return loadfn(path)


def storable(value: Any) -> Any:
    """The same document with a plain form of each part that cannot be written, None where there is no such form."""
    if _is_writable(value):
        return value
    if isinstance(value, CompleteDos):  # emmet sets its projections to None, which its as_dict does not expect
        return Dos(value.efermi, value.energies, value.densities)
    if isinstance(value, BaseModel):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        changed = {name: storable(part) for name, part in fields.items() if not _is_writable(part)}
        return value.model_copy(update=changed)
    if isinstance(value, Mapping):
        return {key: storable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [storable(part) for part in value]
    logger.warning("a %s cannot be written and is left out of its task document", type(value).__name__)
    return None


def _is_writable(value: Any) -> bool:
    try:
        _text(value)
    except Exception:  # noqa: BLE001
        return False
    return True


def _text(value: Any) -> str:
    return json.dumps(value, cls=MontyEncoder)
