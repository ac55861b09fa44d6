"""Packages that a campaign's plug-ins come from: kept at its launch, since another version may do something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.plugins.acquisitions import ACQUISITIONS
from fermiloop.platform.plugins.catalogue import Catalogue
from fermiloop.platform.plugins.engines import ENGINES
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.plugins.potentials import POTENTIALS
from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.platform.plugins.stages import STAGES
from fermiloop.platform.plugins.surrogates import SURROGATES

GONE: Final = "not installed"


def of_spec(spec: CampaignSpec) -> dict[str, str]:
    """What a campaign asks for by name to the package and version that gives it here; our own left out."""
    found = {}
    for what, catalogue, name in _named(spec):
        source = catalogue.source(name) if name in catalogue else None
        if source is not None:
            found[f"{what} {name}"] = f"{source.distribution} {source.version}"
    return found


def difference(kept: Mapping[str, str], spec: CampaignSpec) -> str | None:
    """How the packages here differ from those of a campaign's launch; None where they agree."""
    here = of_spec(spec)
    changed = [
        f"the {name} came from {package}, and is {here.get(name, GONE)} here"
        for name, package in sorted(kept.items())
        if here.get(name) != package
    ]
    if not changed:
        return None
    return (
        f"The campaign {spec.name} was launched with other packages: {'; '.join(changed)}; "
        "install those of the launch, or launch another campaign."
    )


def _named(spec: CampaignSpec) -> Iterator[tuple[str, Catalogue[Any], str]]:
    """Kind, catalogue and name of everything that a campaign file names."""
    yield "engine", ENGINES, spec.engine.name
    yield "potential", POTENTIALS, spec.funnel.potential
    yield "acquisition", ACQUISITIONS, spec.acquisition.name
    yield "surrogate", SURROGATES, spec.surrogate.name
    yield from (("generator", GENERATORS, one.name) for one in spec.generators)
    yield from (("stage", STAGES, name) for name in spec.funnel.stages)
    yield from (("property", PROPERTIES, one.name) for one in spec.target.properties)
