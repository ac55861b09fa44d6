"""Whether a hit of a campaign must be stable: asked by default, where the engine's Method gives a hull.

It is decided at the launch and kept with the campaign: an element that the campaign itself computes must not change
what a hit is half way.
"""

from __future__ import annotations

from fermiloop.flows.campaigns import elements, methods
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.generators.protocol import Condition
from fermiloop.platform.store import campaigns


def condition(spec: CampaignSpec) -> Condition | None:
    """The condition on the energy above the hull beside those that the file names; None where it is off."""
    wanted = spec.target.stability()
    return wanted if wanted is not None and _has_hull(spec) else None


def remark(spec: CampaignSpec) -> str | None:
    """Why hits need not be stable although the file did not say so; None where nothing is to be said."""
    if spec.target.stability() is None or _has_hull(spec):
        return None
    lacking = without_reference(spec, methods.of_campaign(spec).engine)
    told = "hits need not be stable, since a hull needs a reference energy of every element"
    if without := elements.without_energies(spec.engine.name, spec.engine.settings):
        return f"{told}: {without[0].lower()}{without[1:]}"
    if not lacking:
        return told
    command = elements.command(lacking, spec.engine.name, spec.engine.settings)
    return (
        f"{told}: {', '.join(lacking)} of space.elements has none by {spec.engine.name} with these settings; {command} "
        "computes it, for campaigns that are launched afterwards"
    )


def at_launch(spec: CampaignSpec) -> str | None:
    """What `remark` says, or that the hull stands on elements above their ground state.

    Asked at a launch alone: it reads every crystal of the elements, too much for each look at a campaign.
    """
    if spec.target.stability() is None or not _has_hull(spec):
        return remark(spec)
    found = elements.above_ground_state(spec.space.elements, methods.of_campaign(spec).engine)
    if not found:
        return None
    command = elements.command([one.element for one in found], spec.engine.name, spec.engine.settings)
    told = ", ".join(f"{one.element} in {one.phase}" for one in found)
    return (
        f"the hull stands on {told}: the ground state was not computed by {spec.engine.name} with these settings, so "
        f"formation energies come out too low; {command} computes it, for campaigns that are launched afterwards"
    )


def keep(spec: CampaignSpec) -> None:
    """Store with a campaign whether its results have a hull; a repeat changes nothing."""
    if spec.target.stability() is not None and _kept(spec) is None:
        campaigns.fix_hull(spec.name, there=_has_hull(spec))


def without_reference(spec: CampaignSpec, method: str) -> list[str]:
    """Elements of the space that have no reference energy by a Method."""
    return elements.lacking(spec.space.elements, method)


def _has_hull(spec: CampaignSpec) -> bool:
    kept = _kept(spec)
    return kept if kept is not None else not without_reference(spec, methods.of_campaign(spec).engine)


def _kept(spec: CampaignSpec) -> bool | None:
    """What was decided at the launch; None where the campaign was not launched, or nothing was decided."""
    try:
        found = campaigns.get(spec.name).resolved
    except NotFoundError:
        return None
    return None if found is None else found.hull
