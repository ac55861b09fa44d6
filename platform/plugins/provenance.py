"""Which package something came from: kept with what it made, and told when it is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.plugins.catalogue import Catalogue, D

PLUGIN: Final = "plugin"
"""Key of a checkpoint's configuration."""


def provenance(catalogue: Catalogue[Any], name: str) -> dict[str, Any]:
    """What is kept of the package that an entry comes from: nothing of our own ones."""
    source = catalogue.source(name)
    return {} if source is None else {PLUGIN: {"package": source.distribution, "version": source.version}}


def package_of(config: Mapping[str, Any]) -> str:
    """Package and version that a configuration tells of, empty where it tells of none."""
    kept = config.get(PLUGIN) or {}
    return f"{kept['package']} {kept['version']}".strip() if kept else ""


def told(catalogue: Catalogue[Any], name: str, config: Mapping[str, Any]) -> str:
    """The package of a name, in a few words; empty of our own.

    Parameters
    ----------
    config
        Of something that it made, for a name that is no longer installed.
    """
    if name in catalogue:
        source = catalogue.source(name)
        return f"{source.distribution} {source.version}" if source else ""
    kept = package_of(config)
    return f"{kept}, not installed" if kept else ""


def entry_of(catalogue: Catalogue[D], name: str, what: str, config: Mapping[str, Any] | None) -> D:
    """The declaration of a name.

    Parameters
    ----------
    what
        Kind of name, such as ``"generator"``.
    config
        Of a checkpoint of it, which tells the package where it is no longer installed.

    Raises
    ------
    NotFoundError
        If there is none of that name.
    """
    if name not in catalogue:
        raise NotFoundError(lost(catalogue, name, what, config or {}))
    return catalogue[name]


def lost(catalogue: Catalogue[Any], name: str, what: str, config: Mapping[str, Any]) -> str:
    """A sentence on a name that is not here, and the package that gave it where `config` tells of one.

    Parameters
    ----------
    what
        Kind of name, such as ``"generator"``.
    """
    kept = package_of(config)
    if kept and not catalogue.fault(name):
        return f"The {what} {name} came with the package {kept}, which is not installed here; install it again."
    return catalogue.missing(name, what)
