"""The Materials Project, by a stand-in with the surface of mp-api's MPRester whose answers are dictionaries."""

from __future__ import annotations

from inspect import signature
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from emmet.core.summary import SummaryDoc
from mp_api.client import MPRester
from mp_api.client.core import MPRestError
from mp_api.client.routes.materials.summary import SummaryRester
from pymatgen.core import Lattice, Structure
from pymatgen.electronic_structure.core import Spin
from pymatgen.electronic_structure.dos import Dos

from fermiloop.db_init.importers import mp
from fermiloop.db_init.importers.options import LoadOptions
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.errors import FailureError, InputError, UserError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import labels, materials, methods, quarantine, spectra

NIAL = LoadOptions(elements=("Ni", "Al"))


class Summary:
    """`client.materials.summary`."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows, self.asked = {row["material_id"]: row for row in rows}, []

    def search(self, material_ids: list[str] | None = None, fields: Any = None, **query: Any) -> list[dict[str, Any]]:
        self.asked.append({"material_ids": material_ids, **query})
        found = [self.rows[key] for key in (material_ids or self.rows) if key in self.rows]
        return [{name: row[name] for name in fields if name in row} for row in found]


class Client:
    """An MPRester made with `use_document_model=False`."""

    db_version = "2026.11.1"

    def __init__(self, rows: list[dict[str, Any]], dos: dict[str, Any] | None = None) -> None:
        self.materials, self.dos = SimpleNamespace(summary=Summary(rows)), dos or {}

    def get_dos_by_material_id(self, key: str) -> Dos:
        found = self.dos.get(key, MPRestError(f"No density of states data found for {key}"))
        if isinstance(found, Exception):
            raise found
        return found


def row(number: int, **changes: Any) -> dict[str, Any]:
    structure = Structure(Lattice.cubic(2.8 + 0.1 * number), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    return {
        "material_id": f"mp-{number}", "structure": structure.as_dict(), "formation_energy_per_atom": -0.6,
        "energy_above_hull": 0.0, "band_gap": 0.0, "bulk_modulus": {"vrh": 158.0, "voigt": 160.0},
        "shear_modulus": None,
    } | changes  # fmt: skip


def dos(low: float = -15.0) -> Dos:
    energies = np.linspace(low, 15.0, 2001)
    half = np.exp(-0.5 * (energies - 5.0) ** 2)
    return Dos(5.0, energies, {Spin.up: half, Spin.down: half})


def test_structures_numbers_and_curves_come_in_once(database: str) -> None:
    client = Client([row(1), row(2)], {"mp-1": dos()})
    options = LoadOptions(elements=("Ni", "Al"), dos=True)
    assert mp.load(options=options, client=client) == LoadReport(2, 0, 1)
    assert client.materials.summary.asked[0] == {
        "material_ids": None, "deprecated": False, "elements": ["Ni", "Al"],
    }  # fmt: skip
    found = {m.source["key"]: m for m in materials.find(materials.MaterialQuery())}
    assert found["mp-1"].source["licence"] == "CC BY 4.0"
    known = {str(label.property): label for label in labels.of_material(found["mp-1"].id)}
    assert {name: label.value for name, label in known.items()} == {
        "formation_energy_per_atom": -0.6, "energy_above_hull": 0.0, "band_gap": 0.0, "bulk_modulus": 158.0,
    }  # fmt: skip
    method = methods.get(known["band_gap"].method)
    assert method.settings == {"source": "Materials Project", "licence": "CC BY 4.0", "release": "2026.11.1"}
    assert methods.of_source("Materials Project").id == method.id
    curve = spectra.of_material(found["mp-1"].id, method=method.id)
    assert curve is not None
    assert curve.points()[np.argmax(curve.array())] == pytest.approx(0.0, abs=0.05)
    assert np.trapezoid(curve.array(), curve.points()) == pytest.approx(2 * np.sqrt(2 * np.pi), rel=1e-3)
    assert spectra.of_material(found["mp-2"].id) is None
    assert "No density of states" in quarantine.find("Materials Project")[0].reason

    client.materials.summary.asked.clear()
    assert mp.load(options=options, client=client) == LoadReport(0, 2, 1)
    assert [asked["material_ids"] for asked in client.materials.summary.asked] == [None]


def test_a_load_that_was_cut_off_goes_on(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mp, "CHUNK", 1)
    client = Client([row(1), row(2)], {"mp-1": dos(), "mp-2": ConnectionError("reset")})
    options = LoadOptions(elements=("Ni",), dos=True)
    with pytest.raises(FailureError, match="did not give what was asked for: reset"):
        mp.load(options=options, client=client)
    client.dos["mp-2"] = dos()
    assert mp.load(options=options, client=client) == LoadReport(1, 1, 0)


def test_bad_documents_are_told(database: str) -> None:
    broken = [row(2, structure={"sites": []}), row(3, band_gap=-4.0), row(4, formation_energy_per_atom="low")]
    client = Client([row(1), *broken])
    assert mp.load(options=NIAL, client=client) == LoadReport(1, 0, 3)
    assert {entry.excerpt[:4] for entry in quarantine.find("Materials Project")} == {"mp-2", "mp-3", "mp-4"}


def test_a_curve_that_does_not_reach_is_left_out_and_told(database: str) -> None:
    client = Client([row(1)], {"mp-1": dos(low=0.0)})
    assert mp.load(options=LoadOptions(limit=1, dos=True), client=client) == LoadReport(1, 0, 1)
    assert "covers -5.00 to 10.00 eV" in quarantine.find("Materials Project")[0].reason


def test_another_database_version_is_another_method(database: str) -> None:
    client = Client([row(1)])
    mp.load(options=NIAL, client=client)
    client.db_version = "2027.1.1"
    mp.load(options=NIAL, client=client)
    (found,) = materials.find(materials.MaterialQuery())
    gaps = [label for label in labels.of_material(found.id) if label.property == "band_gap"]
    assert len({label.method for label in gaps}) == 2
    assert methods.of_source("Materials Project").settings["release"] == "2027.1.1"


def test_the_key_is_asked_for_and_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MP_API_KEY", raising=False)
    with pytest.raises(UserError, match="set MP_API_KEY"):
        mp.load(options=NIAL)
    monkeypatch.setenv("MP_API_KEY", "s3cret" * 6)
    settings.cache_clear()
    client = Client([])
    client.materials.summary.search = lambda **_: (_ for _ in ()).throw(ValueError(f"bad key {'s3cret' * 6}"))
    with pytest.raises(FailureError, match=r"bad key \*\*\*"):
        mp.load(options=NIAL, client=client)
    assert "s3cret" not in repr(settings())


def test_the_stand_in_is_asked_only_for_what_the_real_client_has(database: str) -> None:
    client = Client([row(1)])
    for options in (LoadOptions(elements=("Ni",)), LoadOptions(chemsys="Al-Ni"), LoadOptions(limit=1)):
        mp.load(options=options, client=client)
    asked = {name for one in client.materials.summary.asked for name in one}
    assert asked | {"fields"} <= set(signature(SummaryRester.search).parameters)
    assert set(signature(MPRester.get_dos_by_material_id).parameters) >= {"material_id"}
    assert {"api_key", "use_document_model", "mute_progress_bars"} <= set(signature(MPRester).parameters)
    assert set(mp.ASKED) <= set(SummaryDoc.model_fields)


def test_all_of_it_is_not_loaded_by_mistake() -> None:
    with pytest.raises(InputError, match="--chemsys"):
        mp.load()
