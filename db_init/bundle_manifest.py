"""The manifest of a campaign's archive: what is in it, by whose terms, and what made it."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterable
from importlib import metadata
from typing import Annotated, Final, Literal

from bson import json_util
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from fermiloop.platform.errors import InputError
from fermiloop.platform.store.bundle_contents import KINDS

FORMAT: Final = 1
NAME: Final = "manifest.json"
JSON: Final = json_util.CANONICAL_JSON_OPTIONS.with_options(tz_aware=True)  # times as the store gives them
SPEC: Final = "campaign.yaml"  # for people; what counts lies among the documents
LARGEST: Final = 10_000_000  # bytes of the manifest
STANDS_ON: Final = (
    "numpy", "scipy", "torch", "safetensors", "pymatgen", "ase", "mongoengine", "pymongo", "jobflow", "atomate2",
    "fireworks", "chgnet", "gpaw",
)  # fmt: skip
MEMBER: Final = re.compile(rf"{re.escape(SPEC)}|documents/(?:{'|'.join(KINDS)})\.jsonl|files/[0-9a-f]{{64}}")

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
MemberName = Annotated[str, StringConstraints(pattern=f"^(?:{MEMBER.pattern})$")]


class Part(BaseModel):
    """Base of the parts of a manifest: what is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Member(Part):
    """One file of the archive."""

    sha256: Digest
    size: int = Field(ge=0)


class Licence(Part):
    """Terms of one source."""

    source: str
    licence: str
    materials: int = Field(ge=0)
    methods: list[str]


class Manifest(Part):
    """What an archive holds."""

    format: Literal[1]
    schema_version: int = Field(ge=0)
    campaign: str
    created: str
    fermiloop: str
    versions: dict[str, str]
    licences: list[Licence]
    counts: dict[str, int]
    members: dict[MemberName, Member]


def parse(text: bytes) -> Manifest:
    """The manifest of a text.

    Raises
    ------
    InputError
        If it is none, or of another format.
    """
    try:
        raw = json.loads(text)
        if isinstance(raw, dict) and isinstance(raw.get("format"), int) and raw["format"] > FORMAT:
            raise InputError(f"The archive has the format {raw['format']}: upgrade fermiloop to load it.")
        return Manifest.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))[:100]
        raise InputError(f"The archive's manifest is invalid at {where}: {first['msg']}.") from None
    except (ValueError, RecursionError):
        raise InputError("The archive's manifest is no JSON.") from None


def versions(packages: Iterable[str] = STANDS_ON) -> dict[str, str]:
    """Versions of Python and of those packages that are installed."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def own_version() -> str:
    """Version of fermiloop, or that it runs from its source."""
    try:
        return metadata.version("fermiloop")
    except metadata.PackageNotFoundError:
        return "source"
