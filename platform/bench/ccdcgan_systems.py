"""CCDCGAN's chain on binary systems: candidates, relaxed, their formation energies, the hull with the known phases.

Published (Long et al., CCDCGAN for multicomponent systems): 355 of 493 relaxed crystals have a formation energy below
zero, relaxation changes it by 0.10 eV/atom in the mean, 9,160 of 50,000 graphs give a structure, in 667 systems of 71
elements, and in systems such as Cd-Li, Co-Hf and Mn-Se known phases come back and the hull gains points. DFT relaxes
there; here a potential does, whose own hull of the known phases serves, so that no energy scales are mixed. All
compounds of the systems asked for are kept from the network. Crystals that need no training stand beside, relaxed
alike: a formation energy below zero alone says little, for in a system that forms compounds most crystals have one.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Element

from fermiloop.platform.bench.ccdcgan_arms import RANDOM, SUBSTITUTED, candidates
from fermiloop.platform.bench.ccdcgan_chain import (
    NETWORKS,
    Judged,
    chain_rows,
    free_rows,
    judge_system,
    reproduction_row,
)
from fermiloop.platform.bench.ccdcgan_relaxed import Relaxer, hulls_by_table
from fermiloop.platform.bench.crystal_data import read_crystals
from fermiloop.platform.bench.potential_answers import Answers
from fermiloop.platform.bench.potential_data import elements_of
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.ccdcgan.generator import Ccdcgan
from fermiloop.platform.generators.ccdcgan.options import CcdcganOptions
from fermiloop.platform.plugins.potentials import DEFAULT, potential

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fermiloop.platform.representations.training import TrainingSet

    Progress = Callable[[str, float], None]
    System = tuple[str, str]

NAMED: Final = ("Cd-Li", "Co-Hf", "Mn-Se", "Bi-Se")
"""Systems that the two papers name."""
DRAWN: Final = ("Co-Ti", "Mg-Tm", "Si-Sr", "Si-U")
"""Four at random of the 271 binary systems of the Materials Project file with four crystals or more that fit."""
ENERGY: Final = "formation_energy_per_atom"
MOST_SITES: Final = 8
"""Of a candidate: what is larger takes minutes to relax."""
QUICK: Final = CcdcganOptions(
    grid=16, channels=4, code=64, site_epochs=2, max_images=40, gan_steps=60, constraint_epochs=4, width=48
)


@dataclass(frozen=True)
class SystemsOptions:
    """What is asked.

    Parameters
    ----------
    data
        Crystals with formation energies.
    systems
        Such as ``"Co-Hf"``; empty for the four that the papers name and four at random.
    candidates
        Of each system and way, at most.
    graphs
        Made of any elements, of which distinct systems and novelty are counted.
    name
        Of the potential.
    seed
        Of everything random.
    resume
        Folder of trainings, networks and relaxations.
    network
        How the network is built and trained.
    """

    data: Path
    systems: tuple[str, ...] = ()
    candidates: int = 10
    graphs: int = 500
    name: str = DEFAULT
    seed: int = 0
    resume: Path | None = None
    network: CcdcganOptions = field(default_factory=CcdcganOptions)


def run_bench(data: Path, quick: bool, seed: int, progress: Progress) -> dict[str, Any]:
    """The table by its defaults, or of two systems, a toy network and the toy potential for a check.

    Raises
    ------
    InputError
        If the file does not suit.
    """
    if quick:
        options = SystemsOptions(data, NAMED[1:3], 2, 20, "analytic", seed, network=QUICK)
        return run(options, progress)
    return run(SystemsOptions(data, seed=seed), progress)


def run(options: SystemsOptions, progress: Progress) -> dict[str, Any]:
    """Rows of the table; see the module.

    Raises
    ------
    InputError
        If a system is no pair of elements, or the file holds too few crystals.
    """
    began = time.process_time()
    systems = [system_of(text) for text in options.systems or (*NAMED, *DRAWN)]
    if lacking := potential(options.name).missing():
        raise InputError(lacking)
    crystals, _ = read_crystals(options.data)
    elements = elements_of(options.data, crystals.structures, crystals.labels[ENERGY].tolist())
    folder = options.resume
    learned, known = parted(crystals, kept_out(folder, systems, options), options.network)
    networks = trained(learned, options, progress)
    relaxer = Relaxer(options.name, Answers(folder and folder / "relaxed.jsonl"), elements)
    tables, judged = hulls_by_table(options.data, systems), list[Judged]()
    for place, system in enumerate(systems):
        progress(f"relaxation, {'-'.join(system)}", place / len(systems))
        made = candidates(networks, learned.structures, system, MOST_SITES, options.candidates, options.seed)
        judged += judge_system(system, made, known[system], relaxer, tables.get(system))
    rows = chain_rows(judged, systems, (*NETWORKS, RANDOM, SUBSTITUTED))
    rows += free_rows(networks, learned.structures, options.graphs, options.seed)
    rows.append(reproduction_row(networks[NETWORKS[0]], learned.structures, options.seed))
    told = {
        "file": options.data.name,
        "learned from": len(learned),
        "known phases": sum(len(known[one]) for one in systems),
    }
    settings = asdict(options.network) | {"seed": options.seed, "candidates": options.candidates}
    settings |= {"systems": ["-".join(system) for system in systems], "potential": relaxer.model}
    seconds = time.process_time() - began
    return {"rows": rows, "data": told, "settings": settings, "processor_seconds": round(seconds, 1)}


def system_of(text: str) -> System:
    """Two symbols in alphabetical order.

    Raises
    ------
    InputError
        If it is no pair of elements.
    """
    symbols = sorted(set(text.split("-")))
    if len(symbols) != 2 or not all(Element.is_valid_symbol(symbol) for symbol in symbols):
        raise InputError(f"{text} is no binary system; write two elements such as Co-Hf.")
    return symbols[0], symbols[1]


def parted(
    crystals: TrainingSet, systems: Sequence[System], options: CcdcganOptions
) -> tuple[TrainingSet, dict[System, list[Any]]]:
    """Binaries that are learned from, of none of the systems; and the systems' known phases.

    The constraint learns from those with a formation energy.

    Raises
    ------
    InputError
        If an element of a system occurs in no other crystal that fits.
    """
    known: dict[System, list[Any]] = {system: [] for system in systems}
    places = []
    for i, structure in enumerate(crystals.structures):
        pair = tuple(sorted(structure.symbol_set))
        if pair in known:
            known[pair].append(structure)
        elif len(pair) == 2:
            small = len(structure) <= options.max_sites and max(structure.lattice.abc) <= options.max_length
            places += [i] if small else []
    learned = crystals.subset(places)
    there = {symbol for structure in learned.structures for symbol in structure.symbol_set}
    for symbol in sorted({symbol for system in systems for symbol in system} - there):
        raise InputError(
            f"No binary crystal of the file that fits and is of none of the systems holds {symbol}; "
            "leave its system out, or give another file."
        )
    return learned, known


def kept_out(folder: Path | None, systems: Sequence[System], options: SystemsOptions) -> list[System]:
    """Systems that the networks learn nothing of: those asked for, and more where networks kept in a folder did so.

    Raises
    ------
    InputError
        If those in the folder have learned of a system, or it cannot be told what they have learned.
    """
    if folder is None:
        return list(systems)
    file, labels = folder / "kept_out.json", ["-".join(system) for system in systems]
    asked = {"data": options.data.name, "seed": options.seed, "network": asdict(options.network)}
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"systems": labels, **asked}), encoding="utf-8")
        return list(systems)
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        left_out = [str(label) for label in kept.pop("systems")]
        learned = sorted(set(labels) - set(left_out))
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise InputError(
            f"{file} does not say what was kept from the networks beside it; give another folder."
        ) from None
    if learned:
        raise InputError(f"The networks in {folder} may have learned from {learned[0]}; give --resume another folder.")
    if kept != asked:
        raise InputError(f"The networks in {folder} are of other data, seed or options; give --resume another folder.")
    return [system_of(label) for label in left_out]


def trained(learned: TrainingSet, options: SystemsOptions, progress: Progress) -> dict[str, Ccdcgan]:
    """The network with the constraint and the one without, of equal codes; read where they were kept."""
    folders = {name: options.resume and options.resume / name.lower() for name in NETWORKS}
    if all(folder and (folder / "config.json").exists() for folder in folders.values()):
        return {name: Ccdcgan.load(folder) for name, folder in folders.items() if folder}
    model, rng = Ccdcgan("compact", options.network), np.random.default_rng(options.seed)
    state = options.resume and options.resume / "training"
    rows, fits, _ = model.learn_codes(learned, options.seed, rng, progress, state)
    labels = {ENERGY: learned.labels[ENERGY][fits]}
    model.learn_constraints(rows, labels, np.zeros(0, dtype=np.int64), options.seed, progress, state)
    model.learn_network(rows, model.pulls(labels), options.seed, progress, state)
    plain = model.unconstrained(rows, options.seed, progress, state and state / "unconstrained")
    made = dict(zip(NETWORKS, (model, plain), strict=True))
    for name, folder in folders.items():
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            made[name].save(folder)
    return made
