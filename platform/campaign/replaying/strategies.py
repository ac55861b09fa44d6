"""How a replay may choose its next calls: a campaign's surrogate and acquisition by name, or a baseline.

A strategy that is a campaign's changes the spec it is given and no more; all others are baselines, marked so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from fermiloop.platform.campaign.replaying.baselines import REPLAY_GENERATORS, Camd, at_random, substitution
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.acquisitions import ACQUISITIONS
from fermiloop.platform.plugins.surrogates import SURROGATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fermiloop.platform.campaign.replaying.loop import Baseline
    from fermiloop.platform.campaign.spec import CampaignSpec

DEFAULT: Final = "default"


@dataclass(frozen=True)
class Strategy:
    """One way to choose.

    Parameters
    ----------
    title
        What it is, in a few words.
    changes
        Keys of the parts ``surrogate`` and ``acquisition`` of the campaign file, to what they are to be.
    rule
        Chooses in place of a campaign.
    baseline
        Whether it is there to be compared with.
    """

    title: str
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rule: Baseline | None = None
    baseline: bool = False

    def of(self, spec: CampaignSpec) -> CampaignSpec:
        """The campaign file with its changes.

        Raises
        ------
        InputError
            If the change does not suit the target, such as `hypervolume` with one objective.
        """
        tree = spec.as_dict()
        for part, values in self.changes.items():
            tree[part] = {**(tree[part] if "name" not in values else _without_options(tree[part])), **values}
        try:
            return type(spec).model_validate(tree)
        except ValidationError as error:
            raise InputError(f"This strategy does not suit the target: {error.errors()[0]['msg']}.") from None

    def suits(self, spec: CampaignSpec) -> bool:
        """Whether the campaign file takes the change."""
        try:
            self.of(spec)
        except InputError:
            return False
        return True


def _without_options(part: Mapping[str, Any]) -> dict[str, Any]:
    """A part whose name changes: options of the one before are not its own."""
    return {key: value for key, value in part.items() if key != "options"}


def _by_acquisition(name: str) -> Strategy:
    kind = ACQUISITIONS[name]
    return Strategy(kind.title, {"acquisition": {"name": name}}, baseline=kind.baseline)


def _by_surrogate(name: str) -> Strategy:
    entry = SURROGATES[name]
    return Strategy(entry.title, {"surrogate": {"name": name}}, baseline=entry.baseline)


REPLAY_STRATEGIES: Final[dict[str, Strategy]] = {
    DEFAULT: Strategy("the campaign file as it is"),
    **{name: _by_acquisition(name) for name, declared in ACQUISITIONS.items() if declared.needs_prediction},
    "plain": Strategy("no weight on being unlike each other", {"acquisition": {"diversity": 0.0}}),
    **{name: _by_surrogate(name) for name in SURROGATES if name not in ("blend", "camd")},
    "random": Strategy("any", rule=at_random, baseline=True),
    "substitution": Strategy("like elements in known crystals near the target", rule=substitution, baseline=True),
    "camd_shipped": Strategy("CAMD's AdaBoost agent, as shipped", rule=Camd(0.5), baseline=True),
    "camd_exploit": Strategy("CAMD's AdaBoost agent, all exploiting", rule=Camd(), baseline=True),
}
"""Every strategy of a replay by name."""


def check_names(strategies: Sequence[str], generators: Sequence[str] = ()) -> None:
    """Refuse names that no table holds, before long work begins.

    Raises
    ------
    InputError
        If a name is unknown.
    """
    for name in strategies:
        if name not in REPLAY_STRATEGIES:
            raise InputError(f"{name!r} is no strategy of a replay; known are {', '.join(REPLAY_STRATEGIES)}.")
    for name in generators:
        if name not in REPLAY_GENERATORS:
            raise InputError(f"{name!r} is no generator of a replay; known are {', '.join(REPLAY_GENERATORS)}.")
