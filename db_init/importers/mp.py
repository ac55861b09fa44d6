"""The Materials Project by its own client, `mp-api`, with the user's key.

Numbers are those of the summary documents, as one database version states them: formation energies and
hulls by its mixing scheme of PBE, PBE+U and r2SCAN calculations, gaps and densities of states by its
electronic structure calculations. Each database version is a Method of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from pymatgen.core import Structure

from fermiloop.db_init.importers.dos import curve_of
from fermiloop.db_init.importers.entries import BAD, Batch, Curve, Entry, Refusal, attempt, digest, external
from fermiloop.db_init.importers.intake import take_in
from fermiloop.db_init.importers.numbers import value_of
from fermiloop.db_init.importers.optimade_providers import at
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.report import LoadReport, Progress, reason_of, silent
from fermiloop.platform.errors import FailureError, InputError, UserError
from fermiloop.platform.settings import settings
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import Property

NAME: Final = "Materials Project"
FUNCTIONAL: Final = "PBE/PBE+U/r2SCAN mixed"
LICENCE: Final = "CC BY 4.0"
CHUNK: Final = 100
FIELDS: Final[dict[tuple[str, ...], Property]] = {
    ("formation_energy_per_atom",): Property.FORMATION_ENERGY_PER_ATOM,
    ("energy_above_hull",): Property.ENERGY_ABOVE_HULL,
    ("band_gap",): Property.BAND_GAP,
    ("bulk_modulus", "vrh"): Property.BULK_MODULUS,
    ("shear_modulus", "vrh"): Property.SHEAR_MODULUS,
}
ASKED: Final = ("material_id", "structure", *dict.fromkeys(path[0] for path in FIELDS))


class AbsentError(FailureError):
    """The Materials Project has no such thing, now and on every repeat."""


def load(progress: Progress = silent, options: LoadOptions = NO_OPTIONS, client: Any = None) -> LoadReport:
    """Load what lies in a chemical space, at most so many.

    Parameters
    ----------
    progress
        Told after each hundred materials.
    options
        Elements or chemical system, limit, and whether densities of states are wanted.
    client
        An `MPRester` whose answers are dictionaries; one is made with the key of the settings otherwise.

    Raises
    ------
    UserError
        If nothing narrows the search, there is no key, or `mp-api` is not installed.
    FailureError
        If the Materials Project refuses or does not answer.
    """
    if not (options.elements or options.chemsys or options.limit):
        raise InputError("Say what to load from the Materials Project: --elements Al,Ni, --chemsys Al-Ni or --limit N.")
    client = client or _client()
    method = external(NAME, FUNCTIONAL, LICENCE, release=str(client.db_version or "unknown"))
    return take_in(NAME, _batches(client, method, options), progress)


def _client() -> Any:
    key = settings().mp_api_key
    if key is None:
        raise UserError(
            "There is no key of the Materials Project: set MP_API_KEY to the one that your account there shows."
        )
    try:
        from mp_api.client import MPRester  # an optional extra, and heavy
    except ImportError:
        raise UserError(
            "The package mp-api is not installed; install it with pip install '.[mp]' in fermiloop's folder."
        ) from None
    return _asked(lambda: MPRester(key.get_secret_value(), use_document_model=False, mute_progress_bars=True))


def _asked(call: Any) -> Any:
    """Answer of the client; what goes wrong is told without the key."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001  (the client raises its own, those of requests, and of its data formats)
        key = settings().mp_api_key
        told = " ".join(str(error).split())[:300].rstrip(".")
        told = told.replace(key.get_secret_value(), "***") if key else told
        absent = type(error).__name__ == "MPRestError" and told.startswith("No ")
        kind = AbsentError if absent else FailureError
        raise kind(f"The Materials Project did not give what was asked for: {told}.") from None


def _batches(client: Any, method: Method, options: LoadOptions) -> Iterator[Batch]:
    ids = _ids(client, options)
    release = method.settings["release"]
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        done = start + len(chunk)
        # A database version never changes: its ids say what the answer will be, and nothing is asked for twice.
        made_of = digest("mp", release, chunk, options.dos)
        yield Batch(
            f"{done} of {len(ids)}", made_of, done / len(ids), partial(_read, client, chunk, method, dos=options.dos)
        )


def _ids(client: Any, options: LoadOptions) -> list[str]:
    """Ids that match, sorted, so that the same question always makes the same batches."""
    wanted: dict[str, Any] = {"deprecated": False, "fields": ["material_id"]}
    if options.elements:
        wanted["elements"] = list(options.elements)
    if options.chemsys:
        wanted["chemsys"] = options.chemsys
    if not options.elements and not options.chemsys:
        wanted |= {"num_chunks": 1, "chunk_size": min(options.limit or 1000, 1000), "_sort_fields": "material_id"}
    rows = _asked(lambda: client.materials.summary.search(**wanted))
    ids = sorted({str(row["material_id"]) for row in rows})
    return ids[: options.limit] if options.limit else ids


def _read(client: Any, ids: list[str], method: Method, *, dos: bool) -> Iterator[Entry | Refusal]:
    rows = _asked(lambda: client.materials.summary.search(material_ids=ids, fields=list(ASKED)))
    found = {str(row.get("material_id")): row for row in rows if isinstance(row, dict)}
    for key in ids:
        if key in found:
            yield attempt(partial(_entry, found[key], key, client, method, dos=dos), key, str(found[key])[:200])
        else:
            yield Refusal(key, "The Materials Project listed it and then gave no document of it.")


def _entry(row: dict[str, Any], key: str, client: Any, method: Method, *, dos: bool) -> Entry:
    given = row["structure"]
    structure = given if isinstance(given, Structure) else Structure.from_dict(given)
    numbers = [
        (kind, found, method)
        for path, kind in FIELDS.items()
        if (found := value_of(kind, at(row, path), ".".join(path))) is not None
    ]
    curve, remarks = None, list[str]()
    if dos:
        try:
            curve, said = _curve(client, key, len(structure), method)
            remarks += said
        except (*BAD, AbsentError) as error:
            remarks.append(f"density of states left out: {reason_of(error)}")
    return Entry(key, structure, {"name": NAME, "key": key, "licence": LICENCE}, tuple(numbers), curve, tuple(remarks))


def _curve(client: Any, key: str, n_sites: int, method: Method) -> tuple[Curve, tuple[str, ...]]:
    """Density of states of the material, brought to the cell of its structure, and what is to be said of it."""
    found = _asked(lambda: client.get_dos_by_material_id(key))
    cell = getattr(found, "structure", None)
    scale = n_sites / len(cell) if cell is not None and len(cell) else 1.0
    spins = [[scale * float(value) for value in density] for density in found.densities.values()]
    return curve_of(found.energies, spins, float(found.efermi), method)
