"""Workflows: which there are, of which fireworks they consist, and who has locked them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fireworks import LaunchPad


def create_indexes(pad: LaunchPad) -> None:
    """Indexes of what is asked here."""
    pad.workflows.create_index("nodes")


def has_workflow(pad: LaunchPad, key: str, value: Any) -> bool:
    """Whether a workflow with this metadata was added."""
    return pad.workflows.find_one({f"metadata.{key}": value}, {"_id": 1}) is not None


def nodes_of(pad: LaunchPad, key: str, value: Any) -> list[int]:
    """Fireworks of the workflow with this metadata, none where there is no such workflow."""
    found = pad.workflows.find_one({f"metadata.{key}": value}, {"nodes": 1})
    return list(found["nodes"]) if found else []


def values_by_node(pad: LaunchPad, key: str) -> dict[int, Any]:
    """What the metadata of its workflow say under a key, of each firework of the workflows that say something."""
    found = pad.workflows.find({f"metadata.{key}": {"$exists": True}}, {"nodes": 1, "metadata": 1})
    return {int(node): one["metadata"][key] for one in found for node in one["nodes"]}


def roots_of_ready(pad: LaunchPad) -> Iterator[list[int]]:
    """First fireworks of each workflow of which none was taken yet."""
    for one in pad.workflows.find({"state": "READY"}, {"nodes": 1, "parent_links": 1}):
        yield [node for node in one["nodes"] if str(node) not in one["parent_links"]]


def insert(pad: LaunchPad, document: dict[str, Any]) -> None:
    """Add the document of a workflow."""
    pad.workflows.insert_one(document)


def mark_running(pad: LaunchPad, fw_id: int) -> bool:
    """Note that a firework runs where its workflow runs already and nobody changes it; whether it was noted."""
    free = {"nodes": fw_id, "state": "RUNNING", "locked": {"$exists": False}}
    return bool(pad.workflows.update_one(free, {"$set": {f"fw_states.{fw_id}": "RUNNING"}}).matched_count)


def is_locked(pad: LaunchPad, fw_id: int) -> bool:
    """Whether somebody changes a firework's workflow, or was killed while doing so."""
    return pad.workflows.find_one({"nodes": fw_id, "locked": {"$exists": True}}, {"_id": 1}) is not None


def unlock(pad: LaunchPad, fw_id: int) -> None:
    """Take away the lock of a firework's workflow."""
    pad.workflows.update_one({"nodes": fw_id}, {"$unset": {"locked": True}})
