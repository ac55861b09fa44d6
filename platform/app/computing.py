"""Computing what is handed over: crystals of files or of the store, by an engine, without a campaign."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.app import campaign_text
from fermiloop.platform.app.progress import Progress, silent
from fermiloop.platform.errors import InputError, SpecError
from fermiloop.platform.plugins.engines import engine as declared
from fermiloop.platform.store import candidates, materials
from fermiloop.platform.store import workers as noted

if TYPE_CHECKING:
    from fermiloop.flows.evaluations.asking import Given
    from fermiloop.flows.evaluations.outcomes import Outcome

__all__ = [
    "check", "check_engine", "crystals", "launch", "of_store", "of_text", "outcomes", "refuse_programs", "run",
    "sentence", "settings_of", "settings_of_line", "wait",
]  # fmt: skip

TIME_LIMIT: Final = 3600.0  # s of a step
MOST_CRYSTALS: Final = 10_000
NEXT_SETTING: Final = re.compile(r"\s+(?=[A-Za-z_]\w*\s*=)")


def crystals(words: Iterable[str]) -> list[Given]:
    """Crystals of structure files, of folders of them, of ids of materials and candidates, and of stored formulas.

    Raises
    ------
    InputError
        If there is no such file, a file holds something that is no crystal, or a formula names none or several of the
        stored materials.
    NotFoundError
        If the store does not hold an id.
    """
    found = [one for word in words for one in _of_word(word)]
    if len(found) > MOST_CRYSTALS:
        raise InputError(f"{len(found)} crystals were handed over; hand over at most {MOST_CRYSTALS} at once.")
    return found


def of_store(words: Iterable[str]) -> list[Given]:
    """Crystals of ids of materials and candidates, and of stored formulas: no file of this machine is looked at.

    Raises
    ------
    InputError
        If a formula names none or several of the stored materials.
    NotFoundError
        If the store does not hold an id.
    """
    return [_stored(word) for word in words]


def of_text(name: str, text: str) -> list[Given]:
    """Crystals of the text of a structure file, whose name says what it is.

    Raises
    ------
    InputError
        If the name is none of a structure file, or the text holds something that is no crystal.
    """
    from fermiloop.db_init.importers import folder

    own = Path(name).name
    if not own or not folder.is_structure_file(Path(own)):
        raise InputError(
            f"The name {name[:80]!r} is none of a CIF, POSCAR, JSON or XYZ file; name it such as NiAl.cif."
        )
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / own
        try:
            path.write_text(text, encoding="utf-8")
        except (OSError, ValueError):  # a name that no folder takes, or half a character in either
            raise InputError(
                f"The file {name[:80]!r} cannot be written down; give a short name, as NiAl.cif, and text in UTF-8."
            ) from None
        return _of_path(path)


def settings_of(pairs: Iterable[str]) -> dict[str, Any]:
    """Settings of an engine out of texts such as ``cutoff=600``; a value is what it would be in a campaign file.

    Raises
    ------
    InputError
        If one is not of that form, given twice, or its value is none of a campaign file.
    """
    from fermiloop.platform.campaign.spec_fields import plain
    from fermiloop.platform.campaign.yaml_text import load_value

    found: dict[str, Any] = {}
    for pair in pairs:
        name, mark, value = pair.partition("=")
        name = name.strip()
        if not (name and mark):
            raise InputError(f"The setting {pair!r} is not understood; write it as cutoff=600.")
        if name in found:
            raise InputError(f"The setting {name} is given twice; give it once.")
        try:
            found |= plain({name: load_value(value, name)})
        except (SpecError, ValueError):
            raise InputError(f"The value of the setting {pair!r} is not understood; write it as cutoff=600.") from None
    return found


def settings_of_line(line: str) -> dict[str, Any]:
    """Settings of one line with spaces between them; in a value such as ``{O: 0.4}`` spaces may stand too.

    Raises
    ------
    InputError
        If one is not of that form.
    """
    return settings_of(one for one in NEXT_SETTING.split(line.strip()) if one)


def refuse_programs(engine: str, settings: Mapping[str, Any]) -> None:
    """Refuse from the network what a campaign may not name there either.

    Raises
    ------
    SpecError
        If the engine runs code or reads a file that its settings name, or a value cannot be stored.
    """
    campaign_text.check_engine(engine, settings)


def check(given: Sequence[Given], engine: str, settings: Mapping[str, Any], *, relax: bool = True) -> None:
    """Refuse what cannot be computed; nothing is stored.

    Raises
    ------
    InputError, UserError
        As `launch` does.
    """
    from fermiloop.flows.evaluations import asking

    declared(engine)
    asking.check(given, engine, settings, relax=relax)


def launch(
    given: Sequence[Given],
    engine: str,
    settings: Mapping[str, Any] | None = None,
    *,
    relax: bool = True,
    time_limit: float = TIME_LIMIT,
) -> list[str]:
    """Check and queue crystals; ids of their calculations. What was computed before is not queued again.

    Raises
    ------
    InputError
        If a setting is wrong, or the engine refuses one of the crystals; nothing is queued then.
    UserError
        If the engine is not installed here.
    """
    from fermiloop.flows.evaluations import asking

    declared(engine)  # a slip is told before what is heavy is imported
    return asking.launch(given, engine, dict(settings or {}), relax=relax, time_limit=time_limit)


def check_engine(engine: str) -> None:
    """Refuse an engine that cannot run on this machine.

    Raises
    ------
    UserError
        With what to do about it.
    """
    from fermiloop.flows.evaluations import asking

    asking.check_engine(engine)


def run(ids: Sequence[str], workers: int | None = 1, progress: Progress | None = None) -> list[Outcome]:
    """Compute by so many workers of this command, or in this process, until all have ended; what came of each.

    Raises
    ------
    StoppedError
        If the keyboard or a signal ended it; what ran was given back.
    """
    from fermiloop.flows.driving import computing

    return computing.run(ids, workers, progress or silent)


def wait(ids: Sequence[str], progress: Progress | None = None, timeout: float | None = None) -> list[Outcome]:
    """Stay until workers elsewhere have computed all, or for so many seconds; what came of each so far."""
    from fermiloop.flows.driving import computing

    return computing.wait(ids, progress or silent, timeout)


def outcomes(ids: Sequence[str]) -> list[Outcome]:
    """What came of calculations so far, in the order of the ids; unknown ones are left out."""
    from fermiloop.flows.evaluations.outcomes import outcomes as found

    return found(ids)


def sentence(found: Sequence[Outcome], workers: int) -> str:
    """How many were queued and how many were there, and who takes them up."""
    waiting = sum(not one.ended for one in found)
    known = len(found) - waiting
    first = f"{waiting} of {len(found)} are queued" if waiting else "Nothing is queued"
    told = f"{first}; {known} had been computed before." if known else f"{first}."
    return f"{told} {noted.sentence(workers)}" if waiting else told


def _of_word(word: str) -> list[Given]:
    if not word.strip():  # which would be the working folder
        raise InputError("An empty word was handed over; name a structure file, a folder of them, an id or a formula.")
    path = Path(word)
    try:
        path = path.expanduser()
        there = path.exists()
    except (RuntimeError, OSError, ValueError):  # of nobody here, too long, or with a character that no name has
        there = False
    if there:
        return _of_path(path)
    if path.suffix or len(path.parts) > 1:
        raise InputError(f"There is no file or folder {word}.")
    return [_stored(word)]


def _stored(word: str) -> Given:
    from fermiloop.flows.evaluations.asking import Given

    if word.startswith("m-"):
        return _of_material(word, word)
    if word.startswith("c-"):
        return Given(candidates.get(word).to_structure(), word)
    formula = word
    found = materials.find_formula(formula)
    if not found:
        raise InputError(
            f"There is no file {formula}, and the store holds no material of that formula; hand over a structure file."
        )
    if len(found) > 1:
        told = ", ".join(f"{one.id} ({one.prototype})" for one in found[:5])
        raise InputError(f"The store holds {len(found)} materials of the formula {formula}; name one of them: {told}.")
    return _of_material(str(found[0].id), str(found[0].id))


def _of_material(material: str, name: str) -> Given:
    from fermiloop.flows.evaluations.asking import Given

    home = str(materials.get(material).id)
    return Given(materials.as_computed([home])[home], name)


def _of_path(path: Path) -> list[Given]:
    from fermiloop.db_init.importers import folder
    from fermiloop.flows.evaluations.asking import Given

    return [Given(entry.structure, entry.key) for entry in folder.crystals_of(path)]
