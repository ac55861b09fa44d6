"""Methods: saved once, found by id or by engine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from mongoengine import NotUniqueError

from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.plugins.curve_key import curve_key
from fermiloop.platform.plugins.engines import CORRECTIONS, chosen_engines
from fermiloop.schemas.label import Label
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import EXTERNAL


def save(engine: str, functional: str, settings: dict[str, Any], code_versions: dict[str, str]) -> str:
    """Id of the method, saved where it is new."""
    method = Method.make(engine, functional, settings, code_versions)
    method.check()
    if not Method.objects(id=method.id).only("id").first():
        with contextlib.suppress(NotUniqueError):  # another process saved the same method in between
            method.save(force_insert=True)
    return str(method.id)


def get(method_id: str) -> Method:
    """The method of an id.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    found = Method.objects(id=method_id).first()
    if found is None:
        raise NotFoundError(f"The store holds no method {method_id}.")
    return found


def corrections(method_id: str) -> dict[str, float]:
    """What a method adds to the energy of an element as a reference, eV per atom by element; empty where nothing."""
    found = Method.objects(id=method_id).only("settings").first()
    given = found.settings.get(CORRECTIONS) if found is not None else None
    return {str(symbol): float(value) for symbol, value in (given or {}).items()}


def known(ids: Iterable[str]) -> set[str]:
    """Those of these ids that the store holds."""
    return {method.id for method in Method.objects(id__in=sorted(ids)).only("id")}


def of_ids(ids: Iterable[str]) -> list[Method]:
    """Methods of these ids; unknown ones are left out."""
    return list(Method.objects(id__in=sorted(set(ids))).order_by("id"))


def of_engine(engine: str) -> list[Method]:
    """All methods of an engine."""
    return list(Method.objects(engine=engine).order_by("id"))


def every() -> list[Method]:
    """All methods."""
    return list(Method.objects.order_by("id"))


def with_like_curves(method: Method) -> tuple[str, ...]:
    """Ids of the stored Methods whose densities of states may stand beside those of a Method, which comes first."""
    key = key_of(method)
    others = every() if key is not None else []
    return (str(method.id), *(str(one.id) for one in others if one.id != method.id and key_of(one) == key))


def curves_beside(method_id: str) -> tuple[str, ...]:
    """`with_like_curves` of the Method of an id; one that is not stored stands alone."""
    found = Method.objects(id=method_id).first()
    return (method_id,) if found is None else with_like_curves(found)


def key_of(method: Method) -> str | None:
    """What makes its densities of states comparable; None where they stand alone."""
    return curve_key(str(method.engine), str(method.functional), dict(method.settings))


def of_source(source: str) -> Method:
    """The method of labels that were imported from a source, or that an engine computed, such as ``gpaw``.

    Of several the one of the current release, of an engine's the one with most labels.

    Raises
    ------
    NotFoundError
        If nothing was imported from it, or computed by it.
    """
    computed = of_engine(source) if source != EXTERNAL else []
    if computed:
        return max(computed, key=lambda method: (Label.objects(method=method.id).count(), str(method.id)))
    if source in chosen_engines():
        raise NotFoundError(f"The store holds no labels that {source} computed; load some: fermiloop db load seed.")
    found: dict[str, list[Method]] = {}
    for method in of_engine(EXTERNAL):
        found.setdefault(str(method.settings.get("source", "")), []).append(method)
    if source not in found:
        known = f"known are {', '.join(sorted(found))}" if found else "import some first: fermiloop db load FILE"
        raise NotFoundError(f"The store holds no labels of the source {source!r}; {known}.")
    return max(found[source], key=_rank)


def _rank(method: Method) -> tuple[bool, str, str]:
    """Of the releases of a source, the one called current comes last, then those of the latest name."""
    release = str(method.settings.get("release", ""))
    return release == "current", release, str(method.id)
