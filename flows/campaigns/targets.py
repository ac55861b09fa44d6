"""The target of a campaign, and the curves that are compared with it: stored ones, or computed from the crystal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from fermiloop.flows.campaigns import elements, stability
from fermiloop.flows.campaigns.steps import curve_methods_of, logger, training_method_of
from fermiloop.flows.engines.protocol import EvaluationResult
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.generators.protocol import Target
from fermiloop.platform.plugins.declaration import load
from fermiloop.platform.representations.alignment import offset
from fermiloop.platform.representations.curve_files.registry import lowered
from fermiloop.platform.representations.grids import GRIDS
from fermiloop.platform.representations.spectrum import SpectrumGrid, within
from fermiloop.platform.representations.training import TrainingSet
from fermiloop.platform.store import campaigns, labels, materials, spectra, training
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.material import Material
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import Alignment, Property


def resolve(spec: CampaignSpec) -> Target:
    """Target as generators and screening take it.

    Raises
    ------
    InputError
        If the material named is not stored, or has no density of states by the campaign's Method.
    """
    wanted, curve = spec.target.curve, None
    if wanted is not None:
        curve = _kept(spec)
        if curve is None:
            curve = _curve(spec)
    return Target(
        grid=spectra.grid(wanted.kind, alignment_of(spec)) if wanted is not None else None,
        curve=curve,
        hit_similarity=spec.target.hit_similarity,
        windows=spec.target.windows(),
        exclude_formulas=tuple(spec.target.exclude),
        window=spec.target.window,
        stability=stability.condition(spec),
    )


def alignment_of(spec: CampaignSpec) -> Alignment:
    """What lies at zero of a campaign's densities of states: the target, what is learned, and what is computed."""
    return spec.target.alignment(spectra.alignment())


def keep(spec: CampaignSpec) -> None:
    """Store the curve of the target with the campaign; a repeat changes nothing."""
    if spec.target.curve is not None and _kept(spec) is None:
        campaigns.fix_curve(spec.name, _curve(spec).tolist(), str(alignment_of(spec)))


def _curve(spec: CampaignSpec) -> NDArray[np.float64]:
    """Curve of the target by the file and the store as they are."""
    wanted = spec.target.curve
    assert wanted is not None
    given = spec.target.unit_curve(alignment_of(spec))
    return _of_material(str(wanted.material), wanted.kind, spec) if given is None else given


def _kept(spec: CampaignSpec) -> NDArray[np.float64] | None:
    """Curve of the launch; None where the campaign was not launched, or this machine sets another zero."""
    try:
        kept = campaigns.get(spec.name)
    except NotFoundError:
        return None
    found = kept.resolved
    if found is None or not found.curve or found.alignment != str(alignment_of(spec)):
        return None
    wanted = spec.target.curve
    if wanted is None or len(found.curve) != GRIDS[wanted.kind].n:  # of a version whose grid of the kind was another
        return None
    told = kept.to_mongo()["spec"].get("target") or {}
    same = _said(told) == _said(spec.as_dict()["target"])  # not a file that bears the name alone
    return np.array(found.curve, dtype=float) if same else None


def _said(target: Mapping[str, object]) -> dict[str, object]:
    """A target without the keys that are left out, such as those that an earlier version did not know."""
    return {
        name: _said(value) if isinstance(value, Mapping) else value
        for name, value in target.items()
        if value is not None
    }


def filled(target: Target, spec: CampaignSpec) -> Target:
    """The target as generators take it, which ask for a whole curve: outside its window the library's mean shape.

    The mean is scaled so that its area inside the window is the target's.
    """
    if target.window is None or target.grid is None or target.curve is None:
        return target
    mean = training.mean_curve(target.grid, curve_methods_of(spec), alignment_of(spec))
    inside = within(target.grid, target.window)
    if mean is None or not mean[inside].sum() > 0:
        return target
    outside = mean * (target.curve[inside].sum() / mean[inside].sum())
    return replace(target, curve=target.grid.normalise(np.where(inside, target.curve, outside)))


def target_name(spec: CampaignSpec) -> str:
    """How pictures call the target."""
    if spec.target.curve is None:
        return ", ".join(one.name for one in spec.target.properties)
    return spec.target.curve.material or "given curve"


def with_target_curves(data: TrainingSet, spec: CampaignSpec) -> TrainingSet:
    """The same crystals, which have densities of states, with curves of the kind that is looked for.

    Where the kind follows from the crystal every crystal has one; else those that have a stored one, by the Method that
    is learned from.
    """
    wanted = spec.target.curve
    if wanted is None or wanted.kind is SpectrumKind.DOS:
        return data
    grid = GRIDS[wanted.kind]
    if spec.target.of_crystals:
        return replace(data, grid=grid, curves=_of_crystals(wanted.kind)(data.structures, grid))
    return replace(data, grid=grid, curves=_stored(data.ids, wanted.kind, spec))


def library_curves(found: Iterable[Material], spec: CampaignSpec) -> NDArray[np.float64]:
    """(n, grid.n) curves of the kind that is looked for, by the Method that is learned from; NaN without one."""
    wanted, rows = spec.target.curve, list(found)
    assert wanted is not None
    grid = GRIDS[wanted.kind]
    if spec.target.of_crystals:
        return _of_crystals(wanted.kind)([one.to_structure() for one in rows], grid)
    return _stored([one.id for one in rows], wanted.kind, spec)


def _stored(ids: Sequence[str], kind: SpectrumKind, spec: CampaignSpec) -> NDArray[np.float64]:
    """(n, grid.n) curves of materials by the Methods that are learned from; NaN where there is none."""
    if kind is SpectrumKind.DOS:
        return training.curves_of(ids, GRIDS[kind], curve_methods_of(spec), kind, alignment_of(spec))
    return training.curves_of(ids, GRIDS[kind], (training_method_of(spec),), kind)


def _of_crystals(kind: SpectrumKind) -> Callable[[Sequence[Structure], SpectrumGrid], NDArray[np.float64]]:
    """What computes the curves of crystals, of a kind that follows from them."""
    found: Callable[[Sequence[Structure], SpectrumGrid], NDArray[np.float64]] = load(kind.declared.of_crystals)
    return found


def computed_curve(found: EvaluationResult, spec: CampaignSpec) -> NDArray[np.float64] | None:
    """Unit-area curve of a result, of the kind that is looked for; None where it has none on the grid of its kind."""
    return curve_and_fault(found, spec)[0]


def curve_and_fault(found: EvaluationResult, spec: CampaignSpec) -> tuple[NDArray[np.float64] | None, str | None]:
    """The curve of `computed_curve`, and why there is none where one is looked for."""
    wanted, curve = spec.target.curve, None
    if wanted is None:
        return None, None
    fault = f"the result holds no {wanted.kind.declared.title}"
    try:
        curve = _computed_curve(found, spec)
    except InputError as error:  # it does not cover the grid, or vanishes there
        logger.warning("%s of %s has no curve to compare: %s", found.structure.formula, spec.name, error)
        fault = lowered(str(error)).rstrip(".")
    return curve, fault if curve is None else None


def _computed_curve(found: EvaluationResult, spec: CampaignSpec) -> NDArray[np.float64] | None:
    wanted = spec.target.curve
    if wanted is None:
        return None
    grid = spectra.grid(wanted.kind)
    if spec.target.of_crystals:
        pattern = _of_crystals(wanted.kind)([found.structure], grid)[0]
        return pattern if np.isfinite(pattern).all() else None
    if wanted.kind is not SpectrumKind.DOS:
        given = found.curves.get(str(wanted.kind))
        return None if given is None else grid.normalise(np.maximum(grid.resample(*given), 0.0))
    if found.energies is None or found.density is None:
        return None
    about = alignment_of(spec)
    grid, moved = spectra.grid(wanted.kind, about), offset(Alignment.MIDGAP, about, found.gap)
    return grid.normalise(grid.resample(np.asarray(found.energies) + moved, found.density))


@dataclass(frozen=True)
class CrystalSimilarity:
    """Similarity of curves that follow from the crystal, so that nothing is predicted and nothing uncertain."""

    kind: SpectrumKind

    def similarity(
        self, structures: Sequence[Structure], target: Target
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Cosine to the target's curve, NaN where a crystal has none, and zeros, (n,) each."""
        if target.grid is None or target.curve is None:
            raise InputError(f"A similarity needs a target curve, and the target has none; add target.{self.kind}.")
        return target.similarity(_of_crystals(self.kind)(structures, target.grid)), np.zeros(len(structures))


def _of_material(name: str, kind: SpectrumKind, spec: CampaignSpec) -> NDArray[np.float64]:
    grid = GRIDS[kind]
    if spec.target.of_crystals:
        found = _named(name)
        if not found:
            raise InputError(f"The store holds no material {name}; load it first, or give the pattern as values.")
        pattern = _of_crystals(kind)([_lowest(found, training_method_of(spec)).to_structure()], grid)[0]
        if not np.isfinite(pattern).all():
            raise InputError(f"{name} has no {kind.declared.title}; name another material.")
        return pattern
    stored = spectra.aligned(_spectrum(name, kind, spec), alignment_of(spec))
    return grid.normalise(spec.target.part(kind).whole(stored.points(), stored.array()))


def _named(name: str) -> list[Material]:
    return [materials.get(name)] if name.startswith("m-") else materials.find_formula(name)


def _lowest(found: list[Material], method: str) -> Material:
    """The one of lowest energy by a Method; those without an energy come last, in the order of their ids."""
    energies = labels.values((m.id for m in found), Property.ENERGY_PER_ATOM, method)
    return min(found, key=lambda m: (energies.get(m.id, float("inf")), str(m.id)))


def _spectrum(name: str, kind: SpectrumKind, spec: CampaignSpec) -> Spectrum:
    """Curve of the material of lowest energy, by the first Method that is learned from that has one of any so named."""
    stored, methods = _named(name), curve_methods_of(spec)
    if not stored:
        raise InputError(
            f"The store holds no material {name} for target.{kind}; load a library (fermiloop db load seed), "
            f"{_computed('FILE', spec)}name another material, or give the curve as target.{kind}.file."
        )
    for method in methods:
        curves = {m.id: (m, curve) for m in stored if (curve := spectra.of_material(m.id, kind, method))}
        if curves:
            return curves[_lowest([m for m, _ in curves.values()], method).id][1]
    raise InputError(
        f"{name} is stored without a {kind.declared.title} by the Method {methods[0]} that this campaign learns from; "
        f"{_computed(str(stored[0].id), spec)}name a material that has one (fermiloop materials find), or give the "
        f"curve as target.{kind}.file."
    )


def _computed(what: str, spec: CampaignSpec) -> str:
    """How the target gets a curve, where those of the campaign's own engine are learned."""
    if spec.retrain.source is not None:
        return ""
    return f"compute it ({elements.compute_command(what, spec.engine.name, spec.engine.settings)}), "
