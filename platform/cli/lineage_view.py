"""The lineage of a candidate as a tree for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.tree import Tree

from fermiloop.platform.cli.output import cell

MOST_NAMED = 12


def tree(lineage: Mapping[str, Any]) -> Tree:
    """Candidate ← sample seed ← checkpoint ← snapshot ← labels ← calculations.

    Parameters
    ----------
    lineage
        What `fermiloop.platform.store.lineage.explain` answers.
    """
    root = Tree(
        f"candidate [bold]{lineage['candidate']}[/] {cell(lineage.get('formula'))} ({cell(lineage.get('stage'))})"
    )
    _verdicts(root, lineage.get("verdicts") or ())
    sample = root.add(f"← sampled by {cell(lineage['generator'])} with seed {cell(lineage['seed'])}")
    if lineage.get("parent"):
        sample.add(f"← made from material {cell(lineage['parent'])}")
    checkpoint = sample.add(f"← checkpoint {cell(lineage['checkpoint'])}") if lineage["checkpoint"] else sample
    _snapshot(checkpoint, lineage.get("snapshot"))
    own = root.add("→ what became of it")
    _calculations(own, lineage.get("calculations") or ())
    _labels(own, lineage.get("labels") or ())
    return root


def _verdicts(root: Tree, verdicts: Any) -> None:
    for verdict in verdicts:
        word = "passed" if verdict.get("passed") else "rejected"
        reason = f": {cell(verdict['reason'])}" if verdict.get("reason") else ""
        root.add(f"{cell(verdict.get('stage'))} {word}{reason}")


def _snapshot(above: Tree, snapshot: Any) -> None:
    if not snapshot:
        above.add("← learnt from nothing: this generator needs no training")
        return
    branch = above.add(f"← snapshot {cell(snapshot['id'])} of {cell(snapshot.get('n'))} materials")
    included = list(snapshot.get("includes") or ())
    if not included:
        branch.add("no result of an earlier round is in it")
        return
    earlier = branch.add(f"← {len(included)} results of earlier rounds are in it")
    for calculation in included[:MOST_NAMED]:
        earlier.add(f"calculation {cell(calculation)}")
    if len(included) > MOST_NAMED:
        earlier.add(f"and {len(included) - MOST_NAMED} more")


def _calculations(above: Tree, calculations: Any) -> None:
    if not calculations:
        above.add("not evaluated")
    for item in calculations:
        above.add(_named("calculation", item, ("state", "engine", "core_seconds", "error")))


def _labels(above: Tree, labels: Any) -> None:
    for item in labels:
        above.add(_named("label", item, ("property", "value", "unit", "method")))


def _named(kind: str, item: Any, keys: tuple[str, ...]) -> str:
    if not isinstance(item, Mapping):
        return f"{kind} {cell(item)}"
    detail = " ".join(f"{key} {cell(item[key])}" for key in keys if item.get(key) is not None)
    return f"{kind} {cell(item.get('id'))} {detail}".rstrip()
