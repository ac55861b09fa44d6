"""The engine ``chgnet-phonon``: a relaxation by CHGNet, then the phonon density of states of what it relaxed to."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from pymatgen.core import Structure

from fermiloop.flows.engines.chgnet.engine import refuses
from fermiloop.flows.engines.chgnet_phonon.declaration import CHGNET_PHONON
from fermiloop.flows.engines.chgnet_phonon.settings import of_phonons
from fermiloop.flows.engines.protocol import Availability, EngineEntry, MethodRecord, chain, version, versions

if TYPE_CHECKING:
    from jobflow import Flow, Job

PACKAGES: Final = ("chgnet", "phonopy")
REMEDY: Final = "phonopy is not installed; pip install '.[phonons]' in fermiloop's folder"


def method(settings: Mapping[str, Any]) -> MethodRecord:
    """The Method: the pretrained potential, and how phonons are computed by it."""
    return MethodRecord(CHGNET_PHONON.name, "CHGNet 0.3.0", of_phonons(settings).science(), versions(PACKAGES))


def flow(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """Relax cell and positions; then displace atoms of a supercell."""
    checked = of_phonons(settings)
    arguments = {"fmax": checked.fmax, "steps": checked.steps}
    return _with_phonons("chgnet_relax", arguments, calculation, structure, settings, time_limit)


def static(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """The same at the geometry as it is, where forces may be left."""
    return _with_phonons("chgnet_static", {}, calculation, structure, settings, time_limit)


def _with_phonons(
    kind: str,
    arguments: Mapping[str, Any],
    calculation: str,
    structure: Structure,
    settings: Mapping[str, Any],
    time_limit: float,
) -> Flow:
    from fermiloop.flows.engines.chgnet_phonon.makers import PhononMaker
    from fermiloop.flows.engines.makers import ChildRelaxMaker

    relax = ChildRelaxMaker(
        name="CHGNet geometry", kind=kind, arguments=dict(arguments), calculation=calculation, time_limit=time_limit
    ).make(structure)
    phonons = PhononMaker(settings=asdict(of_phonons(settings)), calculation=calculation, time_limit=time_limit)
    before: Sequence[Job] = [relax]
    return chain("CHGNet phonons", before, {CHGNET_PHONON.last_step: phonons.make(relax.output)})


def available() -> Availability:
    """CHGNet comes with the platform, phonopy by an extra."""
    there = importlib.util.find_spec("phonopy") is not None
    return Availability(there, f"CHGNet {version('chgnet')}, phonopy {version('phonopy')}" if there else REMEDY)


ENGINE: Final = EngineEntry(method, flow, available, refuses=refuses, static=static)
