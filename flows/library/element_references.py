"""The ground states of the elements in `db_init/seed/element_references.jsonl.gz`, relaxed by CHGNet.

One record an element; a run goes on where the file of records ends, some seconds an element:

    python -m fermiloop.flows.library.element_references records.jsonl --pack db_init/seed/element_references.jsonl.gz

With ``--list`` and the Materials Project's list of elements the records also say how far above its lowest phase each
one lies there.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pymatgen.core import Element, Structure

from fermiloop.flows.library.element_structures import BONDS, KINDS, STANDS_FOR, TITLES, Start, start_of
from fermiloop.platform.predictors.potential.chgnet import ChgnetPotential
from fermiloop.platform.predictors.potential.relaxing import relax
from fermiloop.platform.predictors.potential.volumes import equilibrium_volume, guess_volume
from fermiloop.platform.representations.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FMAX: Final = 0.01  # eV/Å
STEPS: Final = 500
BOND: Final = 0.05  # relative; a potential's bond further off than this is not that of the molecule
VOLUME: Final = 0.25  # relative; layers and chains that a potential does not hold together come apart further than this
SYMMETRY: Final = 0.05  # Å, of phases in the list


def compute(symbol: str) -> dict[str, Any]:
    """Record of one element: its ground state as CHGNet relaxes it, symmetrised, with how that was done."""
    potential = ChgnetPotential()
    volume = guess_volume({symbol: 1.0})
    start = start_of(symbol, volume)
    if start.scaled:
        best, _ = equilibrium_volume(potential, lambda v: start_of(symbol, v).structure, volume)
        start = start_of(symbol, best)
    found = relax(potential, start.structure, fmax=FMAX, steps=STEPS)
    taken, how = _geometry(start, found.structure, converged=found.converged)
    return {
        "element": symbol,
        "type": start.kind,
        "title": TITLES[start.kind],
        "molecule": start.is_molecule,
        "stands_for": STANDS_FOR.get(symbol),
        "structure": {name: value for name, value in taken.as_dict().items() if name != "@version"},
        "geometry": how,
        "chgnet_energy_per_atom": round(float(potential.energies([taken])[0]), 6),
    }


def _geometry(start: Start, relaxed: Structure, *, converged: bool) -> tuple[Structure, str]:
    """The cell that is shipped and where it comes from: the potential's, or ours as measured where that goes astray."""
    given, how = start.structure, f"CHGNet 0.3.0 to {FMAX:g} eV/Å"
    if start.is_molecule:
        return _molecule(start, relaxed, how)
    off = relaxed.volume / given.volume
    if not converged or (not start.scaled and abs(off - 1) > VOLUME):
        return canonical(given).structure, f"as measured; the volume by CHGNet 0.3.0 is {off:.2f} times that"
    return canonical(relaxed).structure, how


def _molecule(start: Start, relaxed: Structure, how: str) -> tuple[Structure, str]:
    """The molecule in its own box, with the potential's bond where that is near the measured one."""
    kept = start.structure.copy()
    if start.symbol not in BONDS:
        return kept, "as measured"
    bond = float(relaxed.get_distance(0, 1))
    if abs(bond / BONDS[start.symbol] - 1) > BOND:
        return kept, f"as measured; the bond by CHGNet 0.3.0 is {bond:.3f} Å"
    half = 0.5 * (bond - BONDS[start.symbol]) / kept.lattice.c
    kept.translate_sites([0], [0, 0, -half])
    kept.translate_sites([1], [0, 0, half])
    return kept, how


def above_lowest(record: Mapping[str, Any], phases: Mapping[str, Sequence[Any]]) -> float | None:
    """How far above the lowest of an element's listed phases its own lies, eV/atom; None where it is not listed."""
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    own = SpacegroupAnalyzer(Structure.from_dict(record["structure"]), SYMMETRY).get_space_group_number()
    sites = len(record["structure"]["sites"])
    ranked = sorted(zip(phases["energy_per_atom"], phases["structure"], strict=True), key=lambda pair: float(pair[0]))
    for energy, phase in ranked:
        crystal = Structure.from_dict(phase)
        if len(crystal) == sites and SpacegroupAnalyzer(crystal, SYMMETRY).get_space_group_number() == own:
            return round(float(energy - ranked[0][0]), 3)
    return None


def extend(path: Path, symbols: Iterable[str]) -> None:
    """Compute the elements that a file does not have yet."""
    done = {record["element"] for record in records(path)}
    for symbol in symbols:
        if symbol not in done:
            record = compute(symbol)
            with path.open("a", encoding="utf-8") as out:
                out.write(json.dumps(record) + "\n")


def pack(found: Iterable[dict[str, Any]], path: Path, listed: Mapping[str, Any] | None = None) -> int:
    """Write one record an element to a compressed file, in order of atomic number; returns how many."""
    by_number = {Element(record["element"]).Z: record for record in found}
    with gzip.GzipFile(path, "wb", mtime=0) as out:
        for number in sorted(by_number):
            record = by_number[number]
            if listed is not None and not record["molecule"] and record["element"] in listed:
                record = {**record, "above_lowest": above_lowest(record, listed[record["element"]])}
            out.write((json.dumps(record) + "\n").encode())
    return len(by_number)


def records(path: Path) -> list[dict[str, Any]]:
    """What a file of records holds; nothing where there is none."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("records", type=Path, help="file with one record a line; it is extended")
    parser.add_argument("--pack", type=Path, help="compressed file to write")
    parser.add_argument("--list", type=Path, help="the Materials Project's list of elements, JSON, gzip")
    parser.add_argument("--elements", nargs="*", default=sorted(KINDS, key=lambda symbol: Element(symbol).Z))
    arguments = parser.parse_args()
    extend(arguments.records, arguments.elements)
    listed = json.loads(gzip.decompress(arguments.list.read_bytes())) if arguments.list else None
    if arguments.pack is not None:
        print(pack(records(arguments.records), arguments.pack, listed))


if __name__ == "__main__":
    main()
