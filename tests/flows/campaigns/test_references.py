"""Energies by a potential, which its hull stands on: relaxed, stored once, and of the asked elements alone."""

from __future__ import annotations

import dataclasses

import pytest

from fermiloop.flows.campaigns import methods, references
from fermiloop.flows.campaigns.methods import of_potential
from fermiloop.flows.campaigns.preflight import problems
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins import potentials
from fermiloop.platform.plugins.potentials import POTENTIALS
from fermiloop.platform.predictors.potential.relaxing import relax
from fermiloop.platform.store import labels, materials
from fermiloop.schemas.vocabulary import Property

OTHER = dataclasses.replace(POTENTIALS["analytic"], name="other", model="Lennard-Jones, another")


@pytest.fixture
def other(monkeypatch):
    """A second potential, of another model."""
    monkeypatch.setitem(potentials.POTENTIALS._entries(), "other", OTHER)


def test_materials_of_these_elements_get_the_energy_of_their_relaxed_crystal(library, other):
    elements = ("Al", "Ni")
    ids = materials.within(elements)
    assert 0 < len(ids) < materials.count()
    found = references.label("other", elements, lambda what, share: None)
    assert (found.materials, found.known, found.computed + found.failed) == (len(ids), 0, len(ids))
    method = of_potential("other").id
    assert method not in {library, of_potential("analytic").id}
    values = labels.values(ids, Property.ENERGY_PER_ATOM, method)
    assert len(values) == found.computed > 0
    one = next(iter(values))
    crystal = materials.structure(one)
    assert values[one] == pytest.approx(relax(OTHER.build(), crystal, fmax=0.1, steps=150).energy_per_atom)
    assert values[one] <= OTHER.build().energies([crystal])[0] + 1e-9
    assert len(labels.hull_entries(elements, method)) == found.computed


@pytest.mark.parametrize("name", ["chgnet", "analytic"])
def test_a_potential_that_is_an_engine_too_has_one_method(name):
    assert of_potential(name).id == methods._method(name, {}).id


def test_a_repeat_computes_what_is_missing_alone(library, other):
    references.label("other", ["Al"], lambda what, share: None)
    again = references.label("other", ["Al"], lambda what, share: None)
    assert (again.known, again.computed) == (again.materials - again.failed, 0)


def test_a_campaign_without_them_is_told_the_command(library, other, campaign):
    spec, _ = campaign("no-references")
    funnel = spec.funnel.model_copy(update={"potential": "other", "stages": ("geometry", "hull", "target")})
    spec = spec.model_copy(update={"funnel": funnel})
    told = [one.text for one in problems(spec)]
    assert len(told) == 1
    assert f"fermiloop potentials label other --elements {' '.join(spec.space.elements)}" in told[0]
    references.label("other", spec.space.elements, lambda what, share: None)
    assert problems(spec) == []


def test_one_that_is_not_installed_is_refused_before_anything_is_stored(library, monkeypatch, campaign):
    lacking = dataclasses.replace(OTHER, name="lacking", package="nobody-has", module="nobody_has", model="x")
    monkeypatch.setitem(potentials.POTENTIALS._entries(), "lacking", lacking)
    with pytest.raises(InputError, match="pip install nobody-has"):
        references.label("lacking", ["Al"], lambda what, share: None)
    spec, _ = campaign("lacking")
    spec = spec.model_copy(update={"funnel": spec.funnel.model_copy(update={"potential": "lacking"})})
    assert [(one.key, one.text) for one in problems(spec)] == [("funnel.potential", lacking.missing())]
