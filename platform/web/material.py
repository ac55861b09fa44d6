"""One material: its crystal, its labels with their methods, its curve, where it came from."""

from __future__ import annotations

from typing import Final

from dash import dcc, html
from dash.development.base_component import Component

from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import calculations, labels, materials, methods, spectra
from fermiloop.platform.web import figures, method, wording
from fermiloop.platform.web.candidate import downloads, unit_curve
from fermiloop.platform.web.crystals import scene
from fermiloop.platform.web.parts import facts, graph, heading, link, number, section, table, to_candidate
from fermiloop.platform.web.site import Page, Site
from fermiloop.platform.web.symmetry import group
from fermiloop.schemas.material import Material
from fermiloop.schemas.vocabulary import Unit

LABELS: Final = {"property": "Property", "value": "Value", "unit": "Unit", "method": "Method", "version": "Version"}
RUNS: Final = {"id": "Calculation", "engine": "Engine", "state": "State", "cost": "Cost (core-seconds)"}


def layout(site: Site, rest: str) -> Component:  # noqa: ARG001  (the signature of all pages)
    """The page of the material of an id.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    found = materials.get(rest)
    spectrum = spectra.of_material(rest)
    curve = unit_curve(spectrum)
    drawn = figures.curves(None, {found.formula: curve}, DOS_GRID.points.tolist()) if curve else None
    by = f"Unit area from -7.5 to 7.5 eV; by {_method_name(spectrum.method)}." if spectrum else ""
    return html.Div(
        [
            heading(found.formula, f"Material {found.id}, space group {group(found.space_group)}"),
            section("What it is", _facts(found), downloads(spectrum is not None)),
            section("Crystal", scene(found.to_structure())),
            section("Density of states", graph(drawn, by) if drawn else html.P("None is stored.", className="quiet")),
            section("Labels", _labels(rest), _runs(rest)),
            dcc.Store(id="shown", data={"material": found.id}),
        ]
    )


def _facts(found: Material) -> Component:
    source: dict[str, object] = dict(found.source)
    return facts(
        {
            "Space group": f"{group(found.space_group)}, {found.crystal_system}",
            "Prototype": found.prototype,
            "Origin": str(found.origin),
            "Source": ", ".join(f"{key}: {value}" for key, value in source.items() if value),
            "Candidate": to_candidate(found.candidate),
        }
    )


def _labels(material: str) -> Component:
    found = labels.of_material(material)
    by = method.links_of(one.method for one in found)
    rows = [
        {
            "property": wording.plain(str(one.property)),
            "value": number(one.value, 4),
            "unit": "" if one.unit == Unit.DIMENSIONLESS else str(one.unit),
            "method": by.get(one.method, one.method),
            "version": one.version,
        }
        for one in found
    ]
    return table("Labels: a later value is a later version", LABELS, rows)


def _runs(material: str) -> Component:
    rows = [
        {
            "id": link(one.id, "calculation", one.id),
            "engine": str(one.engine),
            "state": str(one.state),
            "cost": number(one.core_seconds, 1),
        }
        for one in calculations.of_material(material)
    ]
    return table("Calculations that gave it", RUNS, rows)


def _method_name(identifier: str) -> str:
    known = methods.of_ids([identifier])
    return method.name_of(known[0]) if known else identifier


PAGE = Page("Material", layout)
