"""The Methods of a campaign: found once, at its launch, and kept with it.

A Method depends on what is installed and configured on a machine (of VASP, on atomate2's settings file). A campaign
that resolved it at every look would change its Method half way, on another node or after an upgrade; its labels would
no longer share a hull, and nobody would notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fermiloop.flows.campaigns import packages
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import NotFoundError, UserError
from fermiloop.platform.plugins.potentials import potential
from fermiloop.platform.store import calculations, campaigns, methods
from fermiloop.schemas.method import Method


@dataclass(frozen=True)
class Methods:
    """Ids of Methods.

    Parameters
    ----------
    engine
        That of the campaign's engine and settings.
    training
        Whose labels the generators learn: the engine's, or that of the source which the file names.
    cheap
        That of the funnel's potential.
    curves
        Whose densities of states are learned and compared with: that of `training`, then those with the same key.
    """

    engine: str
    training: str
    cheap: str
    curves: tuple[str, ...]


def of_campaign(spec: CampaignSpec) -> Methods:
    """Methods of a campaign: those of its launch; where it was not launched, what this machine would make of it.

    Raises
    ------
    InputError
        If a setting of the engine is wrong.
    NotFoundError
        If the store holds no labels of the source that is to be learned from.
    """
    try:
        kept = campaigns.get(spec.name)
    except NotFoundError:
        return here(spec)
    if kept.resolved is None:  # launched by an earlier version
        keep(spec)
        return of_campaign(spec)
    found = kept.resolved
    curves = tuple(found.curves) or (found.training,)  # one launched before curves were shared goes on as it was
    return Methods(found.engine, found.training, found.cheap, curves)


def here(spec: CampaignSpec) -> Methods:
    """What this machine makes of a campaign file; nothing is stored."""
    engine, cheap = _engine(spec), _potential(spec)
    source = spec.retrain.source
    learned = engine if source is None else methods.of_source(source)
    return Methods(engine.id, learned.id, cheap.id, methods.with_like_curves(learned))


def keep(spec: CampaignSpec) -> None:
    """Store the Methods that this machine makes of a campaign, with the campaign; a repeat changes nothing."""
    if campaigns.get(spec.name).resolved is not None:
        return
    for made in (_engine(spec), _potential(spec)):
        methods.save(made.engine, made.functional, dict(made.settings), dict(made.code_versions))
    found = here(spec)
    campaigns.fix_methods(spec.name, found.engine, found.training, found.cheap, packages.of_spec(spec), found.curves)


def refuse_another(spec: CampaignSpec) -> None:
    """Refuse to compute for a campaign on a machine whose Method is not that of its launch.

    Raises
    ------
    UserError
        With both Methods and what differs.
    """
    told = difference(spec)
    if told:
        raise UserError(told)


def difference(spec: CampaignSpec) -> str | None:
    """How this machine's packages or Method differ from those of a campaign's launch; None where they agree."""
    launched = methods.get(of_campaign(spec).engine)
    resolved = campaigns.get(spec.name).resolved
    others = packages.difference(resolved.packages if resolved else {}, spec)
    if others is not None:
        return others
    told = _from(launched, spec.engine.name, spec.engine.settings)
    if told is None or not told.startswith("the Method"):
        return told
    return (
        f"The campaign {spec.name} was launched with {told}; use the settings of the launch here, or launch another "
        "campaign."
    )


def difference_of(method: str) -> str | None:
    """How this machine would compute otherwise than by a Method that crystals wait for; None where it would not."""
    planned = calculations.any_of_method(method)
    if planned is None:
        return None
    told = _from(methods.get(method), planned.engine, dict(planned.settings))
    if told is None or not told.startswith("the Method"):
        return told
    return f"Crystals were handed over for {told}; use the settings of the machine that queued them here."


def _from(launched: Method, engine: str, settings: Mapping[str, Any]) -> str | None:
    """The Method of a launch beside that of this machine, in words; None where they are one."""
    try:
        own = _method(engine, settings)
    except UserError as error:  # its engine is not installed here
        return str(error)
    if own.id == launched.id:
        return None
    what = "; ".join(_changes(dict(launched.settings), dict(own.settings))) or "the functional"
    return (
        f"the Method {launched.id} of {launched.engine} ({launched.functional}), and this machine would compute with "
        f"{own.id} ({own.functional}): {what}"
    )


def _changes(launched: Mapping[str, Any], own: Mapping[str, Any]) -> list[str]:
    names = sorted(launched.keys() | own.keys())
    return [
        f"{name} was {launched.get(name)} and is {own.get(name)}"
        for name in names
        if launched.get(name) != own.get(name)
    ]


def _engine(spec: CampaignSpec) -> Method:
    return _method(spec.engine.name, spec.engine.settings)


def _potential(spec: CampaignSpec) -> Method:
    return of_potential(spec.funnel.potential)


def of_potential(name: str) -> Method:
    """Method of a potential: its model, since energies of two models never share a hull.

    Raises
    ------
    InputError
        If there is no potential of that name.
    """
    declared = potential(name)
    return Method.make(declared.name, declared.model, {}, declared.versions())


def _method(engine: str, settings: Mapping[str, Any]) -> Method:
    from fermiloop.flows.engines.lookup import code_of  # atomate2: seconds, and most looks need no engine

    record = code_of(engine).method(settings)
    return Method.make(record.engine, record.functional, record.settings, record.code_versions)
