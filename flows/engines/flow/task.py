"""The whole flow of a crystal in one child process: its jobs one after the other, each in a folder of its own."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from jobflow import JobStore, run_locally
from jobflow.core.reference import find_and_resolve_references
from maggma.stores import MemoryStore
from pymatgen.core import Structure

from fermiloop.flows.engines.flow.building import flow_of
from fermiloop.flows.engines.flow.reading import output_of
from fermiloop.flows.engines.flow.settings import checked

FOLDER: Final = "jobs"


def run(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run the flow that settings name; what is recorded of its output.

    Parameters
    ----------
    task
        ``settings`` as the campaign file has them, and ``structure``.

    Raises
    ------
    EngineError
        If its output is not what the settings say. An error of the flow's own comes through as it is.
    """
    settings, structure = checked(task["settings"]), Structure.from_dict(task["structure"])
    flow = flow_of(settings, structure)
    store = JobStore(MemoryStore(), additional_stores=defaultdict(_connected))
    run_locally(flow, store=store, log=False, create_folders=True, root_dir=folder / FOLDER, raise_immediately=True)
    return output_of(find_and_resolve_references(flow.output, store), structure, settings)


def _connected() -> MemoryStore:
    """A store for whatever a job keeps apart from its document."""
    store = MemoryStore()
    store.connect()
    return store
