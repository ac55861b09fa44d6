"""The lineage of a candidate as a tree for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rich.tree import Tree

from fermiloop.platform.cli.output import cell

if TYPE_CHECKING:
    from fermiloop.platform.campaign.explained import Descendants, Explained, SnapshotLineage

MOST_NAMED: Final = 12


def tree(lineage: Explained) -> Tree:
    """Candidate ← sample seed ← checkpoint ← snapshot ← results of earlier rounds; then what became of it.

    Parameters
    ----------
    lineage
        Of the candidate, with what learned from its calculations.
    """
    head = f"candidate [bold]{cell(lineage['candidate'])}[/]  {cell(lineage['formula'])}  {cell(lineage['stage'])}"
    root = Tree(head)
    _origin(root, lineage)
    for verdict in lineage["verdicts"]:
        word = "passed" if verdict.get("passed") else "rejected"
        reason = f": {cell(verdict['reason'])}" if verdict.get("reason") else ""
        root.add(f"{word} {cell(verdict.get('stage'))}{reason}")
    _outcome(root, lineage)
    if lineage.get("reason"):
        root.add(f"→ {cell(lineage['stage'])}: {cell(lineage['reason'])}")
    return root


def _origin(root: Tree, lineage: Explained) -> None:
    from fermiloop.schemas.candidate import proposer_of

    by = proposer_of(lineage["generator"], lineage["preset"])
    campaign = f"round {cell(lineage['round'])} of campaign {cell(lineage['campaign'])}"
    sample = root.add(f"← sampled by {cell(by)} with seed {cell(lineage['seed'])} in {campaign}")
    if lineage["parent"]:
        sample.add(f"← made from material {cell(lineage['parent'])}")
    _program(sample, (lineage.get("detail") or {}).get("program"))
    checkpoint = lineage["checkpoint"]
    if checkpoint is None or lineage["snapshot"] is None:
        sample.add("← no checkpoint: this generator learns nothing")
        return
    trained = (
        f"{cell(checkpoint['generator'])} {cell(checkpoint['preset'])}, trained with seed {cell(checkpoint['seed'])}"
    )
    branch = sample.add(f"← checkpoint {cell(checkpoint['id'])}  {trained}")
    if checkpoint.get("package"):
        branch.add(f"by the package {cell(checkpoint['package'])}")
    for name, digest in checkpoint["files"].items():
        branch.add(f"{cell(name)}  sha256 {cell(digest)[:16]}")
    _program(branch, (checkpoint.get("config") or {}).get("program"))
    _snapshot(branch, lineage["snapshot"])


def _program(above: Tree, program: object) -> None:
    """What another program was, where it proposed or learned."""
    if not isinstance(program, Mapping):
        return
    branch = above.add(f"← program {cell(' '.join(program['command']))}")
    if program.get("version"):
        branch.add(f"version {cell(program['version'])}")
    for path, digest in (*program["files"], *program.get("model", ())):
        branch.add(f"{cell(path)}  sha256 {cell(digest or 'unknown')[:16]}")


def _snapshot(above: Tree, snapshot: SnapshotLineage) -> None:
    branch = above.add(
        f"← snapshot {cell(snapshot['id'])} of {cell(snapshot['n'])} materials by method {cell(snapshot['method'])}"
    )
    others = [key for key in snapshot["curve_methods"] if key != snapshot["method"]]
    if others:
        branch.add(f"curves of {', '.join(map(cell, others))} too")
    earlier = snapshot["campaign_results"]
    if not earlier:
        branch.add("no campaign's result is in it")
        return
    results = branch.add(f"← {len(earlier)} results of campaigns are in it")
    for row in earlier[:MOST_NAMED]:
        links = f"material {cell(row['material'])} ← calculation {cell(row['calculation'])}"
        results.add(f"{cell(row['formula'])}  {links} ← candidate {cell(row['candidate'])}")
    if len(earlier) > MOST_NAMED:
        results.add(f"and {len(earlier) - MOST_NAMED} more")


def _outcome(root: Tree, lineage: Explained) -> None:
    if not lineage["calculations"]:
        root.add("→ not evaluated")
        return
    for calculation in lineage["calculations"]:
        state = f"{cell(calculation['engine'])} {cell(calculation['state'])}"
        cost = f"{state}, {cell(calculation['core_seconds'])} core-seconds"
        error = f": {cell(calculation['error'])}" if calculation["error"] else ""
        branch = root.add(f"→ calculation {cell(calculation['id'])}  {cost}{error}")
        for label in lineage["labels"]:
            if label["calculation"] == calculation["id"]:
                value = f"{cell(label['property'])} {cell(label['value'])} {cell(label['unit'])}"
                branch.add(f"→ label {cell(label['id'])}  {value}")
    _descendants(root, lineage.get("descendants") or ())


def _descendants(root: Tree, descendants: Sequence[Descendants]) -> None:
    for found in descendants:
        for checkpoint in found["checkpoints"]:
            root.add(f"→ learned from by checkpoint {cell(checkpoint['id'])} of {cell(checkpoint['generator'])}")
        if found["candidates"]:
            root.add(f"→ {len(found['candidates'])} candidates were proposed by those")
