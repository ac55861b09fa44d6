"""A campaign file to start from: every key with a comment, and it runs as it is."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.plugins.acquisitions import ACQUISITIONS
from fermiloop.platform.plugins.potentials import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Sequence

ELEMENTS: Final = ("Al", "Ti", "V", "Cu", "Zn", "Nb", "Mo", "Rh", "Ag", "Pt", "Au")
"""Elements of the shipped library without magnetic ones, whose calculations take three times as long."""
TARGET: Final = "Pd"

TEXT: Final = """\
# A campaign of fermiloop. Every key is described in docs/campaigns.md.
#   fermiloop campaign validate FILE    checks it against the store; nothing is stored
#   fermiloop campaign plan FILE        says what it would do and cost
#   fermiloop campaign launch FILE      runs it; launched again, it goes on where it stopped
name: {name}

target:
  # Whose density of states is looked for: a formula or id of a stored material. In place of it a curve of your own,
  # as file: curve.dat (two columns: eV about the Fermi level, states/eV).
  dos: {{material: {target}}}
  # A candidate is a hit if the cosine similarity of its computed curve is at least this, and if it lies at most
  # 0.1 eV/atom above the hull of the engine's energies; stable_within sets another distance, null switches it off.
  hit_similarity: 0.9
  # Formulas that may not be proposed, such as the target itself.
  exclude: [{target}]
  # Conditions on computed properties that a hit must meet as well (at_most, at_least, or value with tolerance), and
  # objectives (minimise: true, maximise: true), for example:
  # properties: [{{name: formation_energy_per_atom, at_most: -0.2}}]

space:
  elements: [{elements}]
  components: [{fewest}, {most}]  # fewest and most distinct elements of a candidate
  crystal_systems: [cubic, hexagonal]
  max_sites: 4  # of the primitive cell

generators:  # who proposes, and how many candidates each round; docs/generators.md lists all
{generators}

funnel:
  stages: [composition, geometry, duplicates, relaxation, hull, target]
  potential: {potential}  # relaxes the candidates before anything is paid for
  max_energy_above_hull: 0.2  # eV/atom, by this potential

# How the candidates to compute are chosen:
{acquisitions}
acquisition: {{name: probability, diversity: 0.2}}

engine: {{name: {engine}, time_limit: 900}}  # seconds that one evaluation may take

budget: {{rounds: 2, evaluations: 4, per_round: 2}}  # the first limit that is reached ends the campaign

seed: 0
"""
COMPOSER: Final = "  - {name: dos_composer, preset: factorised, proposals: 30}\n"
SUBSTITUTION: Final = "  - {name: substitution, proposals: 10}"


def draft(name: str, target: str = TARGET, elements: Sequence[str] = ELEMENTS, engine: str = "gpaw") -> str:
    """Commented text of a campaign file.

    Parameters
    ----------
    name
        The campaign's name.
    target
        Formula or id of the material whose density of states is looked for.
    elements
        Symbols allowed.
    engine
        Name of the engine.

    Raises
    ------
    SpecError
        If one of these is none.
    """
    most = min(2, len(elements))
    text = TEXT.format(
        name=name,
        target=target,
        elements=", ".join(elements),
        fewest=1,
        most=most,
        generators=COMPOSER + SUBSTITUTION,
        engine=engine,
        potential=DEFAULT,
        acquisitions="\n".join(
            textwrap.fill(
                f"{one.name}: {one.title}. {one.when}", 118, initial_indent="#   ", subsequent_indent="#     "
            )
            for one in ACQUISITIONS.values()
        ),
    )
    if target.startswith("m-"):  # an id is no formula
        text = text.replace(f"  exclude: [{target}]", "  exclude: []")
    parse_spec(text, source="The draft")
    return text
