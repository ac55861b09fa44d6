"""References and hulls over REST: read without a token, computed with one, and no file of the server is read."""

from __future__ import annotations

from typing import Any

import pytest

from fermiloop.flows.campaigns import elements
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations, labels, materials, methods
from fermiloop.schemas.vocabulary import Origin, Property, Role


def with_energies(energies: dict[tuple[str, ...], float]) -> str:
    """A store with these energies by the engine `analytic`; the Method's id."""
    made = elements.method("analytic", {})
    method = methods.save(made.engine, made.functional, dict(made.settings), dict(made.code_versions))
    for symbols, energy in energies.items():
        name = "A1" if len(symbols) == 1 else "B2"
        crystal = PROTOTYPES[name].build(symbols[0], symbols[1] if len(symbols) > 1 else None, 12.0)
        key = materials.save(crystal, origin=Origin.IMPORT, source={"name": "here"})
        labels.save(key, Property.ENERGY_PER_ATOM, energy, method=method)
    return method


def test_references_and_a_hull_are_read(client: Any, world: Any) -> None:
    here = client()
    with_energies({("Al",): -1.0, ("Ni",): -2.0, ("Al", "Ni"): -2.5})
    found = here.get("/references?engine=analytic&elements=Al,Cu").json()["data"]
    assert [(one["element"], one["energy_per_atom"]) for one in found] == [("Al", -1.0), ("Cu", None)]
    phases = here.get("/hulls?engine=analytic&elements=Ni,Al").json()["data"]
    shown = {one["formula"]: (one["formation_energy_per_atom"], one["energy_above_hull"]) for one in phases}
    assert shown == {"AlNi": (-1.0, 0.0), "Al": (0.0, 0.0), "Ni": (0.0, 0.0)}
    lacking = here.get("/hulls?engine=analytic&elements=Ni,Cu")
    assert (lacking.status_code, "Cu has no reference energy" in lacking.json()["error"]) == (422, True)


def test_elements_and_phases_are_queued_with_a_token_once(client: Any, world: Any) -> None:
    asked = {"engine": "analytic", "elements": ["Al", "Ni"]}
    assert client(Role.READ).post("/references", json=asked).status_code == 403
    assert calculations.handed_over() == []
    here = client(Role.LAUNCH)
    answer = here.post("/references", json=asked)
    told = answer.json()
    assert (answer.status_code, [one["handed_over"] for one in told["data"]]) == (
        201, ["reference of Al", "reference of Ni"]
    )  # fmt: skip
    assert told["told"].startswith("2 of 2 are queued. No worker listens")
    assert (told["restated"], told["refused"]) == (0, {})
    phases = here.post("/hulls", json=asked | {"limit": 5}).json()["data"]
    assert sorted(one["formula"] for one in phases) == ["Al", "AlNi", "Ni"]
    assert len(calculations.handed_over()) == 3


@pytest.mark.parametrize(
    ("path", "change", "told"),
    [
        ("/references", {"elements": ["Xx"]}, "Xx is no element"),
        ("/references", {"engine": "nothing"}, "nothing is not installed"),
        ("/references", {"engine": "flow", "settings": {"maker": "os:system"}}, "a program to run"),
        ("/hulls", {"engine": "recorded", "settings": {"file": "/etc/passwd"}}, "a file of this machine"),
        ("/hulls", {"elements": []}, "elements"),
    ],
)
def test_what_cannot_be_computed_is_refused(
    client: Any, world: Any, path: str, change: dict[str, Any], told: str
) -> None:
    answer = client(Role.LAUNCH).post(path, json={"engine": "analytic", "elements": ["Al", "Ni"]} | change)
    assert answer.status_code in (400, 422), answer.text
    assert told in answer.json()["error"]
    assert calculations.handed_over() == []


@pytest.mark.parametrize("path", ["/references?", "/hulls?elements=Al,Ni&"])
def test_reading_reads_no_file_of_the_server(client: Any, world: Any, path: str) -> None:
    answer = client().get(f"{path}engine=recorded&settings=file%3D/etc/passwd")
    assert (answer.status_code, "a file of this machine" in answer.json()["error"]) == (422, True)
    assert client().get(f"{path}engine=analytic&settings=nonsense").status_code == 422
