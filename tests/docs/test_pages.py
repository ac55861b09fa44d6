"""The pages agree with the code: links, commands, keys of campaign files, settings, tables of what is declared."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from pydantic import BaseModel
from tests.docs.command_lines import PROGRAM, refuse_unknown

from fermiloop.db_init.migrations.runner import MIGRATIONS
from fermiloop.platform.campaign.replaying.strategies import REPLAY_STRATEGIES
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.plugins.acquisitions import ACQUISITIONS
from fermiloop.platform.plugins.engines import ENGINES
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.plugins.importers import IMPORTERS
from fermiloop.platform.plugins.potentials import POTENTIALS
from fermiloop.platform.plugins.stages import STAGES
from fermiloop.platform.plugins.surrogates import SURROGATES
from fermiloop.platform.settings import HANDED_DOWN, OF_TESTS, PREFIX, Settings

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
PAGES: Final = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "README.md", *DOCS.rglob("*.md"))
}
TEXTS: Final = {name.removeprefix("docs/"): text for name, text in PAGES.items()}
BLOCK: Final = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK: Final = re.compile(r"\]\(([^)\s]+)\)")


def anchors(text: str) -> set[str]:
    """Anchors of the headings of a page, as Markdown makes them."""
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", plain, re.MULTILINE)
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", one.replace("`", "").lower()).strip()) for one in headings}


def rows(page: str, head: str) -> list[list[str]]:
    """Cells of the rows of a table, which is named by the beginning of its first line."""
    lines = iter(TEXTS[page].splitlines())
    found = next((line for line in lines if line.startswith(head)), None)
    assert found is not None, f"{page} has no table that begins with {head}"
    next(lines)
    table = []
    for line in lines:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])])
    return table


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def first_names(page: str, head: str) -> list[str]:
    return [name for row in rows(page, head) for name in names(row[0])]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings(page: str) -> None:
    for link in LINK.findall(PAGES[page]):
        file, _, anchor = link.partition("#")
        if ":" in file:
            continue
        target = ((ROOT / page).parent / file).resolve() if file else ROOT / page
        assert target.exists(), f"{page}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{page}: {link}"


def commands() -> Iterator[tuple[str, str]]:
    """Page and line of every command in a block of a page."""
    for page, text in PAGES.items():
        for language, block in BLOCK.findall(text):
            if language not in ("", "sh"):
                continue
            for line in block.replace("\\\n", " ").splitlines():
                part = re.search(r"(?:^|= |&& |\w )fermiloop ((?:(?! {2,}(?![ -])| #| > | && ).)*)", line)
                if part:
                    yield page, part[1].strip()


@pytest.mark.parametrize("line", [pytest.param(line, id=f"{page}-{line}") for page, line in sorted(set(commands()))])
def test_commands_in_blocks_can_be_typed(line: str) -> None:
    refuse_unknown(shlex.split(line))


def test_commands_are_found_and_a_wrong_one_is_noticed() -> None:
    assert len(set(commands())) > 80
    for wrong in ("calculations list", "worker run --forever"):
        with pytest.raises(Exception, match="No such"):
            refuse_unknown(wrong.split())


def words_of(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    below = getattr(command, "commands", None)
    if not below:
        yield path
    for name, one in (below or {}).items():
        yield from words_of(one, (*path, name))


def test_the_command_line_has_a_line_for_every_command_and_no_other() -> None:
    told = set()
    for row in rows("cli.md", "| command | does |"):
        noun = ""
        for name in names(row[0]):  # `db start`, `stop`, `status`: the noun is said once
            first, *others = [word for word in name.split() if re.fullmatch(r"[a-z]+(-[a-z]+)*", word)] or [""]
            if first in PROGRAM.commands:
                noun, verbs = first, others[:1]
            else:
                verbs = [first]
            told |= {(noun, *verbs)} if first else set()
    assert told == set(words_of(PROGRAM))


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Keys of a campaign file with their places."""
    for name, field in model.model_fields.items():
        below = [one for one in (field.annotation, *get_args(field.annotation)) if isinstance(one, type)]
        parts = [one for one in below if issubclass(one, BaseModel)]
        yield f"{prefix}{name}"
        if parts:
            listed = "[]" if getattr(field.annotation, "__origin__", None) is tuple else ""
            yield from keys(parts[0], f"{prefix}{name}{listed}.")


def test_every_key_of_campaign_files_has_its_row_and_every_row_is_a_key() -> None:
    told = set()
    for cell in (row[0] for row in rows("campaigns.md", "| key | type |")):
        first, *others = names(cell)
        told |= {first, *(f"{first.rpartition('.')[0]}.{other}" for other in others)}
    known = set(keys(CampaignSpec))
    not_written = {one for one in known if one.endswith(".remarks")}  # what a launch keeps of reading a file
    parents = {one for one in known if any(other.startswith((f"{one}.", f"{one}[].")) for other in known)}
    assert told <= known, told - known
    assert known - parents - not_written <= told, known - parents - not_written - told


def test_every_setting_of_the_environment_is_told_and_no_other() -> None:
    ours = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert set(first_names("operations.md", "| variable | default |")) == ours
    for page, text in PAGES.items():
        named = set(re.findall(rf"\b{PREFIX}[A-Z_]+", text))
        assert {one for one in named if not one.startswith(OF_TESTS)} <= ours | HANDED_DOWN, page


def test_tables_hold_what_is_declared() -> None:
    generators = {names(row[0])[0]: tuple(names(row[1])) for row in rows("generators.md", "| name | presets |")}
    assert generators == {name: one.presets for name, one in GENERATORS.items()}
    assert first_names("campaigns.md", "| name | worth |") == list(ACQUISITIONS)
    for row, one in zip(rows("campaigns.md", "| name | worth |"), ACQUISITIONS.values(), strict=True):
        assert row[1].startswith(one.title)
        assert row[2] == one.when
    assert set(first_names("plugins-potentials.md", "| name | model |")) == set(POTENTIALS)
    assert first_names("replay.md", "| name | properties |") == list(SURROGATES)
    assert set(first_names("replay.md", "| strategy | chooses by |")) == set(REPLAY_STRATEGIES)
    assert [int(row[0]) for row in rows("database.md", "| version |")] == sorted(MIGRATIONS)
    sources = " ".join(row[0] for row in rows("importers.md", "| SOURCE | options |"))
    for one in IMPORTERS.values():
        assert one.is_file or one.written.split(":")[0] in sources, one.name


def test_keys_name_what_may_stand_there() -> None:
    cells = {names(row[0])[0]: row[3] for row in rows("campaigns.md", "| key | type |")}
    assert all(f"`{name}`" in cells["engine.name"] or name == "gpaw" for name, one in ENGINES.items() if one.chosen)
    stages = re.search(r"of `([^`]+)`, in this order", cells["funnel.stages"])
    assert stages
    assert stages[1].split(", ") == list(STAGES)
    for name, one in GENERATORS.items():
        assert not one.presets or f"`{name}`: {', '.join(f'`{each}`' for each in one.presets)}" in cells[
            "generators[].preset"
        ]  # fmt: skip


def fields_of(place: str) -> set[str]:
    """Fields of a dataclass and of its bases in the same file, which is read and not imported: it may be heavy."""
    module, _, name = place.partition(":")
    found = find_spec(module)
    assert found is not None
    assert found.origin is not None
    body = ast.parse(Path(found.origin).read_text(encoding="utf-8")).body
    classes = {one.name: one for one in body if isinstance(one, ast.ClassDef)}
    own = {line.target.id for line in classes[name].body if isinstance(line, ast.AnnAssign)
           if isinstance(line.target, ast.Name)}  # fmt: skip
    bases = [one.id for one in classes[name].bases if isinstance(one, ast.Name) and one.id in classes]
    return own.union(*(fields_of(f"{module}:{base}") for base in bases))


def test_settings_of_engines_are_told() -> None:
    told: dict[str, set[str]] = {}
    for (engine,), cell in ((names(row[0]), row[1]) for row in rows("engines.md", "| engine | settings, ")):
        inherited = re.match(r"those of `([\w-]+)`", cell)
        told[engine] = set(names(cell)) | (told[inherited[1]] if inherited else set())
    for name, one in ENGINES.items():
        if one.settings:
            lacking = fields_of(one.settings) - told[name]
            assert not lacking, f"{name}: {lacking}"
