"""The page of references and hulls: what is shown, and what is queued with the token."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from fermiloop.flows.campaigns import elements
from fermiloop.flows.campaigns.hulls import Phase
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations, labels, materials, methods
from fermiloop.platform.web import app as pages
from fermiloop.platform.web import references
from fermiloop.platform.web.site import Site
from fermiloop.schemas.vocabulary import Origin, Property


def stored(*energies: tuple[tuple[str, ...], float]) -> dict[str, str]:
    made = elements.method("analytic", {})
    method = methods.save(made.engine, made.functional, dict(made.settings), dict(made.code_versions))
    found = {}
    for symbols, energy in energies:
        name = "A1" if len(symbols) == 1 else "B2"
        crystal = PROTOTYPES[name].build(symbols[0], symbols[1] if len(symbols) > 1 else None, 12.0)
        key = materials.save(crystal, origin=Origin.IMPORT, source={"name": "here"})
        labels.save(key, Property.ENERGY_PER_ATOM, energy, method=method)
        found["".join(symbols)] = key
    return found


def test_references_and_the_hull_of_a_system_are_shown(site: Site, database: str, show: Any, calls: Any) -> None:
    pages.create_app()
    keys = stored((("Al",), -1.0), (("Ni",), -2.0), (("Al", "Ni"), -2.5))
    shown = pages.page_of(site, "/references", search="?engine=analytic&elements=Al%2C+Ni")[1]
    words = show.words(shown)
    assert "2 of 2 elements have a reference" in words
    assert "3 stored phases of Al-Ni" in words
    assert f"/material/{keys['AlNi']}" in show.links(shown)
    lacking = show.words(pages.page_of(site, "/references", search="?engine=analytic&elements=Al%2C+Cu")[1])
    assert "None has Cu." in lacking
    assert "Cu has no reference energy by analytic" in lacking
    refused = show.words(
        pages.page_of(site, "/references", search="?engine=recorded&settings=file%3D%2Fetc%2Fpasswd")[1]
    )
    assert "a file of this machine" in refused


def test_what_lacks_is_queued_with_the_token(site: Site, database: str, show: Any, calls: Any) -> None:
    pages.create_app()
    shown = {"engine": "analytic", "elements": "Al, Ni", "settings": "fmax=0.1"}
    assert show.words(references.build(site, shown, None, hull=False)) == "No role launch."
    assert calculations.handed_over() == []
    assert "2 of 2 are queued" in show.words(references.build(site, shown, "good", hull=False))
    assert {one.handed_over for one in calculations.handed_over()} == {"reference of Al", "reference of Ni"}
    assert "name its elements" in show.words(references.build(site, shown | {"elements": ""}, "good", hull=True))
    assert "a program to run" in show.words(references.build(site, {"engine": "flow"}, "good", hull=True))
    assert "no element" in show.words(references.build(site, shown | {"elements": "Qq"}, "good", hull=False))


def test_points_lie_at_the_fraction_of_the_second_element() -> None:
    (point,) = references.points([Phase("AlNi3", "m-1", "L1_2", -3.0, -0.4, 0.0)], ["Ni", "Al"])
    assert (point["fraction"], point["formation_energy"]) == (0.75, -0.4)
    assert dcc.Graph in {type(one) for one in _parts(references._hull([], ["Al", "Ni"]))}


def _parts(component: Any) -> list[Any]:
    children = getattr(component, "children", None) or []
    inner = children if isinstance(children, list) else [children]
    found = [component]
    for one in inner:
        found += _parts(one) if isinstance(one, html.Div | html.Figure) else [one]
    return found
