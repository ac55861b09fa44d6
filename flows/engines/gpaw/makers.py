"""GPAW as atomate2 makers: a relaxation, and a static calculation with its density of states.

Both work in any jobflow flow. With a `calculation` id the work goes to a child process, which has a time
limit and whose finished output a rerun takes up.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from atomate2.ase.jobs import AseRelaxMaker
from atomate2.ase.schemas import AseResult
from jobflow import Maker, job
from pymatgen.core import Molecule, Structure

from fermiloop.flows.engines.gpaw.dft import StaticDos, calculator, initial_moments, static_dos
from fermiloop.flows.engines.gpaw.settings import RELAX_FMAX, RELAX_STEPS, GpawSettings
from fermiloop.flows.engines.steps import isolation
from fermiloop.platform.errors import EngineError


@dataclass
class GpawRelaxMaker(AseRelaxMaker):
    """Relax cell and positions by PBE, symmetry kept.

    Parameters
    ----------
    settings
        Fields of `GpawSettings`.
    calculation
        Id under which the work is done in a child process; None does it here.
    time_limit
        Seconds of wall time of the child.
    """

    name: str = "GPAW relax"
    fix_symmetry: bool = True
    steps: int = RELAX_STEPS
    relax_kwargs: dict[str, Any] = field(default_factory=lambda: {"fmax": RELAX_FMAX})
    optimizer_kwargs: dict[str, Any] = field(default_factory=lambda: {"optimizer": "BFGS"})
    settings: dict[str, Any] = field(default_factory=lambda: asdict(GpawSettings()))
    calculation: str | None = None
    time_limit: float = 3600.0

    def _get_calculator(self) -> Any:
        # With an id the calculation is the child's, and this process asks for the calculator's name only.
        return calculator(GpawSettings(**self.settings), txt=None if self.calculation else "gpaw.txt")

    def run_ase(self, mol_or_struct: Structure | Molecule, prev_dir: str | Path | None = None) -> AseResult:
        """Relax, here or in a child process."""
        if mol_or_struct is None:
            raise EngineError("No structure to relax: the step before failed.")
        if self.calculation is None:
            own = GpawSettings(**self.settings).of_crystal(mol_or_struct.symbol_set)
            here = replace(self, settings=asdict(own))
            return AseRelaxMaker.run_ase(here, with_moments(mol_or_struct, own), prev_dir)
        task = {
            "kind": "gpaw_relax",
            "structure": mol_or_struct.as_dict(),
            "settings": self.settings,
            "steps": self.steps,
            "fmax": self.relax_kwargs.get("fmax", RELAX_FMAX),
        }
        output = isolation.run(self.calculation, "relax", task, self.time_limit)
        return AseResult(
            final_mol_or_struct=Structure.from_dict(output["structure"]),
            final_energy=output["energy"],
            converged=True,
            is_force_converged=True,
        )


@dataclass
class GpawDosMaker(Maker):
    """Static energy and density of states at fixed geometry."""

    name: str = "GPAW static and DOS"
    settings: dict[str, Any] = field(default_factory=lambda: asdict(GpawSettings()))
    calculation: str | None = None
    time_limit: float = 3600.0

    @job(data=["energies", "density"])
    def make(self, structure: Structure | None, prev_dir: str | Path | None = None) -> dict[str, Any]:
        """Energies in eV, density in states/eV/cell; curves go to the data store."""
        if structure is None:
            raise EngineError("No structure for the density of states: the relaxation failed.")
        if self.calculation is not None:
            task = {"kind": "gpaw_static", "structure": structure.as_dict(), "settings": self.settings}
            return isolation.run(self.calculation, "static", task, self.time_limit)
        return {"structure": structure.as_dict(), **labels_of(static_dos(structure, GpawSettings(**self.settings)))}


def labels_of(found: StaticDos) -> dict[str, Any]:
    """A static calculation as JSON: what `protocol.results_of` reads, but the crystal."""
    told = {"functional": "PBE", "hubbard_u": found.hubbard_u} if found.hubbard_u else {}
    return {
        "energy": found.energy,
        "fermi_level": found.fermi_level,
        "gap": found.gap,
        "magnetic_moment": found.magnetic_moment,
        "n_electrons": found.n_electrons,
        "energies": [float(x) for x in found.energies],
        "density": [round(float(x), 5) for x in found.density],
        **told,
    }


def with_moments(structure: Structure, settings: GpawSettings) -> Structure:
    """The structure with the initial moments that GPAW needs to find a magnetic solution."""
    copy = structure.copy()
    if "magmom" not in copy.site_properties:
        moments = initial_moments([site.specie.symbol for site in copy], settings)
        if any(moments):
            copy.add_site_property("magmom", moments)
    return copy
