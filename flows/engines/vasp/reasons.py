"""Why a run of VASP failed, in words: out of what custodian and the parsers raise, and of the files that are left."""

from __future__ import annotations

import contextlib
import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from custodian.custodian import (
    MaxCorrectionsError,
    MaxCorrectionsPerHandlerError,
    MaxCorrectionsPerJobError,
    NonRecoverableError,
    ReturnCodeError,
    Validator,
)
from monty.io import zopen
from monty.os.path import zpath
from pymatgen.io.vasp import Vasprun

from fermiloop.platform.errors import EngineError

TAIL: Final = 20_000  # characters of an output that are looked at
FRAME: Final = re.compile(r"^[\s|*=\-_+!?EWRONGADVIC]*$")  # of the boxes that VASP draws around its warnings
WORDS: Final = ("ERROR", "VERY BAD NEWS", "internal error", "ZBRENT", "Error EDDDAV", "severe", "BRMIX", "EDWAV")


class ExitCodeFirst(Validator):
    """Lets custodian come to the exit code of VASP: its own validators would stop before and name a class only.

    What they look for, files that are missing or not whole, is met when the outputs are read.
    """

    def check(self, directory: str = "./") -> bool:  # noqa: ARG002  (custodian's signature)
        """Nothing is invalid yet."""
        return False


@contextlib.contextmanager
def in_words() -> Iterator[None]:
    """Errors of custodian and of the parsers as sentences.

    Raises
    ------
    EngineError
        In place of them; any other error goes on as it is.
    """
    try:
        yield
    except ReturnCodeError as error:
        code = re.search(r"-?\d+", str(error.message))
        raise EngineError(f"VASP ended with exit code {code.group() if code else 'unknown'}") from error
    except (MaxCorrectionsError, MaxCorrectionsPerJobError, MaxCorrectionsPerHandlerError) as error:
        raise EngineError("custodian corrected VASP's input until it gave up") from error
    except NonRecoverableError as error:
        raise EngineError("custodian knows no remedy") from error
    except SyntaxError as error:  # what both XML parsers raise
        raise EngineError(f"vasprun.xml is cut off or damaged ({error})") from error
    except FileNotFoundError as error:
        raise EngineError(f"a file is missing: {error.filename or error}") from error
    except AttributeError as error:
        if "Vasprun" not in str(error):
            raise
        parts = {"pdos": "density of states", "tdos": "density of states", "eigenvalues": "eigenvalues"}
        part = str(error.name)
        raise EngineError(f"vasprun.xml holds no {parts.get(part, part)}") from error


def told_by(folder: Path) -> str:
    """In one sentence: what custodian corrected in vain, what stderr and VASP's output end with; empty without any."""
    parts = [_custodian(folder), _loop(folder), *(_last_words(folder, name) for name in ("std_err.txt", "vasp.out"))]
    return "; ".join(dict.fromkeys(part for part in parts if part))


def _loop(folder: Path) -> str:
    """Whether a loop of the last run did not converge, as its vasprun.xml shows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not converge, which is the answer
        try:
            run = Vasprun(
                zpath(str(folder / "vasprun.xml")), parse_dos=False, parse_eigen=False, parse_potcar_file=False
            )
        except Exception:  # noqa: BLE001  (no vasprun.xml, or none that can be read)
            return ""
    loops = {"electronic": run.converged_electronic, "ionic": run.converged_ionic}
    failed = [name for name, converged in loops.items() if not converged]
    return f"the {' and the '.join(failed)} loop did not converge" if failed else ""


def _custodian(folder: Path) -> str:
    """Errors that custodian found, each with what it tried."""
    try:
        runs: list[dict[str, Any]] = json.loads(_read(folder, "custodian.json"))
    except ValueError:
        return ""
    found: dict[str, int] = {}
    for correction in (one for run in runs for one in run.get("corrections") or []):
        for error in correction.get("errors") or []:
            found[str(error)] = found.get(str(error), 0) + 1
    if not found:
        return ""
    words = (f"{name} ({times} times)" if times > 1 else name for name, times in found.items())
    return f"custodian met {', '.join(words)}"


def _last_words(folder: Path, name: str) -> str:
    """Last line that complains, of stderr the last line of all."""
    lines = [line.strip(" |*\t") for line in _read(folder, name)[-TAIL:].splitlines() if not FRAME.match(line)]
    if name != "std_err.txt":
        lines = [line for line in lines if any(word in line for word in WORDS)]
    return f"{name}: {lines[-1][:200]}" if lines else ""


def _read(folder: Path, name: str) -> str:
    try:
        with zopen(zpath(str(folder / name)), "rt", encoding="utf-8", errors="replace") as lines:
            return str(lines.read())
    except OSError:
        return ""
