"""The seed libraries: structure types at their CHGNet geometry, then energy and DOS by PBE with GPAW.

One record a line; a run takes up where the files end, and several processes share the work by stride. Of the structure
types of one composition only the lowest in CHGNet energy is computed, and only where it lies less than `MAX_FORMATION`
above the elements. Each family is a Method of its own, with files of its own.
"""

from __future__ import annotations

import argparse
import gzip
import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fermiloop.db_init.element_references import shipped
from fermiloop.flows.engines.gpaw.dft import static_dos, static_energy
from fermiloop.flows.engines.gpaw.settings import HARD_CUTOFF, GpawSettings
from fermiloop.flows.library.entries import Entry, hard_compounds, intermetallics
from fermiloop.flows.library.geometry import (
    BONDS,
    MAX_FORMATION,
    alpha_boron,
    cheap_geometry,
    elemental_energy,
    formation_energy,
    molecule,
)
from fermiloop.platform.predictors.potential.chgnet import ChgnetPotential

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pymatgen.core import Structure

BOX: Final = 8.0  # Å, of a molecule
GAMMA_ONLY: Final = 0.1  # k-points per Å⁻¹ that leave a box with Gamma alone


@dataclass(frozen=True)
class Family:
    """One library: what it holds and the Method that computes it.

    Parameters
    ----------
    entries
        Gives its entries in the order in which they are computed.
    settings
        Of GPAW.
    references
        Elements whose ground state is none of the structure types that the library holds of them: its energy alone.
    limit
        Processor seconds that one entry may take.
    """

    entries: Callable[[], list[Entry]]
    settings: GpawSettings
    references: tuple[str, ...] = ()
    limit: float = 300.0


GROUND_STATES: Final = {
    "gpaw": "P S Cl Mn Ga As Se Br Y In Sn Sb Te I La Hg Bi",
    "gpaw-hard": "Li Si P Cl Ca Ti Cu Ga As Se Br Rh In Sn Te I Bi",
}
FAMILIES: Final = {
    "gpaw": Family(intermetallics, GpawSettings(), tuple(GROUND_STATES["gpaw"].split())),
    "gpaw-hard": Family(
        hard_compounds, GpawSettings(cutoff=HARD_CUTOFF), (*BONDS, "B", *GROUND_STATES["gpaw-hard"].split())
    ),
}


def work(family: Family) -> list[Task]:
    """Everything that a library holds, references first."""
    return [*map(reference_task, family.references), *map(entry_task, family.entries())]


@dataclass(frozen=True)
class Task:
    """One record to make, by its key."""

    key: str
    make: Callable[[GpawSettings], dict[str, Any]]


def entry_task(entry: Entry) -> Task:
    """The record of an entry."""
    return Task(entry.key, lambda settings: compute(entry, settings))


def reference_task(element: str) -> Task:
    """The record of an element that is no structure type: energy alone."""
    return Task(f"{element}-reference", lambda settings: reference(element, settings))


def compute(entry: Entry, settings: GpawSettings) -> dict[str, Any]:
    """Record of one entry: ``ok`` tells whether it holds a DOS or the reason why not."""
    began = time.process_time()
    prototype, structure, energy = cheap_geometry(entry)
    formation = formation_energy(structure, energy)
    if formation > MAX_FORMATION and len(entry.elements) > 1:
        return {"key": entry.key, "ok": False, "error": f"CHGNet formation energy {formation:.2f} eV/atom"}
    result = static_dos(structure, settings)
    return {
        **_crystal(entry.key, prototype, structure),
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


def reference(element: str, settings: GpawSettings) -> dict[str, Any]:
    """Energy of an element in its ground state, or as a free molecule: a record without a density of states."""
    began = time.process_time()
    kind, structure, cheap = _ground_state(element)
    energy = static_energy(structure, settings, GAMMA_ONLY if kind == "molecule" else settings.kpoint_density)
    return {
        **_crystal(f"{element}-reference", kind, structure),
        "chgnet_energy_per_atom": float(cheap),
        "chgnet_formation": 0.0,
        "energy": energy,
        "kind": "reference",
        "core_seconds": round(time.process_time() - began, 1),
    }


def _ground_state(element: str) -> tuple[str, Structure, float]:
    """Structure type, structure and CHGNet energy per atom of what is the reference of an element."""
    if element in BONDS:
        return "molecule", molecule(element, BOX), elemental_energy(element)
    if element == "B":
        return "alpha-B12", alpha_boron(), elemental_energy(element)
    one = shipped()[element]
    return one.kind, one.structure, ChgnetPotential().energies([one.structure])[0]


def _crystal(key: str, prototype: str, structure: Structure) -> dict[str, Any]:
    return {
        "key": key,
        "ok": True,
        "formula": structure.composition.reduced_formula,
        "prototype": prototype,
        "structure": {k: v for k, v in structure.as_dict().items() if k != "@version"},
    }


def pending(tasks: Sequence[Task], folder: Path, share: int, shares: int) -> Iterator[Task]:
    """Tasks of this share that no file of the folder holds yet."""
    done = {record["key"] for record in _records(folder)}
    for number, task in enumerate(tasks):
        if number % shares == share and task.key not in done:
            yield task


def extend(folder: Path, share: int, shares: int, seconds: float, family: Family = FAMILIES["gpaw"]) -> int:
    """Compute what is pending until the time is up, one line an entry; returns how many were added.

    An entry that fails or takes more than its processor time is kept with its reason, so that a repeat does not pay
    for it again. Processor time, not wall time: on a busy machine good entries would be given up.
    """
    began, added = time.monotonic(), 0
    signal.signal(signal.SIGPROF, _out_of_time)
    with (folder / f"share_{share}_of_{shares}.jsonl").open("a", encoding="utf-8") as out:
        for task in pending(work(family), folder, share, shares):
            if time.monotonic() - began > seconds:
                break
            signal.setitimer(signal.ITIMER_PROF, family.limit)
            try:
                record = task.make(family.settings)
            except Exception as error:  # noqa: BLE001  (any failure is a record; the library goes on)
                record = {"key": task.key, "ok": False, "error": f"{type(error).__name__}: {error}"[:200]}
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            out.write(json.dumps(record, default=float) + "\n")
            out.flush()
            added += 1
    return added


def merge(folder: Path, target: Path) -> int:
    """Write the good records of all shares to one compressed file, in order of key; returns how many.

    Of several records of one formula and structure type the first is kept.
    """
    records: dict[tuple[str, str], dict[str, Any]] = {}
    for record in _records(folder):
        if record.pop("ok", True):
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
    raise TimeoutError("ran out of its processor time")


def main() -> None:
    """``python -m fermiloop.flows.library.seed_library FOLDER --share 0/2 --hours 2 [--merge FILE]``."""
    parser = argparse.ArgumentParser(description="Extend a seed library; take up where it ended.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--family", choices=FAMILIES, default="gpaw", help="which library; each has its own folder")
    parser.add_argument("--share", default="0/1", help="this process's part of the work, as 0/2 and 1/2")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--merge", type=Path, help="write one library file of all shares and stop")
    arguments = parser.parse_args()
    if arguments.merge:
        print(merge(arguments.folder, arguments.merge), "records")
        return
    share, shares = (int(part) for part in arguments.share.split("/"))
    print(extend(arguments.folder, share, shares, arguments.hours * 3600, FAMILIES[arguments.family]), "entries")


if __name__ == "__main__":
    main()
