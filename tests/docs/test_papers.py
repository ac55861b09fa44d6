"""The page of the papers: its form, and that nothing is claimed without an interval, a number and a command."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

import pytest
from tests.docs.command_lines import refuse_unknown

PAGE: Final = Path(__file__).parents[2] / "docs" / "papers.md"
COLUMNS: Final = [
    "experiment", "published", "ours, in its protocol", "ours, held out", "n", "95 % interval", "data and command",
    "cost", "verdict",
]  # fmt: skip
SECTIONS: Final = [
    "From a density of states to a composition", "CCDCGAN", "FTCP", "iMatGen",
    "The review of inverse design strategies", "Other curves",
]  # fmt: skip
CLAIMS: Final = ("reproduced", "exceeded", "refuted")
VERDICTS: Final = (*CLAIMS, "not reached", "not comparable", "not run", "not possible")
FEWEST: Final = 60
INTERVAL: Final = re.compile(r"\d\S* – \S*\d")
COMMAND: Final = re.compile(r"`fermiloop ([^`]+)`")


def rows_of(text: str) -> dict[str, list[dict[str, str]]]:
    """Rows of the tables of experiments, by section."""
    found: dict[str, list[dict[str, str]]] = {}
    section, heads = "", []
    for line in text.splitlines():
        if line.startswith("## "):
            section, heads = line[3:], []
        elif not line.startswith("|"):
            heads = []
        elif not heads:
            heads = cells_of(line)
        elif heads[0] == COLUMNS[0] and not set(line) <= set("|- "):
            assert heads == COLUMNS, f"{section}: the columns are {heads}"
            assert len(cells_of(line)) == len(COLUMNS), f"{section}: {line}"
            found.setdefault(section, []).append(dict(zip(heads, cells_of(line), strict=True)))
    return found


def cells_of(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def claimed_without_proof(row: dict[str, str]) -> bool:
    proven = INTERVAL.search(row["95 % interval"]) and re.search(r"\d", row["n"]) and COMMAND.search(row[COLUMNS[6]])
    return row["verdict"].split(":")[0] in CLAIMS and not proven


TEXT: Final = PAGE.read_text()
ROWS: Final = [(section, row) for section, rows in rows_of(TEXT).items() for row in rows]


def test_what_compares_with_nothing_published_is_a_result_all_the_same() -> None:
    for _, row in ROWS:
        if row["verdict"].startswith("not comparable"):
            assert {row[COLUMNS[2]], row[COLUMNS[3]]} != {"–"}, row["experiment"]


def test_each_paper_has_its_section_and_together_they_have_enough_rows() -> None:
    assert [section for section in rows_of(TEXT) if section in SECTIONS] == SECTIONS
    assert len(ROWS) >= FEWEST
    names = [(section, row["experiment"]) for section, row in ROWS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("row", [row for _, row in ROWS], ids=[row["experiment"] for _, row in ROWS])
def test_a_row_has_a_verdict_and_claims_nothing_without_interval_number_and_command(row: dict[str, str]) -> None:
    assert all(row[column] for column in COLUMNS)
    verdict, _, reason = row["verdict"].partition(":")
    assert verdict in VERDICTS
    assert reason or verdict != "not possible", "says why"
    assert not claimed_without_proof(row)


def test_a_claim_without_proof_is_noticed() -> None:
    proof = {
        "n": "30",
        "95 % interval": "0.2 – 0.4",
        COLUMNS[6]: "`fermiloop bench dos`",
        "verdict": "exceeded: by far",
    }
    assert not claimed_without_proof(proof)
    for lacking in ("n", "95 % interval", COLUMNS[6]):
        assert claimed_without_proof(proof | {lacking: "–"})


@pytest.mark.parametrize("line", sorted(set(COMMAND.findall(TEXT))))
def test_every_command_of_the_page_can_be_typed(line: str) -> None:
    refuse_unknown(shlex.split(line), whole=False)


def test_a_command_that_is_gone_is_noticed() -> None:
    for wrong in ("bench nothing", "bench dos --nothing"):
        with pytest.raises(Exception, match="No such"):
            refuse_unknown(shlex.split(wrong), whole=False)
