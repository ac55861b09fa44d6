"""What stands in the way of a campaign before anything is paid: asked at launch, and by ``campaign validate``.

Each check reads the store and the engine's declaration, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from pymatgen.core import Lattice, Structure

from fermiloop.flows.campaigns import elements, methods
from fermiloop.flows.campaigns.stability import without_reference
from fermiloop.flows.campaigns.steps import spec_of
from fermiloop.flows.campaigns.targets import alignment_of, resolve
from fermiloop.flows.engines.lookup import code_of
from fermiloop.platform.campaign.choosing import AcquisitionSpec
from fermiloop.platform.campaign.spec import MOST_COMPONENTS, CampaignSpec
from fermiloop.platform.errors import InputError, NotFoundError, UserError
from fermiloop.platform.plugins.engines import engine
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.plugins.potentials import potential
from fermiloop.platform.representations.alignment import offset
from fermiloop.platform.representations.spectrum import DOS_GRID, SLACK
from fermiloop.platform.representations.structure_types import ALL_TYPES, fitting
from fermiloop.platform.store import campaigns, materials, spectra, training
from fermiloop.schemas.candidate import proposer_of
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.vocabulary import Alignment, Property

HULL_PROPERTIES: Final = frozenset({Property.FORMATION_ENERGY_PER_ATOM, Property.ENERGY_ABOVE_HULL})
BINARIES: Final = 2
"""Most elements of the cubic and hexagonal types that are decorated where a generator says nothing else."""
EDGE: Final = 3.0  # Å, of the one-atom cell by which an engine is asked about an element


@dataclass(frozen=True)
class Problem:
    """Why a campaign cannot work.

    Parameters
    ----------
    key
        What in the campaign file it is about, such as ``space.elements``.
    text
        One sentence with the remedy.
    """

    key: str
    text: str


def problems(spec: CampaignSpec) -> list[Problem]:
    """Everything that stands in the way; what follows from an earlier problem is not asked."""
    found: list[Problem] = []
    for key, check in CHECKS:
        try:
            new = [Problem(key, text) for text in check(spec)]
        except UserError as error:
            new = [Problem(key, str(error))]
        found += new
        if new and key in FIRST:
            break
    return found


def refuse(spec: CampaignSpec) -> None:
    """Refuse a campaign that cannot work.

    Raises
    ------
    InputError
        With the first problem, and how many others there are.
    """
    found = problems(spec)
    if not found:
        return
    more = f" ({len(found) - 1} more: fermiloop campaign validate FILE shows all)" if len(found) > 1 else ""
    raise InputError(found[0].text + more)


def engine_refusal(spec: CampaignSpec, structure: Structure) -> str | None:
    """Why the campaign's engine would not compute a crystal, None where it would."""
    return code_of(spec.engine.name).refusal(structure, spec.engine.settings)


def is_launched(spec: CampaignSpec) -> bool:
    """Whether this very campaign is in the store, saved perhaps before the file knew all its present keys."""
    try:
        kept = spec_of(spec.name)
    except (NotFoundError, ValidationError):  # none of that name, or one that no present version can read
        return False
    return kept == _with_defaults_of(spec, kept)


def _with_defaults_of(spec: CampaignSpec, kept: CampaignSpec) -> CampaignSpec:
    """The same file, where it leaves out what a hit and the choice are, read with the defaults of its launch."""
    target, acquisition = spec.target, spec.acquisition
    if "stable_within" not in target.model_fields_set:
        target = target.model_copy(update={"stable_within": kept.target.stable_within})
    left_out = AcquisitionSpec.model_fields.keys() - acquisition.model_fields_set
    acquisition = acquisition.model_copy(update={name: getattr(kept.acquisition, name) for name in left_out})
    return spec.model_copy(update={"target": target, "acquisition": acquisition})


def name_problems(spec: CampaignSpec) -> Iterator[str]:
    """Another campaign bears the name."""
    if campaigns.exists(spec.name) and not is_launched(spec):
        yield f"A campaign named {spec.name} exists with another specification; give this one another name."


def _settings(spec: CampaignSpec) -> Iterator[str]:
    methods.here(spec)  # raises what is wrong
    yield from ()


def _dos_range(spec: CampaignSpec) -> Iterator[str]:
    """The engine's densities of states reach as far as they are compared."""
    reach = code_of(spec.engine.name).dos_range(spec.engine.settings) if spec.target.dos is not None else None
    gap = max([0.0, *(one.low for one in spec.target.windows() if one.property == Property.BAND_GAP)])  # of a hit
    moved = offset(Alignment.MIDGAP, alignment_of(spec), gap)
    if reach is None or not (wider := _wider(reach, moved)):
        return
    about = f" about the valence edge of a gap of {gap:g} eV" if moved else ""
    if moved:
        instead = "" if _wider(reach, 0.0) else ", or let target.dos.alignment be midgap"
    else:
        instead = f", or leave {'it' if len(wider) == 1 else 'both'} out"
    yield (
        f"The engine {spec.engine.name} with these settings gives densities of states from {reach[0] + moved:g} to "
        f"{reach[1] + moved:g} eV{about}, and results are compared from {DOS_GRID.lo:g} to {DOS_GRID.hi:g} eV, so that "
        f"their similarity would count as 0; in engine.settings set {' and '.join(wider)}{instead}."
    )


def _wider(reach: tuple[float, float], moved: float) -> list[str]:
    """What must be set so that densities of states of a range, in eV, are compared once they are moved by so much."""
    lo, hi = DOS_GRID.lo - moved, DOS_GRID.hi - moved
    low = [f"dos_lo to {lo:g} or less"] if reach[0] > lo + SLACK else []
    return low + ([f"dos_hi to {hi:g} or more"] if reach[1] < hi - SLACK else [])


def _elements(spec: CampaignSpec) -> Iterator[str]:
    """The engine computes every element of the space."""
    if not engine(spec.engine.name).by_element:
        return
    reasons = {symbol: engine_refusal(spec, _atom(symbol)) for symbol in spec.space.elements}
    refused = {symbol: reason for symbol, reason in reasons.items() if reason}
    if refused:
        told = "; ".join(dict.fromkeys(refused.values()))
        yield (
            f"The engine {spec.engine.name} computes nothing with {', '.join(refused)} of space.elements: {told}; "
            "change engine.settings, or leave them out."
        )


def _potential(spec: CampaignSpec) -> Iterator[str]:
    """The package of the funnel's potential is installed."""
    if lacking := potential(spec.funnel.potential).missing():
        yield lacking


def _target(spec: CampaignSpec) -> Iterator[str]:
    if any(one.name == Property.FERMI_LEVEL for one in spec.target.properties):
        yield (
            "target.properties asks for fermi_level, whose zero is another one in every crystal and program, so that "
            "values cannot be compared; ask for band_gap, or for a density of states about the Fermi level."
        )
    resolve(spec)  # raises where the material is not stored, or has no curve by the Method that is learned from
    yield from ()


def _training(spec: CampaignSpec) -> Iterator[str]:
    """There is something to learn from."""
    found = methods.of_campaign(spec)
    curves = found.curves if spec.target.dos is not None else ()
    if not training.materials_of(found.training, curves=curves):
        yield (
            f"The store holds nothing that {spec.retrain.source or spec.engine.name} computed with these settings, so "
            "there is nothing to learn from; load a library (fermiloop db load seed), compute crystals "
            f"({elements.compute_command('FOLDER', spec.engine.name, spec.engine.settings)}), or name a source of "
            "labels as retrain.source."
        )


def _references(spec: CampaignSpec) -> Iterator[str]:
    """Every element of the space has a reference by the engine, where the target asks for a hull."""
    asked = [w.name for w in spec.target.properties if w.name in HULL_PROPERTIES]
    if asked and (lacking := without_reference(spec, methods.of_campaign(spec).engine)):
        yield (
            f"target.properties asks for {asked[0]}, and {', '.join(lacking)} of space.elements has no reference "
            f"energy by {spec.engine.name} with these settings; compute it ({_command(lacking, spec)}), "
            "or leave it out."
        )


def _stability_references(spec: CampaignSpec) -> Iterator[str]:
    """The same, where the file says that hits are stable."""
    wanted = spec.target.stability() is not None and "stable_within" in spec.target.model_fields_set
    if wanted and (told := elements.without_energies(spec.engine.name, spec.engine.settings)):
        yield (
            f"target.stable_within is {spec.target.stable_within:g}, but {told[0].lower()}{told[1:]}; use an engine "
            "that gives one, or set target.stable_within to null."
        )
    elif wanted and (lacking := without_reference(spec, methods.of_campaign(spec).engine)):
        yield (
            f"target.stable_within is {spec.target.stable_within:g}, and {', '.join(lacking)} of space.elements has no "
            f"reference energy by {spec.engine.name} with these settings; compute it ({_command(lacking, spec)}), "
            "or set target.stable_within to null."
        )


def _command(lacking: Iterable[str], spec: CampaignSpec) -> str:
    return elements.command(lacking, spec.engine.name, spec.engine.settings)


def _funnel_references(spec: CampaignSpec) -> Iterator[str]:
    """Every element has a reference by the potential, where the funnel has a hull."""
    if "hull" in spec.funnel.stages and (lacking := without_reference(spec, methods.of_campaign(spec).cheap)):
        yield (
            f"funnel.stages has hull, and {', '.join(lacking)} of space.elements has no reference energy by "
            f"{spec.funnel.potential}; compute it (fermiloop potentials label {spec.funnel.potential} --elements "
            f"{' '.join(spec.space.elements)}), leave it out of space.elements, or hull out of funnel.stages."
        )


def _proposers(spec: CampaignSpec) -> Iterator[str]:
    """Every generator bears a name of its own, since candidates and checkpoints are told apart by it."""
    proposers = [proposer_of(one.name, one.preset or GENERATORS[one.name].default_preset) for one in spec.generators]
    for name in sorted({name for name in proposers if proposers.count(name) > 1}):
        yield f"generators names {name} twice, once by its usual preset; name it once with all its proposals."


def _sizes(spec: CampaignSpec) -> Iterator[str]:
    """Generators make crystals of as many elements as the space asks for, by their options and what they learn from."""
    fewest = spec.space.components[0]
    for generator in spec.generators:
        declared = GENERATORS[generator.name]
        if spec.retrain.by == "schedule" and declared.scorer:  # a champion has options and a preset of its own
            continue
        most = generator.options.get("most_components")
        preset = generator.preset or declared.default_preset
        if isinstance(most, int) and most < fewest:
            yield (
                f"The generator {generator.name} can propose nothing in this space: its option most_components is "
                f"{most}, and space.components asks for at least {fewest} elements; set the option to {fewest} or "
                "more, or lower space.components."
            )
        elif (
            fewest > BINARIES
            and preset in declared.known_sizes
            and (learned := max(BINARIES, _largest_learned(spec))) < fewest
        ):
            others = [name for name in declared.presets if name not in declared.known_sizes]
            instead = f"use the preset {others[-1]}" if others else "use another generator"
            yield (
                f"The generator {generator.name} can propose nothing in this space: by its preset {preset} it makes "
                f"crystals of at most as many elements as those that it learns from, {learned}, and space.components "
                f"asks for at least {fewest}; {instead}, load crystals of {fewest} elements with a curve, or lower "
                "space.components."
            )


def _largest_learned(spec: CampaignSpec) -> int:
    """Most distinct elements of a crystal with a curve like the target's that may be learned from; 0 without any."""
    wanted, found = spec.target.curve, methods.of_campaign(spec)
    if wanted is None or spec.target.of_crystals:
        ids = training.materials_of(found.training, curves=found.curves)
    else:
        by = found.curves if wanted.kind is SpectrumKind.DOS else (found.training,)
        ids = sorted(set().union(*(spectra.materials_with(one, wanted.kind) for one in by)))
    return max((n for _, n, _ in materials.shapes(ids)), default=0)


def _generators(spec: CampaignSpec) -> Iterator[str]:
    """Generators that decorate tabulated structure types find one that fits into the space."""
    space, (low, high) = spec.space, spec.space.components
    for generator in spec.generators:
        declared = GENERATORS[generator.name]
        every = generator.options.get("structure_types") == ALL_TYPES
        most = MOST_COMPONENTS if every else declared.most_components or BINARIES
        sizes, old = range(low, min(high, most) + 1), most <= BINARIES
        if declared.tabulated_prototypes and not fitting(sizes, space.crystal_systems, space.max_sites, old):
            yield (
                f"The generator {generator.name} can propose nothing in this space: it decorates "
                f"{'cubic and hexagonal' if old else 'tabulated'} structure types of 1 to {most} elements, "
                f"and none of {low} to {high} elements is {' or '.join(space.crystal_systems)} with at most "
                f"{space.max_sites} sites; widen space.crystal_systems, space.components or space.max_sites, or use "
                "another generator."
            )


def _known_shapes(spec: CampaignSpec) -> Iterator[str]:
    """Generators that exchange elements of known crystals know one that fits into the space."""
    named = [one.name for one in spec.generators if GENERATORS[one.name].shapes_of_known]
    if not named:
        return
    space, (low, high) = spec.space, spec.space.components
    found = methods.of_campaign(spec)
    known = training.materials_of(found.training, curves=found.curves if spec.target.dos is not None else ())
    shapes = materials.shapes(known)
    if any(a in space.crystal_systems and low <= n <= high and k <= space.max_sites for a, n, k in shapes):
        return
    numbers = low if low == high else f"{low} to {high}"
    yield (
        f"The generator {named[0]} can propose nothing in this space: of the {len(known)} crystals that it learns from "
        f"none is {' or '.join(space.crystal_systems)} with {numbers} elements and at most {space.max_sites} "
        "sites; load such crystals, widen space.crystal_systems, space.components or space.max_sites, or use another "
        "generator."
    )


def _exclusions(spec: CampaignSpec) -> Iterator[str]:
    """Something is left once the excluded formulas are gone."""
    if spec.space.components[1] == 1 and set(spec.target.exclude) >= set(spec.space.elements):
        yield "target.exclude names every element of space.elements, and space.components allows nothing else."


def _atom(symbol: str) -> Structure:
    return Structure(Lattice.cubic(EDGE), [symbol], [[0, 0, 0]])


Check = Callable[[CampaignSpec], Iterator[str]]
CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("name", name_problems),
    ("funnel.potential", _potential),
    ("engine.settings", _settings),
    ("engine.settings", _dos_range),
    ("space.elements", _elements),
    ("retrain.source", _training),
    ("target", _target),
    ("target.properties", _references),
    ("target.stable_within", _stability_references),
    ("funnel.stages", _funnel_references),
    ("generators", _proposers),
    ("generators", _sizes),
    ("generators", _generators),
    ("generators", _known_shapes),
    ("target.exclude", _exclusions),
)
FIRST: Final = frozenset({"name", "funnel.potential", "engine.settings", "retrain.source"})
"""Where one of these fails, the checks after it have nothing to stand on."""
