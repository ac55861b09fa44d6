"""What the declarations of generators, stages and acquisitions ask of the rest of a campaign file.

Names that are not declared are those of a stored campaign whose package is gone; nothing is known of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fermiloop.platform.campaign import names
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.acquisitions import ACQUISITIONS
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.plugins.stages import STAGES, ordered

if TYPE_CHECKING:
    from fermiloop.platform.campaign.spec import CampaignSpec


UP_TO: Final = {1: "unaries", 2: "unaries and binaries"}


def check_generators(spec: CampaignSpec) -> str | None:
    """Presets exist, nobody stands twice, and everyone can work in the space."""
    for index, generator in enumerate(spec.generators):
        where, name, preset = f"generators[{index}]", generator.name, generator.preset
        declared = GENERATORS.get(name)
        if declared is None:
            continue
        presets = declared.presets
        if preset is not None and preset not in presets:
            return f"{where}.preset is {preset!r}, which {name} does not have; {names.hint(preset, presets, 'preset')}"
        if any((other.name, other.preset) == (name, preset) for other in spec.generators[:index]):
            return f"{where} is {name} a second time; name it once with all its proposals"
        most = declared.most_components
        if most is not None and spec.space.components[1] > most:
            return (
                f"space.components is {list(spec.space.components)}, but the generator {name} makes "
                f"{UP_TO.get(most, f'crystals of up to {most} elements')} only, so at most {most}"
            )
        if declared.needs_curve and spec.target.curve is None:
            return f"{where}.name is {name}, which needs a curve; add target.dos or target.xrd, or use substitution"
    return None


def check_stages(spec: CampaignSpec) -> str | None:
    """Stages come in the order in which they build on each other."""
    stages = tuple(stage for stage in spec.funnel.stages if stage in STAGES)
    try:
        right = ordered(stages)
    except InputError as error:
        return f"funnel.stages cannot be used: {str(error).rstrip('.')}"
    if stages != right:
        return f"funnel.stages is [{', '.join(stages)}], but the order must be [{', '.join(right)}]"
    for stage in stages:
        lacking = next((name for name in STAGES[stage].needs if name not in stages), None)
        if lacking is not None:
            return f"funnel.stages has {stage} without {lacking}, but {STAGES[stage].because}; add it"
    return None


def check_acquisition(spec: CampaignSpec) -> str | None:
    """The target has what the acquisition weighs."""
    target, name, declared = spec.target, spec.acquisition.name, ACQUISITIONS.get(spec.acquisition.name)
    if declared is None:
        return None
    if declared.needs_hits and not target.has_hits:
        return (
            f"acquisition.name is {name}, but target has objectives alone and says of nothing that it is a hit; "
            "give one a bound, or use expected_improvement or hypervolume"
        )
    if len(target.objectives) < declared.fewest_objectives:
        return (
            f"acquisition.name is {name}, which trades off two or three properties to minimise or maximise, and "
            f"target.properties has {len(target.objectives)}; use probability or expected_improvement"
        )
    if "target" not in spec.funnel.stages and declared.needs_prediction:
        return (
            f"acquisition.name is {name}, which ranks by what the stage target predicts; "
            "add target to funnel.stages, or make it random"
        )
    return None
