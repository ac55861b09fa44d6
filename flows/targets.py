"""The target of a campaign, with its curve out of the store where a material is named."""

from __future__ import annotations

from fermiloop.flows.steps import training_method_of
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import Target
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import labels, materials, spectra
from fermiloop.schemas.material import Material
from fermiloop.schemas.vocabulary import Property, SpectrumKind


def resolve(spec: CampaignSpec) -> Target:
    """Target as generators and screening take it.

    Raises
    ------
    InputError
        If the material named has no density of states by the campaign's Method.
    """
    dos, curve = spec.target.dos, None
    if dos is not None:
        curve = dos.curve()
        if curve is None:
            stored = _spectrum(str(dos.material), training_method_of(spec))
            curve = DOS_GRID.normalise(DOS_GRID.resample(stored.points(), stored.array()))
    return Target(
        grid=DOS_GRID if curve is not None else None,
        curve=curve,
        hit_similarity=spec.target.hit_similarity,
        windows=spec.target.windows(),
        exclude_formulas=tuple(spec.target.exclude),
    )


def target_name(spec: CampaignSpec) -> str:
    """How pictures call the target."""
    if spec.target.dos is None:
        return ", ".join(window.name for window in spec.target.properties)
    return spec.target.dos.material or "given curve"


def _spectrum(name: str, method: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    found = [materials.get(name)] if name.startswith("m-") else materials.find_formula(name)
    curves = [(m, spectra.of_material(m.id, SpectrumKind.DOS, method)) for m in found]
    stored = [(m, curve) for m, curve in curves if curve is not None]
    if not stored:
        raise InputError(
            f"The store holds no density of states of {name} by the campaign's method; "
            "load a library with fermiloop db load seed, or give the target as values."
        )
    energies = labels.values((m.id for m, _ in stored), Property.ENERGY_PER_ATOM, method)
    return min(stored, key=lambda pair: (energies.get(pair[0].id, float("inf")), _key(pair[0])))[1]


def _key(material: Material) -> str:
    return str(material.id)
