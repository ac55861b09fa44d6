"""The table of element curves that `platform/predictors/element_curves.py` reads, by PBE with GPAW.

One record an element, in the lattice and at the volume that are told there; a run goes on where the file ends, about
ten core-seconds an element:

    python -m fermiloop.flows.library.element_curves records.jsonl --pack platform/predictors/element_curves.jsonl.gz
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Element, Structure
from scipy.ndimage import gaussian_filter1d

from fermiloop.platform.predictors.element_curves import ENERGIES, reference_lattice, reference_volumes
from fermiloop.platform.representations.element_features import ELEMENTS_KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

CUTOFF: Final = 320.0  # eV; a prior needs the shape of bands, not total energies
SMEARING: Final = 0.15  # eV, Fermi-Dirac
BROADENING: Final = 0.2  # eV, standard deviation of the Gaussian
STEP: Final = 0.05  # eV, of the tetrahedra
MARGIN: Final = 2.0  # eV beyond the table, so that the Gaussian has no edge in it


def compute(symbol: str) -> dict[str, Any]:
    """Record of one element: symbol, volume (Å³), density (states/eV/atom on `ENERGIES`)."""
    from gpaw import GPAW, PW, FermiDirac  # compiled at installation; optional extra
    from gpaw.dos import DOSCalculator
    from pymatgen.io.ase import AseAtomsAdaptor

    volume = float(reference_volumes()[Element(symbol).Z - 1])
    atoms = AseAtomsAdaptor.get_atoms(Structure(reference_lattice(volume), [symbol], [[0, 0, 0]]))
    k = int(np.clip(round(22 / volume ** (1 / 3)), 6, 8))
    atoms.calc = GPAW(
        mode=PW(CUTOFF),
        xc="PBE",
        kpts={"size": (k, k, k), "gamma": True},
        occupations=FermiDirac(SMEARING),
        nbands=-14,  # fourteen empty bands
        eigensolver="davidson",
        convergence={"bands": "CBM+6.0", "density": 3e-3, "energy": 1e-2},
        maxiter=60,
        txt=None,
    )
    atoms.get_potential_energy()
    energies = np.arange(ENERGIES[0] - MARGIN, ENERGIES[-1] + MARGIN, STEP)
    density = DOSCalculator.from_calculator(atoms.calc).raw_dos(energies, width=0.0)
    return {"element": symbol, "volume": round(volume, 4), "density": broadened(energies, density)}


def broadened(energies: NDArray[np.float64], density: NDArray[np.float64]) -> list[float]:
    """Values on `ENERGIES` of a density on a finer even grid, under the Gaussian."""
    step = float(energies[1] - energies[0])
    smooth = gaussian_filter1d(density, BROADENING / step, mode="nearest")
    return [round(float(value), 4) for value in np.interp(ENERGIES, energies, smooth)]


def pack(records: Iterable[dict[str, Any]], path: Path) -> int:
    """Write one record an element to a compressed file, in order of atomic number; returns how many."""
    by_number = {Element(record["element"]).Z: record for record in records}
    with gzip.GzipFile(path, "wb", mtime=0) as out:
        for number in sorted(by_number):
            out.write((json.dumps(by_number[number]) + "\n").encode())
    return len(by_number)


def extend(path: Path, symbols: Iterable[str]) -> None:
    """Compute the elements that a file does not have yet; one that GPAW cannot do is told and left out."""
    done = {record["element"] for record in _records(path)}
    for symbol in symbols:
        if symbol in done:
            continue
        try:
            record = compute(symbol)
        except Exception as error:  # noqa: BLE001 - a missing setup or no convergence: its curve is borrowed
            print(f"{symbol}: {type(error).__name__}: {error}")
            continue
        with path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(record) + "\n")


def _records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("records", type=Path, help="file with one record a line; it is extended")
    parser.add_argument("--pack", type=Path, help="compressed table to write")
    parser.add_argument("--elements", nargs="*", default=[Element.from_Z(z).symbol for z in ELEMENTS_KNOWN])
    arguments = parser.parse_args()
    extend(arguments.records, arguments.elements)
    if arguments.pack is not None:
        print(pack(_records(arguments.records), arguments.pack))


if __name__ == "__main__":
    main()
