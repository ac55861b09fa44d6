"""Methods by name: which engine, functional and cutoff gave a number, with a page of every setting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from dash import html
from dash.development.base_component import Component

from fermiloop.platform.plugins.engines import ENGINES
from fermiloop.platform.store import methods
from fermiloop.platform.web.parts import Cell, facts, heading, link, section, table
from fermiloop.platform.web.site import Page, Site
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import EXTERNAL

# units of settings by their names, where a program has one
UNITS: Final = {
    "smearing": "eV", "dos_lo": "eV", "dos_hi": "eV", "dos_step": "eV", "dos_broadening": "eV", "rel_cutoff": "Ry",
    "kpoint_density": "per Å⁻¹", "symmetry_tolerance": "Å", "fmax": "eV/Å", "ENCUT": "eV", "SIGMA": "eV", "EDIFF": "eV",
}  # fmt: skip
ROWS: Final = {"name": "Setting", "value": "Value"}


def layout(site: Site, rest: str) -> Component:  # noqa: ARG001  (the signature of all pages)
    """The page of the Method of an id.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    found = methods.get(rest)
    rows = [{"name": name, "value": value} for name, value in _flat(found.settings, found.engine)]
    versions = [{"name": str(name), "value": str(value)} for name, value in found.code_versions.items()]
    return html.Div(
        [
            heading(name_of(found), "Numbers of different Methods are never compared."),
            section("What it is", facts({"Engine": str(found.engine), "Functional": found.functional, "Id": found.id})),
            section("Settings", table("Every setting that changes a result", ROWS, rows)),
            section("Programs", table("Versions that gave its first result", {"name": "Program", "value": "Version"},
                                      versions)),
        ]
    )  # fmt: skip


def name_of(method: Method) -> str:
    """Its name for people, such as ``gpaw, PBE, cutoff 400 eV``."""
    settings: Mapping[str, object] = dict(method.settings)
    parts = [method.source, str(method.functional)]
    unit, cutoff = _cutoff_unit(method.engine), settings.get("cutoff")
    if unit and isinstance(cutoff, int | float) and not isinstance(cutoff, bool):
        parts.append(f"cutoff {cutoff:g} {unit}")
    if method.engine == EXTERNAL and settings.get("release"):
        parts.append(f"release {settings['release']}")
    return ", ".join(parts)


def links_of(ids: Iterable[str | None]) -> dict[str, Cell]:
    """A link to each of these Methods, by its name; an id that is not in the store stays as it is."""
    return {str(one.id): to_method(one) for one in methods.of_ids(one for one in ids if one)}


def to_method(method: Method) -> Component:
    """Link to a Method by its name."""
    return link(name_of(method), "method", str(method.id))


def _cutoff_unit(engine: str) -> str | None:
    """Unit of an engine's cutoff; None where the engine is not installed here."""
    return ENGINES[engine].cutoff_unit if engine in ENGINES else None


def _flat(tree: Mapping[str, object], engine: str, prefix: str = "") -> list[tuple[str, str]]:
    """Settings with their units, those within others by the path to them."""
    rows: list[tuple[str, str]] = []
    for key, value in sorted(tree.items(), key=lambda item: str(item[0])):
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            rows += _flat(value, engine, f"{name}: ")
            continue
        unit = _cutoff_unit(engine) if key == "cutoff" else UNITS.get(str(key))
        shown = str(name).replace("_", " ") + (f" ({unit})" if unit else "")
        rows.append((shown, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)))
    return rows


PAGE = Page("Method", layout)
