"""What each of our potentials is; read without any of their code.

Those of atomate2 need their package, and fetch their weights at the first use where its wheel holds none.
"""

from __future__ import annotations

from typing import Final

from fermiloop.platform.plugins.potentials import PotentialDeclaration

HERE: Final = "fermiloop.platform.predictors.potential"
SYMBOLS: Final = (
    "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar", "K", "Ca",
    "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y",
    "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe", "Cs", "Ba", "La",
    "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W", "Re",
    "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U", "Np",
    "Pu",
)  # fmt: skip
MPTRJ: Final = "MPtrj: relaxations of the Materials Project, PBE and PBE+U"
OF_MPTRJ: Final = frozenset(SYMBOLS) - {"Po", "At", "Rn", "Fr", "Ra"}

CHGNET: Final = PotentialDeclaration(
    "chgnet",
    "CHGNet, a graph network with magnetic moments",
    place=f"{HERE}.chgnet:ChgnetPotential",
    model="CHGNet 0.3.0",
    trained_on=f"{MPTRJ}; energies with the corrections of the Materials Project",
    method="Deng et al., Nat. Mach. Intell. 5, 1031 (2023)",
    package="chgnet",
    elements=frozenset(SYMBOLS),
    licence="BSD-3-Clause",
)
ANALYTIC: Final = PotentialDeclaration(
    "analytic",
    "Lennard-Jones of one length for all elements, for tests",
    place=f"{HERE}.analytic:AnalyticPotential",
    model="Lennard-Jones, for tests",
    licence="MIT",
)


def _sevennet(
    name: str, title: str, weights: str, trained_on: str, method: str, **arguments: str
) -> PotentialDeclaration:
    return PotentialDeclaration(
        name,
        title,
        place=f"{HERE}.sevennet:SevenNetPotential",
        model=weights,
        trained_on=trained_on,
        method=method,
        arguments={"name": name, **arguments},
        package="sevenn",
        extra="sevennet",
        elements=OF_MPTRJ,
        licence="MIT",
    )


SEVENNET: Final = _sevennet(
    "sevennet",
    "SevenNet-0, an equivariant network",
    "SevenNet-0 (11 July 2024)",
    MPTRJ,
    "Park et al., J. Chem. Theory Comput. 20, 4857 (2024)",
    model="7net-0",
)
SEVENNET_MF: Final = _sevennet(
    "sevennet_mf",
    "SevenNet-MF-0, an equivariant network of two fidelities, asked for PBE",
    "SevenNet-MF-0, PBE",
    f"{MPTRJ}, and r2SCAN relaxations of the Materials Project",
    "Kim et al., J. Am. Chem. Soc. 147, 1042 (2025)",
    model="7net-mf-0",
    modal="PBE",
)
SEVENNET_L3I5: Final = _sevennet(
    "sevennet_l3i5",
    "SevenNet-l3i5, an equivariant network of higher rank: slower, more precise",
    "SevenNet-l3i5 (December 2024)",
    MPTRJ,
    "Park et al., J. Chem. Theory Comput. 20, 4857 (2024)",
    model="7net-l3i5",
)


def _of_atomate2(
    name: str,
    title: str,
    force_field: str,
    weights: str,
    package: str,
    module: str,
    licence: str,
    **options: str | dict[str, str],
) -> PotentialDeclaration:
    """A force field that atomate2 knows by `force_field`, with options that fix its model."""
    return PotentialDeclaration(
        name,
        title,
        place=f"{HERE}.force_fields:ForceFieldPotential",
        model=weights,
        arguments={"name": name, "force_field": force_field, "options": options},
        package=package,
        module=module,
        method=f"as atomate2 makes {force_field}",
        licence=licence,
    )


MACE: Final = _of_atomate2(
    "mace", "MACE-MP-0, medium", "MACE_MP_0", "MACE-MP-0, medium", "mace-torch", "mace", "MIT", model="medium"
)
MACE_MPA: Final = _of_atomate2(
    "mace_mpa", "MACE-MPA-0, medium", "MACE_MPA_0", "MACE-MPA-0, medium", "mace-torch", "mace", "MIT",
    model="medium-mpa-0",
)  # fmt: skip
MATTERSIM: Final = _of_atomate2(
    "mattersim", "MatterSim", "MatterSim", "MatterSim, as its package ships it", "mattersim", "mattersim", "MIT"
)
MATPES_PBE: Final = _of_atomate2(
    "matpes_pbe", "TensorNet of MatPES, PBE", "MATPES_PBE", "TensorNet MatPES-PBE 2025.2", "matgl", "matgl",
    "BSD-3-Clause", architecture="TensorNet", version="2025.2", stress_unit="eV/A3",
)  # fmt: skip
MATPES_R2SCAN: Final = _of_atomate2(
    "matpes_r2scan", "TensorNet of MatPES, r2SCAN", "MATPES_R2SCAN", "TensorNet MatPES-r2SCAN 2025.2", "matgl", "matgl",
    "BSD-3-Clause", architecture="TensorNet", version="2025.2", stress_unit="eV/A3",
)  # fmt: skip
M3GNET: Final = _of_atomate2(
    "m3gnet", "M3GNet of MatPES, PBE", "M3GNet", "M3GNet MatPES-PBE 2025.2", "matgl", "matgl", "BSD-3-Clause",
    stress_unit="eV/A3",
)  # fmt: skip
UPET: Final = _of_atomate2(
    "upet",
    "PET-MAD, small",
    "UPET",
    "PET-MAD s 1.5.0",
    "upet",
    "upet",
    "BSD-3-Clause",
    model="pet-mad-s",
    version="1.5.0",
)
FAIRCHEM: Final = _of_atomate2(
    "fairchem", "UMA small, task omat", "FAIRChem", "UMA s-1p1, omat", "fairchem-core", "fairchem",
    "FAIR Chemistry License; the weights want a login", predict_unit={"model_name": "uma-s-1p1"}, task_name="omat",
)  # fmt: skip
