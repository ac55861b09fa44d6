"""The seed library: prototypes at their CHGNet geometry, then energy and DOS by PBE with GPAW.

One record a line; a run takes up where the files end, and several processes share the work by
stride. Cheap entries come first, by a shuffle weighted with their expected cost. Of the prototypes
of one composition only the lowest in CHGNet energy is computed, and only where it lies less than
`MAX_FORMATION` above the elements.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import signal
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pymatgen.core import Element

from fermiloop.flows.engines.gpaw.dft import INITIAL_MOMENTS, static_dos
from fermiloop.flows.engines.gpaw.settings import HARD_ELEMENTS, GpawSettings
from fermiloop.platform.predictors.potential.chgnet import ChgnetPotential
from fermiloop.platform.predictors.potential.relaxing import relax
from fermiloop.platform.predictors.potential.volumes import equilibrium_volume, guess_volume
from fermiloop.platform.representations.prototypes import PROTOTYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymatgen.core import Structure

LEFT_OUT: Final = HARD_ELEMENTS | {"He", "Ne", "Ar", "Kr", "Xe", "Tc"}
ELEMENTS: Final = tuple(
    element.symbol
    for element in map(Element.from_Z, range(3, 84))
    if element.symbol not in LEFT_OUT and (not element.is_lanthanoid or element.symbol == "La")
)
ELEMENTAL: Final = ("A1", "A2", "A3", "A4")
MAX_FORMATION: Final = 0.25  # eV per atom by CHGNet
ORDER_SEED: Final = 7
SOFT_METALS: Final = frozenset({"La", "Ba", "Cs", "Ca", "Hg", "Rb", "K", "Sr"})  # large cells, many plane waves


@dataclass(frozen=True)
class Entry:
    """One composition and the prototypes that compete for it."""

    element_a: str
    element_b: str | None
    prototypes: tuple[str, ...]

    @property
    def key(self) -> str:
        """Unique name of the entry in the library."""
        return f"{self.element_a}-{self.element_b}-{'|'.join(self.prototypes)}"


def enumerate_entries() -> list[Entry]:
    """All unaries and binaries in a fixed order: shuffled, the cheap ones likely to come early."""
    entries = [Entry(element, None, (name,)) for name in ELEMENTAL for element in ELEMENTS]
    for i, a in enumerate(ELEMENTS):
        for b in ELEMENTS[i + 1 :]:
            entries += [Entry(a, b, ("B1", "B2", "B3")), Entry(a, b, ("B_h", "B8_1", "B4"))]
            for x, y in ((a, b), (b, a)):
                entries += [Entry(x, y, ("L1_2", "D0_3")), Entry(x, y, ("C1",)), Entry(x, y, ("C32",))]
    rng = random.Random(ORDER_SEED)
    return sorted(entries, key=lambda entry: rng.expovariate(1.0) * expected_cost(entry))


def expected_cost(entry: Entry) -> float:
    """Relative cost of the DFT of an entry: atoms, spin, semicore states."""
    symbols = {entry.element_a, entry.element_b}
    cost = sum(PROTOTYPES[entry.prototypes[0]].stoichiometry) ** 0.8
    cost *= 0.1 if entry.element_b is None else 1.0  # every binary needs its elements
    cost *= 3.0 if symbols & set(INITIAL_MOMENTS) else 1.0
    return cost * (2.0 if symbols & SOFT_METALS else 1.0)


@cache
def elemental_energy(element: str) -> float:
    """CHGNet energy of the lowest elemental prototype, eV per atom."""
    return min(cheap_geometry(Entry(element, None, (name,)))[2] for name in ELEMENTAL)


def scaled(prototype: str, element_a: str, element_b: str | None) -> tuple[Structure, float]:
    """A decorated prototype at its CHGNet volume, and its energy in eV per atom."""
    proto = PROTOTYPES[prototype]
    amounts = {element_a: float(proto.stoichiometry[0])}
    if element_b is not None:
        amounts[element_b] = float(proto.stoichiometry[1])
    volume, energy = equilibrium_volume(
        ChgnetPotential(), lambda v: proto.build(element_a, element_b, v), guess_volume(amounts)
    )
    return proto.build(element_a, element_b, volume), energy


def cheap_geometry(entry: Entry) -> tuple[str, Structure, float]:
    """Lowest prototype of an entry by CHGNet, its geometry, and its energy in eV per atom.

    Cubic prototypes have only their volume to find; a hexagonal one is relaxed as well, unless it
    lies so high above the elements that relaxing could not help.
    """
    candidates = [(*scaled(name, entry.element_a, entry.element_b), name) for name in entry.prototypes]
    structure, energy, name = min(candidates, key=lambda row: row[1])
    hopeless = entry.element_b is not None and formation_energy(structure, energy) > 2 * MAX_FORMATION
    if PROTOTYPES[name].crystal_system == "cubic" or hopeless:
        return name, structure, energy
    relaxed = relax(ChgnetPotential(), structure, fmax=0.03, steps=60)
    return name, relaxed.structure, relaxed.energy_per_atom


def formation_energy(structure: Structure, energy_per_atom: float) -> float:
    """CHGNet formation energy in eV per atom against the lowest elemental prototypes."""
    fractions = structure.composition.fractional_composition.items()
    return energy_per_atom - sum(fraction * elemental_energy(element.symbol) for element, fraction in fractions)


def compute(entry: Entry, settings: GpawSettings) -> dict[str, Any]:
    """Record of one entry: ``ok`` tells whether it holds a DOS or the reason why not."""
    began = time.process_time()
    prototype, structure, energy = cheap_geometry(entry)
    formation = formation_energy(structure, energy)
    if formation > MAX_FORMATION and entry.element_b is not None:
        return {"key": entry.key, "ok": False, "error": f"CHGNet formation energy {formation:.2f} eV/atom"}
    result = static_dos(structure, settings)
    return {
        "key": entry.key,
        "ok": True,
        "formula": structure.composition.reduced_formula,
        "prototype": prototype,
        "structure": {k: v for k, v in structure.as_dict().items() if k != "@version"},
        "chgnet_energy_per_atom": float(energy),
        "chgnet_formation": float(formation),
        "energy": result.energy,
        "efermi": result.fermi_level,
        "gap": result.gap,
        "nelectrons": result.n_electrons,
        "electrons_in_window": result.electrons_in_window,
        "magmom": result.magnetic_moment,
        "nk": result.n_kpoints,
        "nbands": result.n_bands,
        "dos": [round(float(x), 4) for x in result.density],
        "core_seconds": round(time.process_time() - began, 1),
    }


def pending(entries: list[Entry], folder: Path, share: int, shares: int) -> Iterator[Entry]:
    """Entries of this share that no file of the folder holds yet."""
    done = {record["key"] for record in _records(folder)}
    for number, entry in enumerate(entries):
        if number % shares == share and entry.key not in done:
            yield entry


def extend(folder: Path, share: int, shares: int, seconds: float, entry_limit: int = 75) -> int:
    """Compute what is pending until the time is up, one line an entry; returns how many were added.

    An entry that fails or takes longer than `entry_limit` seconds is kept with its reason, so that
    a repeat does not pay for it again.
    """
    began, added = time.monotonic(), 0
    settings = GpawSettings()
    signal.signal(signal.SIGALRM, _out_of_time)
    with (folder / f"share_{share}_of_{shares}.jsonl").open("a", encoding="utf-8") as out:
        for entry in pending(enumerate_entries(), folder, share, shares):
            if time.monotonic() - began > seconds:
                break
            signal.alarm(entry_limit)
            try:
                record = compute(entry, settings)
            except Exception as error:  # noqa: BLE001  (any failure is a record; the library goes on)
                record = {"key": entry.key, "ok": False, "error": f"{type(error).__name__}: {error}"[:200]}
            finally:
                signal.alarm(0)
            out.write(json.dumps(record, default=float) + "\n")
            out.flush()
            added += 1
    return added


def merge(folder: Path, target: Path) -> int:
    """Write the good records of all shares to one compressed file, in order of key; returns how many.

    Of several records of one formula and prototype the first is kept.
    """
    records: dict[tuple[str, str], dict[str, Any]] = {}
    for record in _records(folder):
        if record.pop("ok"):
            records.setdefault((record["formula"], record["prototype"]), record)
    with gzip.GzipFile(target, "wb", mtime=0) as out:
        for record in sorted(records.values(), key=lambda r: r["key"]):
            out.write((json.dumps(record) + "\n").encode())
    return len(records)


def _records(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def _out_of_time(*_: Any) -> None:
    raise TimeoutError("ran out of its time")


def main() -> None:
    """``python -m fermiloop.flows.library.seed_library FOLDER --share 0/2 --hours 2 [--merge FILE]``."""
    parser = argparse.ArgumentParser(description="Extend the seed library; take up where it ended.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--share", default="0/1", help="this process's part of the work, as 0/2 and 1/2")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--merge", type=Path, help="write one library file of all shares and stop")
    arguments = parser.parse_args()
    if arguments.merge:
        print(merge(arguments.folder, arguments.merge), "records")
        return
    share, shares = (int(part) for part in arguments.share.split("/"))
    print(extend(arguments.folder, share, shares, arguments.hours * 3600), "entries")


if __name__ == "__main__":
    main()
