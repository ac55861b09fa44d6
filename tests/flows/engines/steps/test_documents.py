"""Task documents that cannot be written as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jobflow import JobStore
from maggma.stores import MemoryStore
from monty.json import MSONable
from monty.serialization import loadfn
from pymatgen.electronic_structure.core import Orbital, Spin
from pymatgen.electronic_structure.dos import CompleteDos, Dos

from fermiloop.flows.engines.steps import documents, native
from fermiloop.platform.representations.prototypes import PROTOTYPES

NIAL = PROTOTYPES["B2"].build("Al", "Ni", 12.0)


class Stubborn(MSONable):
    """Cannot be written."""

    def as_dict(self) -> dict[str, Any]:
        """Fail."""
        raise ValueError("no")


@pytest.fixture
def stripped() -> CompleteDos:
    """A density of states as emmet leaves it when it strips projections."""
    energies = np.linspace(-5.0, 5.0, 11)
    density = {Spin.up: np.ones_like(energies)}
    made = CompleteDos(NIAL, Dos(0.5, energies, density), {site: {Orbital.s: density} for site in NIAL})
    made.pdos = None
    return made


def test_a_curve_without_projections_is_kept_as_a_plain_one(stripped: CompleteDos, tmp_path: Path) -> None:
    path = tmp_path / "document.json.gz"
    native._keep({"vasp_objects": {"dos": stripped}}, path)
    found = loadfn(path)["vasp_objects"]["dos"]
    assert type(found) is Dos
    assert found.efermi == 0.5
    assert found.densities[Spin.up].tolist() == stripped.densities[Spin.up].tolist()


def test_the_job_store_takes_the_document_that_was_kept(
    vasp_document: Any, stripped: CompleteDos, tmp_path: Path
) -> None:
    import json

    from monty.json import MontyEncoder

    document = vasp_document(NIAL, curve=stripped)
    kept = documents.keep(document, tmp_path / "document.json.gz")
    assert type(kept) is type(document)
    assert kept.output.energy == document.output.energy
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    store.connect()
    store.update(
        {"uuid": "a", "index": 1, "output": json.loads(json.dumps(kept, cls=MontyEncoder)), "metadata": {}},
        key=["uuid", "index"],
    )
    assert documents.load(tmp_path / "document.json.gz").output.energy == document.output.energy


def test_what_has_no_plain_form_is_left_out_and_the_rest_is_kept(tmp_path: Path) -> None:
    kept = documents.keep({"a": [1.5, Stubborn()], "b": {"c": Stubborn(), "d": "x"}}, tmp_path / "d.json.gz")
    assert kept == {"a": [1.5, None], "b": {"c": None, "d": "x"}}
    assert loadfn(tmp_path / "d.json.gz") == kept


def test_what_can_be_written_is_the_same_object(tmp_path: Path) -> None:
    document = {"structure": NIAL}
    assert documents.keep(document, tmp_path / "d.json.gz") is document
