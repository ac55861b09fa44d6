"""Energies of stored materials by a potential: what its hull stands on.

They are of the material as the potential relaxes it, as those of candidates are: at a geometry of another program every
reference would lie too high, and candidates too low above the hull.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fermiloop.flows.campaigns.elements import save_shipped
from fermiloop.flows.campaigns.methods import of_potential
from fermiloop.platform.plugins.potentials import potential
from fermiloop.platform.predictors.potential.relaxing import relax
from fermiloop.platform.screening.verdicts import Context
from fermiloop.platform.store import labels, materials, methods
from fermiloop.schemas.vocabulary import Property


@dataclass(frozen=True)
class Labelled:
    """How many materials there are, had an energy already, got one, and gave none."""

    materials: int
    known: int
    computed: int
    failed: int


def label(name: str, elements: Iterable[str], progress: Callable[[str, float], None]) -> Labelled:
    """Relax and store the energy of every material of these elements that has none by this potential.

    Of an element without any crystal in the store the shipped ground state is taken.

    Each is stored as it comes, so that a repeat goes on where this was stopped.

    Raises
    ------
    InputError
        If there is no such potential, or its package is not installed.
    """
    made, method = potential(name).build(), of_potential(name)
    methods.save(method.engine, method.functional, dict(method.settings), dict(method.code_versions))
    symbols = list(elements)
    save_shipped(symbols)
    ids = materials.within(symbols)
    known = labels.values(ids, Property.ENERGY_PER_ATOM, method.id)
    crystals = materials.structures(key for key in ids if key not in known)
    computed = 0
    for place, (key, crystal) in enumerate(crystals.items()):
        progress(name, place / len(crystals))
        found = relax(made, crystal, fmax=Context.max_force, steps=Context.max_steps)
        if found.converged:
            labels.save(key, Property.ENERGY_PER_ATOM, found.energy_per_atom, method=method.id)
            computed += 1
    return Labelled(len(ids), len(known), computed, len(crystals) - computed)
