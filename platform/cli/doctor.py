"""``fermiloop doctor`` and ``fermiloop version``: what is there, and what to do about what is not."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fermiloop.platform.cli.failures import explain, one_sentence
from fermiloop.platform.cli.output import AsJson, Listing, print_json, print_line
from fermiloop.platform.plugins.examining import Found, examine

if TYPE_CHECKING:
    from collections.abc import Callable


PYTHONS: Final = ((3, 11), (3, 14))  # first that will do, first that will not
MOST_NAMED: Final = 6  # elements in a row
ENOUGH_SPACE: Final = 2 * 1024**3  # bytes; a store with checkpoints and calculations
PACKAGES: Final = (
    "fermiloop", "numpy", "pymatgen", "torch", "chgnet", "gpaw", "gpaw-data", "ase", "atomate2", "jobflow", "FireWorks",
    "maggma", "mongoengine", "pymongo", "SecantusDB", "smact", "typer", "rich",
)  # fmt: skip
PLUGIN_COLUMNS: Final = {
    "kind": "kind", "name": "name", "package": "package", "state": "state", "told": "what it is, or what is wrong",
}  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One row: what was looked at, whether it is there, and what to do if not.

    Parameters
    ----------
    name
        What was looked at.
    ok
        Whether it is there.
    basic
        Whether nothing works without it.
    found
        What was found.
    remedy
        One sentence, empty where all is well.
    """

    name: str
    ok: bool
    basic: bool
    found: str
    remedy: str = ""


def doctor(
    as_json: AsJson = False, start: Annotated[bool, typer.Option(help="Start the database to look.")] = True
) -> None:
    """Say what is installed, reachable and configured, and what to do about what is not."""
    checks = [*installed(), *(_configured() if start else [])]
    rows = [{**asdict(check), "state": _state(check)} for check in checks]
    plugins = examine()
    healthy = all(check.ok for check in checks if check.basic)
    if as_json:
        print_json({"ok": healthy, "checks": rows, "plugins": [asdict(one) for one in plugins]})
    else:
        columns = {"name": "", "state": "state", "found": "found", "remedy": "what to do"}
        Listing("fermiloop doctor", columns, rows).show()
        if plugins:
            Listing("Plug-ins", PLUGIN_COLUMNS, [_plugin(one) for one in plugins]).show()
        print_line("The basics are there." if healthy else "Something basic is missing; see what to do above.")
    raise typer.Exit(0 if healthy else 1)


def version(as_json: AsJson = False) -> None:
    """Versions of fermiloop and of what it stands on."""
    found = {"python": platform.python_version(), **{name.lower(): package_version(name) for name in PACKAGES}}
    if as_json:
        print_json(found)
    else:
        for name, number in found.items():
            print_line(f"{name:12} {number or 'not installed'}")


def own_version(asked: bool) -> None:
    """Print the version of fermiloop where it is asked for."""
    if asked:
        print_line(f"fermiloop {package_version('fermiloop') or 'not installed'}")
        raise typer.Exit


def installed() -> list[Check]:
    """What of the machine and its packages is there; touches no database."""
    return [
        _python(), _compiler(), _package("torch", "torch", basic=True), _package("chgnet", "chgnet", basic=True),
        _package("FireWorks", "fireworks", basic=True), _package("jobflow", "jobflow", basic=True),
        _package("atomate2", "atomate2", basic=True), _gpaw(), _setups(), _embedded(),
        *_potentials(),
    ]  # fmt: skip


def _configured() -> list[Check]:
    return [_guarded("settings", _settings), _guarded("data folder", _data_folder), _guarded("database", _database),
            *_engines(), *_references()]  # fmt: skip


def _plugin(one: Found) -> dict[str, str]:
    """A row of what an installed package adds."""
    state = "cannot be used" if one.fault else "ok"
    package = f"{one.package} {one.version}"
    return {"kind": one.kind, "name": one.name, "package": package, "state": state, "told": one.fault or one.title}


def _state(check: Check) -> str:
    return "ok" if check.ok else ("missing" if check.basic else "optional, missing")


def package_version(distribution: str) -> str | None:
    """Installed version of a distribution, None where there is none."""
    try:
        return version_of(distribution)
    except PackageNotFoundError:
        return None


def _guarded(name: str, look: Callable[[], Check], *, basic: bool = True) -> Check:
    """A check whose failure is itself the finding."""
    try:
        return look()
    except Exception as error:  # noqa: BLE001 whatever is wrong is what the row says
        return Check(name, ok=False, basic=basic, found="not usable", remedy=explain(error)[0])


def _python() -> Check:
    ok = PYTHONS[0] <= sys.version_info[:2] < PYTHONS[1]
    remedy = "" if ok else "Make the environment with Python 3.11, 3.12 or 3.13."
    return Check("Python", ok=ok, basic=True, found=platform.python_version(), remedy=remedy)


def _compiler() -> Check:
    names = [os.environ.get("CXX", ""), "g++", "c++", "clang++"]
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    remedy = (
        "" if found else "Install gcc and g++ (Debian: build-essential; macOS: xcode-select --install) to build GPAW."
    )
    return Check("C++ compiler", ok=found is not None, basic=False, found=found or "none", remedy=remedy)


def _package(distribution: str, module: str, *, basic: bool) -> Check:
    number = package_version(distribution)
    ok = number is not None and importlib.util.find_spec(module) is not None
    remedy = "" if ok else f"Install it: pip install {distribution.lower()}."
    return Check(distribution, ok=ok, basic=basic, found=number or "none", remedy=remedy)


def _gpaw() -> Check:
    number = package_version("gpaw")
    remedy = (
        "" if number else "Install real DFT: pip install '.[dft]' in fermiloop's folder, which needs the C++ compiler."
    )
    return Check("GPAW", ok=number is not None, basic=False, found=number or "none", remedy=remedy)


def _setups() -> Check:
    number = package_version("gpaw-data")
    remedy = "" if number else "Install the PAW setups: pip install gpaw-data."
    return Check("GPAW setups", ok=number is not None, basic=False, found=number or "none", remedy=remedy)


def _embedded() -> Check:
    from fermiloop.platform.store.embedded_programs import installed

    number = package_version("SecantusDB")
    found = ", ".join(server.kind.program for server in installed())
    configured = "FERMILOOP_MONGODB_URI" in os.environ or "FERMILOOP_EMBEDDED_COMMAND" in os.environ
    remedy = (
        ""
        if found
        else "Install it with pip install '.[embedded]' in fermiloop's folder, or set FERMILOOP_MONGODB_URI."
    )
    told = f"{number}: {found}" if number and found else found
    return Check("embedded database", ok=bool(found), basic=not configured, found=told or "none", remedy=remedy)


def _potentials() -> list[Check]:
    from fermiloop.platform.plugins.potentials import POTENTIALS

    return [
        Check(
            f"potential {name}",
            ok=declared.installed(),
            basic=False,
            found=declared.model if declared.installed() else "none",
            remedy="" if declared.installed() else f"Install it: {declared.remedy()}.",
        )
        for name, declared in POTENTIALS.items()
    ]


def _settings() -> Check:
    from fermiloop.platform.settings import settings

    names = settings().model_fields_set
    found = ", ".join(f"FERMILOOP_{name.upper()}" for name in sorted(names)) or "all as shipped"
    return Check("settings", ok=True, basic=True, found=found)


def _data_folder() -> Check:
    from fermiloop.platform.settings import settings

    folder = settings().data_dir
    ground = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(ground).free
    found = f"{folder}, {free / 1024**3:.1f} GiB free"
    if not (ground.is_dir() and os.access(ground, os.W_OK | os.X_OK)):
        return Check("data folder", ok=False, basic=True, found=found,
                     remedy=f"Make {ground} writable, or set FERMILOOP_DATA_DIR.")  # fmt: skip
    if free < ENOUGH_SPACE:
        return Check("data folder", ok=False, basic=True, found=found,
                     remedy="Free at least 2 GiB, or set FERMILOOP_DATA_DIR to another disk.")  # fmt: skip
    return Check("data folder", ok=True, basic=True, found=found)


def _database() -> Check:
    from fermiloop.platform.cli.database import where
    from fermiloop.platform.store import connection

    connection.connect()
    return Check("database", ok=True, basic=True, found=where())


def _engines() -> list[Check]:
    from fermiloop.platform.plugins.engines import chosen_engines

    return [_guarded(f"engine {name}", partial(_engine, name), basic=False) for name in chosen_engines()]


def _engine(name: str) -> Check:
    from fermiloop.flows.engines.lookup import code_of

    found = code_of(name).available()
    remedy = "" if found.ready else one_sentence(found.detail)
    return Check(
        f"engine {name}", ok=found.ready, basic=False, found=found.detail if found.ready else "none", remedy=remedy
    )


def _references() -> list[Check]:
    """Of engines by which the store has an energy with their usual settings: which elements have references."""
    from fermiloop.platform.plugins.engines import chosen_engines

    rows = [_guarded(f"references {name}", partial(_reference, name), basic=False) for name in chosen_engines()]
    return [row for row in rows if row.found not in ("not used", "not usable")]


def _reference(name: str) -> Check:
    from fermiloop.platform.app import references

    if not references.is_used(name):
        return Check(f"references {name}", ok=True, basic=False, found="not used")
    rows = references.known(name, {})
    there = [one.element for one in rows if one.energy_per_atom is not None]
    lacking = [one.element for one in rows if one.energy_per_atom is None]
    some = f"{' '.join(lacking[:MOST_NAMED])}{' …' if len(lacking) > MOST_NAMED else ''}"
    return Check(
        f"references {name}", ok=not lacking, basic=False,
        found=f"{len(there)} elements",
        remedy=f"For other hulls: fermiloop references build --engine {name} --elements {some}" if lacking else "",
    )  # fmt: skip
