"""How far GPAW's plane waves are converged at 600 eV, and what a record costs.

    python benchmarks/gpaw_convergence.py FILE [--only NAME …] [--records] [--table]

Every crystal keeps its geometry of the literature: static energies and stresses at 600, 800 and 1000 eV, and energies
of the elements that it is made of at 600 and 800 eV, so that formation energies are compared. Molecules lie in
a box of 8 Å. The k-points are thinner than those of a campaign, the same at all cutoffs: what is asked is the plane
waves. `--records` computes instead what a campaign computes of a crystal at fixed geometry, energy and density of
states, and keeps its processor time and curve. FILE holds one JSON object a line; a run that was ended goes on where it
ends.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Composition, Lattice, Structure

from fermiloop.flows.engines.gpaw.dft import calculator, initial_atoms, static_dos
from fermiloop.flows.engines.gpaw.settings import GpawSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ase import Atoms

CUTOFFS: Final = (600.0, 800.0)  # eV, of formation energies
STRESS_CUTOFFS: Final = (600.0, 800.0, 1000.0)  # eV, of crystals
LARGE: Final = ("SiO2", "SrTiO3")  # crystals that come after the elements of the others
KPOINT_DENSITY: Final = 3.0  # per Å⁻¹
BOX: Final = 8.0  # Å
GPA_PER_EV_A3: Final = 160.21766


def _cubic(group: str, a: float, species: Sequence[str], sites: Sequence[Sequence[float]]) -> Structure:
    return Structure.from_spacegroup(group, Lattice.cubic(a), species, sites).get_primitive_structure()


def _hexagonal(group: str, a: float, c: float, species: Sequence[str], sites: Sequence[Sequence[float]]) -> Structure:
    return Structure.from_spacegroup(group, Lattice.hexagonal(a, c), species, sites).get_primitive_structure()


def _rock_salt(a: float, cation: str, anion: str) -> Structure:
    return _cubic("Fm-3m", a, [cation, anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


def _hcp(element: str, a: float, c: float) -> Structure:
    return _hexagonal("P6_3/mmc", a, c, [element], [[1 / 3, 2 / 3, 0.25]])


def _molecule(element: str, bond: float, moment: float) -> Atoms:
    from ase import Atoms

    atoms = Atoms([element, element], [[0, 0, 0], [0, 0, bond]], cell=[BOX] * 3, pbc=True, magmoms=[moment] * 2)
    atoms.center()
    return atoms


# Lattice parameters in Å: experiments at room temperature; of ideal β-cristobalite that of a Si-O bond of 1.61 Å.
CRYSTALS: Final[dict[str, Callable[[], Structure]]] = {
    "NiAl": lambda: _cubic("Pm-3m", 2.887, ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
    "MgO": lambda: _rock_salt(4.212, "Mg", "O"),
    "LiF": lambda: _rock_salt(4.027, "Li", "F"),
    "BN": lambda: _cubic("F-43m", 3.615, ["B", "N"], [[0, 0, 0], [0.25, 0.25, 0.25]]),
    "TiC": lambda: _rock_salt(4.328, "Ti", "C"),
    "TiN": lambda: _rock_salt(4.240, "Ti", "N"),
    "VO": lambda: _rock_salt(4.093, "V", "O"),
    "SiO2": lambda: _cubic("Fd-3m", 7.436, ["Si", "O"], [[0, 0, 0], [0.125, 0.125, 0.125]]),
    "SrTiO3": lambda: _cubic("Pm-3m", 3.905, ["Sr", "Ti", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]]),
}
ELEMENTS: Final[dict[str, Callable[[], Structure | Atoms]]] = {
    "Al": lambda: _cubic("Fm-3m", 4.050, ["Al"], [[0, 0, 0]]),
    "Li": lambda: _cubic("Im-3m", 3.510, ["Li"], [[0, 0, 0]]),
    "V": lambda: _cubic("Im-3m", 3.024, ["V"], [[0, 0, 0]]),
    "C": lambda: _cubic("Fd-3m", 3.567, ["C"], [[0, 0, 0]]),
    "Si": lambda: _cubic("Fd-3m", 5.431, ["Si"], [[0, 0, 0]]),
    "Mg": lambda: _hcp("Mg", 3.209, 5.211),
    "Ti": lambda: _hcp("Ti", 2.951, 4.684),
    "Sr": lambda: _cubic("Fm-3m", 6.084, ["Sr"], [[0, 0, 0]]),
    "Ni": lambda: _cubic("Fm-3m", 3.524, ["Ni"], [[0, 0, 0]]),
    "N": lambda: _molecule("N", 1.098, 0.0),
    "O": lambda: _molecule("O", 1.208, 1.0),
    "F": lambda: _molecule("F", 1.412, 0.0),
    "B": lambda: _hexagonal(  # α-B12: Decker and Kasper, Acta Cryst. 12, 503 (1959)
        "R-3m", 4.908, 12.567, ["B", "B"], [[0.1177, 0.8823, 0.8927], [0.1961, 0.8039, 0.0245]]
    ),
}
RECORDS: Final = {
    "NiAl": (400.0, 600.0),
    "MgO": (600.0,),
    "SrTiO3": (600.0,),
    "Al": (400.0, 600.0),
    "TiAl": (400.0, 600.0),
}


def main(arguments: list[str] | None = None) -> int:
    """Compute what the file lacks, then print what it holds."""
    asked = _arguments(arguments)
    if not asked.table:
        jobs = record_jobs() if asked.records else static_jobs()
        for name, cutoff in jobs:
            if not asked.only or name in asked.only:
                compute(asked.file, "record" if asked.records else "static", name, cutoff)
    rows = read(asked.file)
    sys.stdout.write(table(rows) + record_table(rows))
    return 0


def static_jobs() -> list[tuple[str, float]]:
    """Small crystals, their elements, then the large ones and what they need."""
    small = [name for name in CRYSTALS if name not in LARGE]
    jobs: list[tuple[str, float]] = []
    for crystals in (small, LARGE):
        jobs += [(name, cutoff) for name in crystals for cutoff in STRESS_CUTOFFS]
        elements = {symbol for name in crystals for symbol in elements_of(name)} - {"B"}
        jobs += [(name, cutoff) for name in ELEMENTS if name in elements for cutoff in CUTOFFS]
    jobs += [("B", cutoff) for cutoff in CUTOFFS]  # twelve atoms: last
    return list(dict.fromkeys(jobs))


def record_jobs() -> list[tuple[str, float]]:
    """Crystals and cutoffs of whole records."""
    return [(name, cutoff) for name, cutoffs in RECORDS.items() for cutoff in cutoffs]


def elements_of(crystal: str) -> list[str]:
    """Symbols of a formula."""
    return [element.symbol for element in Composition(crystal).elements]


def compute(file: Path, kind: str, name: str, cutoff: float) -> None:
    """Append one result, unless the file has it."""
    if any((row["kind"], row["name"], row["cutoff"]) == (kind, name, cutoff) for row in read(file)):
        return
    began = time.process_time()
    result = record(name, cutoff) if kind == "record" else static(name, cutoff)
    spent = round(time.process_time() - began, 1)
    row = {"kind": kind, "name": name, "cutoff": cutoff, "cpu_s": spent, **result}
    with file.open("a") as lines:
        lines.write(json.dumps(row) + "\n")


def static(name: str, cutoff: float) -> dict[str, Any]:
    """Energy in eV per atom, and the stress of a crystal in GPa."""
    made = {**CRYSTALS, **ELEMENTS}[name]()
    settings = replace(GpawSettings(), cutoff=cutoff, kpoint_density=KPOINT_DENSITY)
    atoms = initial_atoms(made, settings) if isinstance(made, Structure) else made
    atoms.calc = calculator(settings)
    energy = float(atoms.get_potential_energy()) / len(atoms)
    stress = (np.asarray(atoms.get_stress()) * GPA_PER_EV_A3).tolist() if name in CRYSTALS else None
    return {"energy_per_atom": energy, "stress": stress, "n_atoms": len(atoms), "kpoint_density": KPOINT_DENSITY}


def record(name: str, cutoff: float) -> dict[str, Any]:
    """What a campaign computes at fixed geometry: energy, gap and curve."""
    tial = Structure(Lattice.tetragonal(2.829, 4.070), ["Ti", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    crystal = tial if name == "TiAl" else {**CRYSTALS, **ELEMENTS}[name]()
    result = static_dos(crystal, replace(GpawSettings(), cutoff=cutoff))
    return {
        "energy_per_atom": result.energy / len(crystal),
        "gap": result.gap,
        "n_atoms": len(crystal),
        "n_kpoints": result.n_kpoints,
        "density": np.round(result.density, 5).tolist(),
    }


def read(file: Path) -> list[dict[str, Any]]:
    """Rows of the file, none where there is no file."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def table(rows: list[dict[str, Any]]) -> str:
    """Largest difference of stress between cutoffs, and change of the formation energy, of each crystal."""
    found = {(row["name"], row["cutoff"]): row for row in rows if row["kind"] == "static"}
    low, middle, high = STRESS_CUTOFFS
    stresses = f"stress {low:g} - {high:g} eV, GPa | stress {middle:g} - {high:g} eV, GPa"
    formation = f"E_f({CUTOFFS[0]:g}) - E_f({CUTOFFS[1]:g}), meV/atom"
    lines = [f"| crystal | {stresses} | {formation} | processor s |\n|---|---|---|---|---|"]
    for name in CRYSTALS:
        change, seconds = (
            formation_change(name, found),
            [found[name, c]["cpu_s"] for c in CUTOFFS if (name, c) in found],
        )
        text = "not computed" if change is None else f"{1000 * change:.1f}"
        off = [stress_difference(name, cutoff, high, found) for cutoff in (low, middle)]
        lines.append(f"| {name} | {off[0]} | {off[1]} | {text} | {', '.join(f'{s:.0f}' for s in seconds)} |")
    return "\n".join(lines) + "\n"


def stress_difference(name: str, low: float, high: float, found: dict[tuple[str, float], dict[str, Any]]) -> str:
    """Largest difference of a component between two cutoffs, GPa."""
    if (name, low) not in found or (name, high) not in found:
        return "not computed"
    pairs = zip(found[name, low]["stress"], found[name, high]["stress"], strict=True)
    return f"{max((x - y for x, y in pairs), key=abs):.2f}"


def formation_change(name: str, found: dict[tuple[str, float], dict[str, Any]]) -> float | None:
    """E_f at the lower cutoff less that at the higher, eV per atom; None where an element is missing."""
    shares = {element.symbol: share for element, share in Composition(name).fractional_composition.items()}
    if any((symbol, cutoff) not in found for symbol in shares for cutoff in CUTOFFS):
        return None

    def formation(cutoff: float) -> float:
        elements = sum(share * found[symbol, cutoff]["energy_per_atom"] for symbol, share in shares.items())
        return float(found[name, cutoff]["energy_per_atom"] - elements)

    return formation(CUTOFFS[0]) - formation(CUTOFFS[1])


def record_table(rows: list[dict[str, Any]]) -> str:
    """Processor time of records, and how like one another the curves of two cutoffs are."""
    records = [row for row in rows if row["kind"] == "record"]
    if not records:
        return ""
    lines = ["\n| crystal | cutoff, eV | gap, eV | processor s | cosine with the first cutoff |\n|---|---|---|---|---|"]
    for row in records:
        first = np.array(next(r for r in records if r["name"] == row["name"])["density"])
        curve = np.array(row["density"])
        cosine = float(first @ curve / np.linalg.norm(first) / np.linalg.norm(curve))
        lines.append(f"| {row['name']} | {row['cutoff']:g} | {row['gap']:.2f} | {row['cpu_s']} | {cosine:.5f} |")
    return "\n".join(lines) + "\n"


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Convergence of GPAW's plane waves at fixed geometries.")
    parser.add_argument("file", type=Path, help="results, one JSON object a line")
    parser.add_argument("--only", nargs="+", default=[], help="these crystals and elements")
    parser.add_argument("--records", action="store_true", help="whole records: time, gap, curve")
    parser.add_argument("--table", action="store_true", help="print, compute nothing")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
