"""Closed-loop inverse design of inorganic materials from a density of states.

What is here is the Python API; everything in it is imported at its first use, so that ``import fermiloop`` costs
nothing. Sub-packages (``fermiloop.platform``, ``fermiloop.flows``, …) are the platform itself, and may change.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fermiloop.platform.python import calculations as calculations
    from fermiloop.platform.python import candidates as candidates
    from fermiloop.platform.python import database as database
    from fermiloop.platform.python import generators as generators
    from fermiloop.platform.python import labels as labels
    from fermiloop.platform.python import materials as materials
    from fermiloop.platform.python import references as references
    from fermiloop.platform.python import schedules as schedules
    from fermiloop.platform.python import workers as workers
    from fermiloop.platform.python.campaign import Campaign as Campaign
    from fermiloop.platform.python.computing import compute as compute
    from fermiloop.platform.python.connecting import connect as connect
    from fermiloop.platform.python.materials import similar as similar

    __version__: str

_API = "fermiloop.platform.python"
_PLACES = {
    "Campaign": f"{_API}.campaign:Campaign",
    "calculations": f"{_API}.calculations",
    "candidates": f"{_API}.candidates",
    "compute": f"{_API}.computing:compute",
    "connect": f"{_API}.connecting:connect",
    "database": f"{_API}.database",
    "generators": f"{_API}.generators",
    "labels": f"{_API}.labels",
    "materials": f"{_API}.materials",
    "references": f"{_API}.references",
    "schedules": f"{_API}.schedules",
    "similar": f"{_API}.materials:similar",
    "testing": "fermiloop.testing",
    "workers": f"{_API}.workers",
}
__all__ = [
    "Campaign", "__version__", "calculations", "candidates", "compute", "connect", "database", "generators", "labels",
    "materials", "references", "schedules", "similar", "testing", "workers",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "__version__":
        found: Any = _version()
    elif name in _PLACES:
        module, _, attribute = _PLACES[name].partition(":")
        found = import_module(module)
        found = getattr(found, attribute) if attribute else found
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("fermiloop")
    except PackageNotFoundError:  # a bare clone
        return "0"
