"""VASP by the settings of the Materials Project, as native atomate2 jobs.

Two relaxations, a static calculation and a non-self-consistent one on a uniform mesh for the density of states, with
the input sets of atomate2's ``MPGGARelaxMaker`` and ``MPGGAStaticMaker`` and pymatgen's ``MPNonSCFSet``.
atomate2's own ``RelaxMaker`` is PBEsol with fewer k-points: its energies do not mix with the Materials Project's.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from jobflow import Flow, Job
from pymatgen.core import SETTINGS as PYMATGEN_SETTINGS
from pymatgen.core import Structure

from fermiloop.flows.engines.curve import GRID_BOUNDS, DosGrid
from fermiloop.flows.engines.moments import of_collinear_spins
from fermiloop.flows.engines.protocol import (
    Availability,
    EngineEntry,
    MethodRecord,
    chain,
    checked_settings,
    refuse_bounds,
    versions,
)
from fermiloop.flows.engines.vasp.declaration import VASP
from fermiloop.flows.engines.vasp.functional import COVERED
from fermiloop.flows.engines.vasp.labels import vasp_labels
from fermiloop.flows.engines.vasp.makers import (
    SHORTEST_SECONDS,
    functional_asked_for,
    incar_updates,
    relax_maker,
    scf_maker,
    uniform_maker,
)
from fermiloop.platform.errors import InputError

CORRECTIONS: Final = ("MP2020", "none")
POTCARS: Final = ("PBE", "PBE_52", "PBE_54", "PBE_64")
PACKAGES: Final = ("atomate2", "pymatgen", "pymatgen-core", "emmet-core", "custodian")


@dataclass(frozen=True)
class VaspSettings(DosGrid):
    """What may be chosen; all of it is in the Method.

    Parameters
    ----------
    potcar
        Set of POTCARs; the Materials Project computes with ``PBE``.
    corrections
        ``MP2020`` takes energies with pymatgen's MaterialsProject2020Compatibility, ``none`` as VASP gives them.
    dos_kpoints
        k-points per Å⁻³ of reciprocal cell, of the density of states.
    dos_bands_factor
        Bands of the density of states, as a multiple of VASP's default.
    """

    potcar: str = "PBE"
    corrections: str = "MP2020"
    dos_kpoints: float = 200.0
    dos_bands_factor: float = 2.0

    def __post_init__(self) -> None:
        for name, value, known in (("potcar", self.potcar, POTCARS), ("corrections", self.corrections, CORRECTIONS)):
            if value not in known:
                raise InputError(f"The setting {name} of the vasp engine is {value!r}; known are {', '.join(known)}.")


def method(settings: Mapping[str, Any]) -> MethodRecord:
    """The Method: functional, input sets by name, POTCARs, Hubbard U, corrections, and the grid of the curve.

    Raises
    ------
    InputError
        If a setting is unknown or none that it can be, or the corrections do not cover the functional.
    """
    chosen = _checked(settings)
    functional = functional_asked_for(chosen.potcar)
    if chosen.corrections != "none" and functional != COVERED:
        raise InputError(
            f"The corrections {chosen.corrections} are for {COVERED} and {COVERED}+U, and VASP_INCAR_UPDATES in "
            f"~/.atomate2.yaml asks for {functional}; set corrections: none in the settings of the vasp engine."
        )
    sets = {"relax": "MPRelaxSet", "static": "MPStaticSet", "dos": "MPNonSCFSet"}
    science = {
        **asdict(chosen),
        "input_sets": sets,
        "hubbard_u": hubbard_table(),
        "dos_zero": "Fermi level, middle of the gap of an insulator",
    }
    if updates := incar_updates():
        science["incar_updates"] = updates
    return MethodRecord(VASP.name, functional, science, versions(PACKAGES))


def hubbard_table() -> dict[str, dict[str, float]]:
    """Hubbard U in eV of the input sets, by the anion of the crystals that they are applied in, and by element.

    One Method covers all crystals of a campaign, so it holds the whole scheme; what was applied to a crystal is in the
    result of its calculation.
    """
    from pymatgen.io.vasp.sets import MPRelaxSet

    if not bool(incar_updates().get("LDAU", True)):
        return {}
    table = MPRelaxSet.CONFIG["INCAR"]["LDAUU"]
    return {str(anion): {str(el): float(u) for el, u in sorted(of.items())} for anion, of in sorted(table.items())}


def flow(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """Relax twice, static, density of states, and the labels out of their task documents."""
    common = _common(calculation, settings, time_limit)
    first = relax_maker(step="relax1", **common).make(structure)
    second = relax_maker(step="relax2", **common).make(first.output.structure, prev_dir=first.output.dir_name)
    scf = scf_maker(**common).make(second.output.structure, prev_dir=second.output.dir_name)
    return _ended("VASP relax, static and DOS", [first, second, scf], settings, common)


def static(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """Static and density of states at the geometry as it is, and the labels out of their task documents."""
    common = _common(calculation, settings, time_limit)
    return _ended("VASP static and DOS", [scf_maker(**common).make(structure)], settings, common)


def _common(calculation: str, settings: Mapping[str, Any], time_limit: float) -> dict[str, Any]:
    """What the makers of all steps take."""
    return {
        "calculation": calculation,
        "potcar": checked_settings(VaspSettings, settings, VASP.name).potcar,
        "time_limit": max(time_limit, SHORTEST_SECONDS),
        "functional": method(settings).functional,
    }


def _ended(name: str, jobs: list[Job], settings: Mapping[str, Any], common: dict[str, Any]) -> Flow:
    """Flow of jobs, the last of which is static, with the density of states and the labels after them."""
    chosen, scf = checked_settings(VaspSettings, settings, VASP.name), jobs[-1]
    dos = uniform_maker(kpoints=chosen.dos_kpoints, bands_factor=chosen.dos_bands_factor, **common).make(
        scf.output.structure, prev_dir=scf.output.dir_name
    )
    labels = vasp_labels(common["calculation"], asdict(chosen), scf.output, dos.output)
    return chain(name, [*jobs, dos], {"static": labels})


def available() -> Availability:
    """Whether VASP's command and its POTCARs are there."""
    from atomate2 import SETTINGS  # seconds

    missing = [*missing_programs(SETTINGS.VASP_CMD, "VASP_CMD"), *_missing_potcars()]
    if missing:
        return Availability(False, "; ".join(missing))
    return Availability(True, f"VASP by {SETTINGS.VASP_CMD!r}, POTCARs in {PYMATGEN_SETTINGS['PMG_VASP_PSP_DIR']}")


def refuses(structure: Structure, settings: Mapping[str, Any]) -> str | None:  # noqa: ARG001  (the table's signature)
    """Why the Materials Project's settings do not cover a crystal."""
    from pymatgen.io.vasp.sets import MPRelaxSet

    known = MPRelaxSet.CONFIG["POTCAR"]
    lacking = sorted({element.symbol for element in structure.composition.elements} - set(known))
    return f"the Materials Project has no POTCAR for {', '.join(lacking)}" if lacking else None


def dos_range(settings: Mapping[str, Any]) -> tuple[float, float]:
    """First and last energy of the density of states, eV."""
    energies = _checked(settings).energies
    return float(energies[0]), float(energies[-1])


def _checked(settings: Mapping[str, Any]) -> VaspSettings:
    chosen = checked_settings(VaspSettings, settings, VASP.name)
    refuse_bounds(chosen, GRID_BOUNDS, VASP.name)
    return chosen


def missing_programs(command: str, setting: str) -> list[str]:
    """What to do about the programs of a command that are not on the path; empty where all are."""
    words = shlex.split(os.path.expandvars(command))
    wanted = dict.fromkeys([words[0], words[-1]]) if words else {}  # the launcher, and what it launches
    lacking = [word for word in wanted if shutil.which(word) is None]
    if words and not lacking:
        return []
    what = f"{', '.join(lacking)} is not on the PATH" if lacking else "its command is empty"
    return [f"{what}: load its module, or set {setting} in ~/.atomate2.yaml"]


def _missing_potcars() -> list[str]:
    folder = PYMATGEN_SETTINGS.get("PMG_VASP_PSP_DIR")
    if not folder:
        return ["no POTCARs: set PMG_VASP_PSP_DIR in ~/.config/.pmgrc.yaml to the folder that pmg config -p made"]
    if not any(Path(folder).expanduser().glob("POT_*")):
        return [f"PMG_VASP_PSP_DIR is {folder}, which holds no POT_ folder: make them with pmg config -p"]
    return []


ENGINE: Final = of_collinear_spins(
    EngineEntry(method, flow, available, refuses=refuses, static=static, dos_range=dos_range)
)
