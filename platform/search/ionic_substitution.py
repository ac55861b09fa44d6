"""Substitutions among ions that known compounds make likely: the model and table of Hautier et al.

Inorg. Chem. 50, 656, 2011; the table is pymatgen's. Substitutions are searched in the elements that are allowed
only, and left as soon as the likeliest completion is too unlikely, so that crystals of six elements take milliseconds.
"""

from __future__ import annotations

from functools import cache, lru_cache
from math import prod
from typing import TYPE_CHECKING, Any

from pymatgen.core import Composition, Species

if TYPE_CHECKING:
    from collections.abc import Iterator

Ions = tuple[tuple[str, int, float], ...]
"""Symbol, oxidation state and amount of each element."""
Chances = tuple[tuple[str, int, float], ...]
"""Symbol and oxidation state of what may stand in an ion's place, and how likely that is."""


@lru_cache(maxsize=10_000)
def oxidation_states(formula: str) -> Ions | str:
    """The likeliest oxidation states of a formula, or in words why there are none (pymatgen's, from the ICSD)."""
    composition = Composition(formula)
    guesses = composition.oxi_state_guesses()
    if not guesses or len(composition) < 2:
        return "parent without oxidation states"
    if any(state != round(state) for state in guesses[0].values()):
        return "parent of mixed valence"
    return tuple((symbol, round(state), composition[symbol]) for symbol, state in guesses[0].items())


def unknown_species(ions: Ions) -> str | None:
    """A reason where the table knows one of the ions not."""
    known = _table().species
    return None if all(Species(s, state) in known for s, state, _ in ions) else "parent with an ion not in the table"


@lru_cache(maxsize=2_000)
def likely_swaps(
    ions: Ions, least: float, allowed: frozenset[str] | None = None
) -> tuple[tuple[dict[str, str], float], ...]:
    """Charge-balanced substitutions of all ions at once, elements that change only, and their probabilities.

    Parameters
    ----------
    ions
        What is in the parent.
    least
        Probability that one must exceed.
    allowed
        Symbols that may come; all where it is None.
    """
    choices = [
        tuple(one for one in _chances(symbol, state) if allowed is None or one[0] in allowed)
        for symbol, state, _ in ions
    ]
    if not all(choices):
        return ()
    made = []
    for chosen in _combined(choices, least):
        charge = sum(state * amount for (_, state, _), (_, _, amount) in zip(chosen, ions, strict=True))
        if abs(charge) < 1e-8:
            swap = {old: new for (old, _, _), (new, _, _) in zip(ions, chosen, strict=True) if old != new}
            made.append((swap, prod(chance for _, _, chance in chosen)))
    return tuple(sorted(made, key=lambda item: (-item[1], sorted(item[0].items()))))


def _combined(choices: list[Chances], least: float) -> Iterator[Chances]:
    """One of each choice, no ion twice, where the product of the chances exceeds `least`."""
    after = [1.0]  # the likeliest completion of the choices from each place on
    for options in reversed(choices):
        after.append(after[-1] * options[0][2])
    after.reverse()

    def further(chosen: Chances, chance: float) -> Iterator[Chances]:
        place = len(chosen)
        if place == len(choices):
            yield chosen
            return
        taken = {one[:2] for one in chosen}
        for option in choices[place]:
            if chance * option[2] * after[place + 1] <= least:
                return  # the rest is less likely still
            if option[:2] not in taken:
                yield from further((*chosen, option), chance * option[2])

    yield from further((), 1.0)


@cache
def _chances(symbol: str, state: int) -> Chances:
    """What may stand in place of an ion, the likeliest first."""
    table, old = _table(), Species(symbol, state)
    found = [(new.symbol, int(new.oxi_state), float(table.cond_prob(old, new))) for new in table.species]
    return tuple(sorted(found, key=lambda one: (-one[2], one[0], one[1])))


@cache
def _table() -> Any:
    from pymatgen.analysis.structure_prediction.substitution_probability import (  # its table takes seconds
        SubstitutionProbability,
    )

    return SubstitutionProbability()  # type: ignore[no-untyped-call]
