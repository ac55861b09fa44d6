"""The arms of the study: what each of them changes in the campaign file."""

from __future__ import annotations

import copy
from typing import Any, Final

import yaml

NEVER: Final = 1_000_000  # new results that a retraining waits for
# with 30 parents, the default, substitution alone has ten children in this space, fewer than the budget
UNGUIDED: Final[dict[str, dict[str, Any]]] = {"substitution": {"parents": 1000}, "random_pick": {}}
ARMS: Final = ("full", "no_retraining", *UNGUIDED)


def arm_of(tree: dict[str, Any], arm: str) -> dict[str, Any]:
    """Campaign of an arm.

    Parameters
    ----------
    tree
        The campaign file of the arm ``full``.
    arm
        One of `ARMS`.

    Returns
    -------
    tree
        The same target, space, funnel, budget, engine and seed under a name of its own. An unguided arm proposes as
        many candidates as all generators of the file together, and chooses at random among those that pass.
    """
    made = copy.deepcopy(tree)
    made["name"] = f"{tree['name']}-{arm.replace('_', '-')}"
    if arm == "no_retraining":
        made["retrain"] = {**made.get("retrain", {}), "min_new_labels": NEVER}
    if arm in UNGUIDED:
        proposals = sum(one["proposals"] for one in tree["generators"])
        options = {"options": UNGUIDED[arm]} if UNGUIDED[arm] else {}
        made["generators"] = [{"name": arm, "proposals": proposals, **options}]
        made["funnel"]["stages"] = [stage for stage in tree["funnel"]["stages"] if stage != "target"]
        made["acquisition"] = {"name": "random"}
    return made


def text_of(tree: dict[str, Any]) -> str:
    """The campaign as YAML."""
    return str(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))
