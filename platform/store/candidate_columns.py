"""Columns of candidates: the one table of the stored fields that lists, files, answers and pages show.

A new column is a field of `schemas.candidate.Candidate` and an entry here; the command line, REST, pages, exports and
the Python API follow. Scores are columns by their declaration, see `schemas.scores`. Nothing heavy is imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fermiloop.platform.store import border
from fermiloop.schemas.vocabulary import Stage


@dataclass(frozen=True)
class Column:
    """One stored field of a candidate.

    Parameters
    ----------
    name
        Of the field, in every list, file and answer.
    read
        How it is checked when an exported candidate comes in; None for what is not exported but made again.
    needed
        Whether an exported candidate without it is refused.
    listed
        Whether the command line and the Python API list it; REST lists all.
    in_table
        Whether it is shown in the terminal where no columns are named.
    on_page
        Whether the page of the database shows it.
    """

    name: str
    read: border.Check | None = None
    needed: bool = True
    listed: bool = True
    in_table: bool = False
    on_page: bool = False

    @property
    def heading(self) -> str:
        """What it is called at the head of a table."""
        return self.name.replace("_", " ")


COLUMNS: Final = (
    Column("formula", border.text(), in_table=True, on_page=True),
    Column("elements", listed=False),
    Column("chemical_system", listed=False),
    Column("n_sites", listed=False),
    Column("campaign", border.text(), in_table=True, on_page=True),
    Column("round", border.whole(1), in_table=True, on_page=True),
    Column("generator", border.text(), in_table=True, on_page=True),
    Column("preset", border.text(), needed=False, in_table=True),
    Column("checkpoint", border.text(), needed=False),
    Column("seed", border.whole(-(2**63))),
    Column("parent", border.text(), needed=False),
    Column("score", border.number),  # the generator's: shown, and exported, as generator_score
    Column("probability", border.number, needed=False),
    Column("stage", border.one_of(Stage), in_table=True, on_page=True),
    Column("reason", border.text(10_000), needed=False),
    Column("scores", border.mapping, needed=False),  # each is a column of its own
    Column("verdicts", border.rows(1000), needed=False),
    Column("calculation", border.text(), needed=False),
    Column("material", border.key("m"), needed=False, in_table=True),
    Column("created_at", listed=False),
)
NAMES: Final = tuple(one.name for one in COLUMNS)
LISTED: Final = ("id", *(one.name for one in COLUMNS if one.listed))
