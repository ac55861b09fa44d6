"""All configuration, in one class: environment variables with the prefix ``FERMILOOP_``."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from fermiloop.platform.errors import InputError

PREFIX = "FERMILOOP_"
OF_TESTS = f"{PREFIX}TEST_"  # read by the tests alone
HANDED_DOWN = frozenset({f"{PREFIX}FOLDER"})  # told to the program of the generator `command`, which may ask us back


class Settings(BaseSettings):
    """Settings of this process; unknown ``FERMILOOP_`` variables are refused."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    data_dir: Path = Field(
        default=Path.home() / ".local" / "share" / "fermiloop",
        description="Folder of everything kept on disk: embedded database, calculations, reports.",
    )
    mongodb_uri: str | None = Field(
        default=None, repr=False, description="URI of a MongoDB server; unset starts the embedded one."
    )
    database: str = Field(default="fermiloop", pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,50}$", description="Database name.")
    embedded_command: str | None = Field(
        default=None, description="Command of the embedded server, in place of the one that pip installed."
    )
    serve_open_reads: bool = Field(
        default=True,
        description="Whether reads need no token; if they do, the REST API alone is served. Writes always need one.",
    )
    embedded_sync: bool = Field(
        default=True, description="Flush every commit to disk; off is faster and may lose the last milliseconds."
    )
    dos_alignment: Literal["midgap", "vbm"] = Field(
        default="midgap",
        description="What lies at zero of densities of states where they are compared and shown: the middle of the "
        "gap, or the valence edge; of metals the Fermi level.",
    )
    silence_seconds: float = Field(
        default=180.0, ge=6, le=86_400,
        description="A run of another host or container that is not heard for so long is lost; the same everywhere.",
    )  # fmt: skip
    shared_group: str | None = Field(
        default=None, description="Group of users who may read and write the data folder; unset keeps it private."
    )
    allow_commands: bool = Field(
        default=False,
        description="Whether a campaign that comes over the network may name programs for the generator command, or "
        "code for the engine flow; who may launch then runs any program on the workers.",
    )
    threads: int = Field(default=1, ge=1, le=64, description="Threads of one calculation or training.")
    mp_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices(f"{PREFIX}MP_API_KEY", "MP_API_KEY"),
        description="Key of the Materials Project's API, also read from MP_API_KEY.",
    )


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Environment for a child that needs no database and no key: what names an account is left out."""
    secret = {f"{PREFIX}MONGODB_URI", f"{PREFIX}MP_API_KEY", "MP_API_KEY"}
    return {name: value for name, value in environment.items() if name.upper() not in secret}


@cache
def settings() -> Settings:
    """Settings from the environment, read once a process.

    Raises
    ------
    InputError
        If a ``FERMILOOP_`` variable is unknown or its value does not fit.
    """
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields} | HANDED_DOWN
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name.upper() not in known and not name.startswith(OF_TESTS):
            near = difflib.get_close_matches(name.upper(), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}."
            raise InputError(f"The environment variable {name} is no setting of fermiloop; {hint}")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"{PREFIX}{first['loc'][0]}".upper()
        raise InputError(f"The environment variable {name} is invalid: {first['msg']}.") from None
