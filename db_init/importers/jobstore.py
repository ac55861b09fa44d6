"""A JobStore that atomate2 wrote: relaxations and static calculations with their densities of states.

The store is only read. It is named by jobflow's configuration file, by a URI, or by the JSON file of a
`JSONStore`. A configuration may name the stores of the list below; others, and objects that would be made
by importing what a file names, are refused.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import yaml

from fermiloop.db_init.importers import task_documents
from fermiloop.db_init.importers.entries import BAD, Batch, Entry, Refusal, digest
from fermiloop.db_init.importers.intake import take_in
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.report import LoadReport, Progress, reason_of, silent
from fermiloop.db_init.importers.vasp_runs import Run, combine
from fermiloop.platform.errors import FailureError, InputError

STORES: Final = frozenset(
    {"MongoStore", "MongoURIStore", "GridFSStore", "GridFSURIStore", "JSONStore", "MemoryStore", "FileStore"}
)
LARGEST: Final = 1_000_000_000  # bytes of a JSON store
CHUNK: Final = 20
NAME: Final = "JobStore"
FORMULA: Final = "output.formula_pretty"

Job = tuple[str, int, str, str]  # uuid, index, when it was completed, formula


def load(what: str, progress: Progress = silent, options: LoadOptions = NO_OPTIONS, store: Any = None) -> LoadReport:
    """Load the task documents of a JobStore.

    Parameters
    ----------
    what
        ``jobflow.yaml``, a ``.json`` file of documents, or ``mongodb://host/database/collection``.
    progress
        Told after each twenty jobs.
    options
        Name of the source, licence, limit.
    store
        A JobStore that is open already, in place of the one that `what` names.

    Raises
    ------
    InputError
        If it names no JobStore that may be read.
    FailureError
        If the store does not answer.
    """
    if store is not None:
        return take_in(what, _batches(store, options), progress)
    opened = _open(what)
    try:
        opened.connect()
        opened.query_one({}, properties=["uuid"], load=False)  # connecting alone asks the server nothing
    except Exception as error:  # noqa: BLE001  (stores raise those of their databases and files)
        raise FailureError(f"The JobStore does not open: {type(error).__name__}; check {_plain(what)}.") from None
    with contextlib.closing(opened):
        return take_in(_plain(what), _batches(opened, options), progress)


def _open(what: str) -> Any:
    from jobflow import JobStore  # heavy
    from maggma.stores import JSONStore, MongoStore
    from maggma.stores.gridfs import GridFSStore

    if "://" in what:
        parts = urlsplit(what)
        database, _, collection = parts.path.strip("/").partition("/")
        if parts.scheme not in {"mongodb", "mongodb+srv"} or not database or not collection:
            raise InputError(f"{_plain(what)} is no JobStore; write mongodb://host/database/collection.")
        uri = urlunsplit((parts.scheme, parts.netloc, "", parts.query, ""))
        blobs = GridFSStore(database, f"{collection}_blobs", uri=uri)
        return JobStore(MongoStore(database, collection, uri=uri), additional_stores={"data": blobs})
    content = _content(Path(what).expanduser())
    if isinstance(content, list) and what.endswith(".json"):
        return JobStore(JSONStore(str(Path(what).expanduser())))
    spec = content.get("JOB_STORE", content) if isinstance(content, dict) else {}
    _check_spec(what, spec)
    try:
        return JobStore.from_dict_spec(spec)
    except Exception as error:  # noqa: BLE001  (whatever the stores say to arguments that they do not take)
        raise InputError(f"The JobStore of {what} cannot be made: {type(error).__name__}.") from None


def _content(path: Path) -> Any:
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"The file {path} is larger than {LARGEST // 1_000_000} MB; put it into MongoDB first.")
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(f"The file {path} cannot be read: {type(error).__name__}.") from None


def _check_spec(what: str, spec: Any) -> None:
    """Refuse a configuration that is none, or that names other stores than those known to be safe."""
    if not isinstance(spec, dict) or not isinstance(spec.get("docs_store"), dict):
        raise InputError(f"The file {what} is no configuration of a JobStore: it has no docs_store.")
    parts = [spec["docs_store"], *(spec.get("additional_stores") or {}).values()]
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else part
        if kind not in STORES or any(isinstance(value, dict) and "type" in value for value in part.values()):
            raise InputError(f"The store {str(kind)[:40]!r} is not read; known are {', '.join(sorted(STORES))}.")


def _plain(what: str) -> str:
    """The name of the store without a password."""
    parts = urlsplit(what)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="")) if "://" in what else what


def _batches(store: Any, options: LoadOptions) -> Iterator[Batch]:
    name = options.source or NAME
    rows = store.query({}, properties=["uuid", "index", "completed_at", FORMULA], load=False)
    known = {(str(row["uuid"]), int(row["index"])): row for row in rows}
    jobs = [(*job, str(known[job].get("completed_at")), _formula(known[job])) for job in sorted(known)]
    jobs = jobs[: options.limit] if options.limit else jobs
    done = 0
    for chunk in _chunks(jobs):
        done += len(chunk)
        made_of = digest("jobstore", name, options.terms, chunk)
        read = partial(_read, store, chunk, name, options.terms)
        yield Batch(f"{done} of {len(jobs)} jobs", made_of, done / len(jobs), read)


def _formula(row: dict[str, Any]) -> str:
    output = row.get("output")
    return str(output.get("formula_pretty") or "") if isinstance(output, dict) else ""


def _chunks(jobs: list[Job]) -> Iterator[list[Job]]:
    """Jobs by formula, so that all calculations of a crystal are read together; those without one by themselves."""
    chunk: list[Job] = []
    for formula, group in itertools.groupby(sorted(jobs, key=lambda job: (job[3], job)), key=lambda job: job[3]):
        given = list(group)
        for part in [given] if formula else [given[start : start + CHUNK] for start in range(0, len(given), CHUNK)]:
            chunk += part
            if len(chunk) >= CHUNK:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


def _output(store: Any, uuid: str, index: int) -> Any:
    """Output of a job with its large data, without it where the store that holds it is not there."""
    wanted = {"uuid": uuid, "index": index}
    try:
        return (store.query_one(wanted, load=True) or {}).get("output")
    except ValueError:  # jobflow's, for a store that the configuration does not name
        return (store.query_one(wanted, load=False) or {}).get("output")


def _read(store: Any, jobs: list[Job], name: str, licence: str) -> Iterator[Entry | Refusal]:
    runs: list[Run] = []
    for uuid, index, *_ in jobs:
        key = f"{uuid}/{index}"
        try:
            output = _output(store, uuid, index)
            found = task_documents.read(output, key, name, licence) if isinstance(output, dict) else None
        except BAD as error:
            yield Refusal(key, reason_of(error))
            continue
        if isinstance(found, Run):
            runs.append(found)
        elif found is not None:
            yield found
    yield from combine(runs, name, licence)
