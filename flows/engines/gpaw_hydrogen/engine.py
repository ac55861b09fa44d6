"""The engine ``gpaw-hydrogen``: relaxation, static calculation and curve as by ``gpaw``, then interstitial hydrogen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

from pymatgen.core import Structure

from fermiloop.flows.engines.gpaw import engine as gpaw
from fermiloop.flows.engines.gpaw.declaration import GPAW
from fermiloop.flows.engines.gpaw.settings import GpawEngineSettings, refusal, relax_refusal
from fermiloop.flows.engines.gpaw_hydrogen.declaration import GPAW_HYDROGEN
from fermiloop.flows.engines.gpaw_hydrogen.settings import GpawHydrogenSettings, by_cutoffs, of_hydrogen
from fermiloop.flows.engines.moments import MAGMOM, of_collinear_spins
from fermiloop.flows.engines.protocol import EngineEntry, MethodRecord, versions
from fermiloop.platform.representations.molecules import is_molecule

if TYPE_CHECKING:
    from jobflow import Flow


def method(settings: Mapping[str, Any]) -> MethodRecord:
    """The Method: that of ``gpaw``, with how hydrogen is put into the crystal."""
    return MethodRecord(GPAW_HYDROGEN.name, "PBE", of_hydrogen(settings).science(), versions(gpaw.PACKAGES))


def flow(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """The flow of ``gpaw``, and hydrogen in what it has relaxed."""
    return _with_hydrogen(gpaw.flow, calculation, structure, settings, time_limit)


def static(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """The same at the geometry as it is: of the crystal, for hydrogen still finds its place."""
    return _with_hydrogen(gpaw.static, calculation, structure, settings, time_limit)


def _with_hydrogen(
    of_engine: Callable[..., Flow],
    calculation: str,
    structure: Structure,
    settings: Mapping[str, Any],
    time_limit: float,
) -> Flow:
    from jobflow import Flow, OnMissing  # a second: who only reads results needs none

    from fermiloop.flows.engines.gpaw_hydrogen.makers import HydrogenMaker

    checked = of_hydrogen(settings)
    of_gpaw = {f.name: getattr(checked, f.name) for f in fields(GpawEngineSettings)}
    given = structure.site_properties.get(MAGMOM)
    whole = of_engine(GPAW.name, calculation, structure, of_gpaw, time_limit)
    hydrogen = HydrogenMaker(
        settings=asdict(checked),
        versions=versions(gpaw.PACKAGES),
        moments=None if given is None else [float(one) for one in given],
        calculation=calculation,
        time_limit=time_limit,
    ).make(whole.output[GPAW.last_step])
    hydrogen.config.on_missing_references = OnMissing.NONE  # as `protocol.chain` does
    return Flow([whole, hydrogen], output={GPAW_HYDROGEN.last_step: hydrogen.output}, name="GPAW with hydrogen")


def refuses(structure: Structure, settings: Mapping[str, Any]) -> str | None:
    """Why the cutoff is too low for a crystal, or an element has no setup; None where it can be computed."""
    cutoff, _ = gpaw.cutoffs(GpawHydrogenSettings, settings)
    return refusal(structure.symbol_set, cutoff, by_cutoffs(cutoff))


def refuses_to_relax(structure: Structure, settings: Mapping[str, Any]) -> str | None:
    """Why the cutoff is too low for a crystal's stresses; None where its cell can be relaxed."""
    if is_molecule(structure):  # its cell is left as it is
        return None
    cutoff, extra = gpaw.cutoffs(GpawHydrogenSettings, settings)
    return relax_refusal(structure.symbol_set, cutoff + extra, by_cutoffs(cutoff))


def dos_range(settings: Mapping[str, Any]) -> tuple[float, float]:
    """First and last energy of the density of states, eV."""
    energies = of_hydrogen(settings).dos_energies
    return float(energies[0]), float(energies[-1])


ENGINE: Final = of_collinear_spins(
    EngineEntry(
        method,
        flow,
        gpaw.available,
        refuses=refuses,
        static=static,
        refuses_to_relax=refuses_to_relax,
        dos_range=dos_range,
    )
)
