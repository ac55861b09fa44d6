"""What a page says in place of a key: words a chemist knows, with the unit of every number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fermiloop.platform.plugins.properties import NO_UNIT, PROPERTIES
from fermiloop.platform.plugins.stages import STAGES

EV_PER_ATOM: Final = "eV/atom"
# key of a label, score, filter or verdict: its name and its unit
NAMES: Final[dict[str, tuple[str, str]]] = {
    "energy_above_hull": ("energy above hull", EV_PER_ATOM),
    "dos_similarity": ("similarity of the density of states", "0 to 1"),
    "xrd_similarity": ("similarity of the powder pattern", "0 to 1"),
    "similarity_mean": ("predicted score", "0 to 1"),
    "similarity_std": ("standard deviation of the predicted score", "0 to 1"),
    "score": ("score", "0 to 1"),
    "generator_score": ("generator's own score", ""),
    "core_seconds": ("cost", "core-seconds"),
    "time_limit": ("time limit", "s"),
    "volume_per_atom": ("volume", "Å³/atom"),
}
SOURCES: Final[dict[str, str]] = {
    "computed_": "computed",
    "predicted_": "predicted",
    "potential_": "by the potential",
}


def named(key: str) -> str:
    """Name of a key with its unit, such as ``energy above hull, computed (eV/atom)``."""
    words, unit = _entry(str(key))
    return f"{words} ({unit})" if unit else words


def plain(key: str) -> str:
    """Name of a key without its unit, for a table that has a column of units."""
    return _entry(str(key))[0]


def lacking(missing: Mapping[str, str]) -> str:
    """What a completed calculation could not give, with why; empty where it gave all."""
    return "; ".join(f"no {plain(name)}: {why}" for name, why in missing.items())


def measured(value: str, stage: str) -> str:
    """What a stage of the funnel measured, with its unit."""
    unit = STAGES[stage].unit if stage in STAGES else ""
    return f"{value} {unit}" if unit and value != "–" else value


def _entry(key: str) -> tuple[str, str]:
    if key in NAMES:
        return NAMES[key]
    for prefix, source in SOURCES.items():
        if key.startswith(prefix):
            words, unit = _entry(key.removeprefix(prefix))
            return f"{words}, {source}", unit
    declared = PROPERTIES.get(key)
    if declared is not None:
        return declared.title, "" if declared.unit == NO_UNIT else declared.unit
    return key.replace("_", " "), ""
