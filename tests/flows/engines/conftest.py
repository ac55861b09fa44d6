"""Task documents as emmet and atomate2 make them, for programs that cannot run here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from emmet.core.tasks import OutputDoc, TaskDoc
from emmet.core.vasp.calculation import Calculation, CalculationInput, CalculationOutput
from pymatgen.core import Structure
from pymatgen.electronic_structure.core import Spin
from pymatgen.electronic_structure.dos import CompleteDos, Dos
from pymatgen.io.vasp.inputs import Kpoints
from pymatgen.io.vasp.sets import MPRelaxSet, MPStaticSet

FERMI = 6.0  # eV, as VASP counts
N_BANDS = 20

VaspDocument = Callable[..., TaskDoc]


@pytest.fixture
def vasp_document() -> VaspDocument:
    """Maker of a VASP task document of a crystal."""
    return document


def document(
    structure: Structure,
    *,
    energy: float = -10.0,
    gap: float = 0.0,
    curve: Dos | None = None,
    moment: float | None = 0.0,
    potcar: str | None = None,
    relax: bool = False,
    steps: int = 1,
    n_electrons: float = 8.0,
) -> TaskDoc:
    """Task document of one VASP run, with everything that emmet's own parser fills."""
    inputs = (MPRelaxSet if relax else MPStaticSet)(structure)
    titles = [f"PAW_PBE {potcar or symbol} 04Jan2001" for symbol in inputs.potcar_symbols]
    parameters = {**dict(inputs.incar), "NELECT": n_electrons, "NBANDS": N_BANDS, "LASPH": True}
    given = CalculationInput(
        incar=dict(inputs.incar),
        kpoints=Kpoints.gamma_automatic((8, 8, 8)),
        potcar_spec=[{"titel": title, "hash": None} for title in titles],
        potcar=list(inputs.potcar_symbols),
        parameters=parameters,
        structure=structure,
        is_hubbard=False,
        hubbards={},
    )
    outcar = {"@module": "pymatgen.io.vasp.outputs", "@class": "Outcar"}
    found = CalculationOutput(
        structure=structure,
        energy=energy,
        energy_per_atom=energy / len(structure),
        efermi=FERMI,
        bandgap=gap,
        vbm=FERMI - 0.2 if gap else None,
        cbm=FERMI - 0.2 + gap if gap else None,
        is_metal=not gap,
        ionic_steps=[_ionic_step(structure, energy) for _ in range(steps)],
        outcar=outcar if moment is None else {**outcar, "total_magnetization": moment},
    )
    calculation = Calculation(
        dir_name="/scratch/x", vasp_version="6.4.3", has_vasp_completed="successful", input=given, output=found,
        task_name="standard",
    )  # fmt: skip
    return TaskDoc.from_structure(
        meta_structure=structure,
        structure=structure,
        dir_name="host:/scratch/x",
        calcs_reversed=[calculation],
        orig_inputs=given,
        input=given,
        output=OutputDoc.from_vasp_calc_doc(calculation),
        state="successful",
        vasp_objects={"dos": curve} if curve is not None else {},
        included_objects=["dos"] if curve is not None else [],
    )


def _ionic_step(structure: Structure, energy: float) -> dict[str, Any]:
    n = len(structure)
    return {
        "e_fr_energy": energy,
        "e_wo_entrp": energy,
        "e_0_energy": energy,
        "forces": np.zeros((n, 3)).tolist(),
        "stress": np.zeros((3, 3)).tolist(),
        "structure": structure,
        "electronic_steps": [],
    }


@pytest.fixture
def square_dos() -> Callable[..., Dos]:
    """Maker of a density of states of constant height from `bottom` to the top of the grid."""
    return _square


def _square(
    *,
    height: float = 2.0,
    bottom: float = -4.0,
    top: float = 9.0,
    spins: int = 2,
    step: float = 0.01,
    gap: tuple[float, float] = (0.0, 0.0),
    structure: Structure | None = None,
) -> Dos:
    energies = np.arange(FERMI - 20.0, FERMI + top + step / 2, step)
    empty = (energies < FERMI + bottom) | ((energies > FERMI + gap[0]) & (energies < FERMI + gap[1]))
    values = np.where(empty, 0.0, height / spins)
    densities = dict.fromkeys((Spin.up, Spin.down)[:spins], values)
    total = Dos(FERMI, energies, densities)
    if structure is None:
        return total
    orbitals = {site: {} for site in structure}
    return CompleteDos(structure, total, orbitals)
