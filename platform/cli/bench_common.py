"""What the commands of benches share: options, the file that is read, and how a result is told."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from fermiloop.platform.cli.output import Listing, markdown_table, print_json, print_line
from fermiloop.platform.errors import InputError

SEED_LIBRARY: Final = Path(str(files("fermiloop.db_init"))) / "seed" / "gpaw_pbe.jsonl.gz"
SEED_CURVES: Final = (SEED_LIBRARY, SEED_LIBRARY.with_name("gpaw_pbe_hard.jsonl.gz"))
"""Files with the curves that are shipped, of two Methods whose curves are comparable and whose energies are not."""
BESIDE: Final = SEED_LIBRARY.resolve().parents[3] / "shared" / "data" / "mp_structures.jsonl.gz"
"""Crystals beside a checkout, which do not ship; resolved, since an installed checkout is seen through links."""

AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print a table for a document.")]
Crystals = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Crystals with formation energies, one JSON object a line, plain or gzip; "
        "../shared/data/mp_structures.jsonl.gz beside a checkout, where it is, and the seed library otherwise.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Of everything random.")]


def one_form(*, as_json: bool, as_markdown: bool) -> None:
    """Refuse two forms of one answer.

    Raises
    ------
    InputError
        If both are asked for.
    """
    if as_json and as_markdown:
        raise InputError("The options --json and --markdown exclude each other; ask for one of them.")


def crystals(data: Path | None, *, quick: bool) -> Path:
    """The file asked for, else the one beside a checkout unless a quick check will do, else the seed library."""
    return data or (BESIDE if BESIDE.exists() and not quick else SEED_LIBRARY)


def tell(title: str, result: dict[str, Any], *, as_json: bool, as_markdown: bool) -> None:
    """Print a benchmark in the form asked for."""
    if as_json:
        print_json(result)
    elif as_markdown:
        print_line(markdown_table(result["rows"]))
    else:
        show(title, result)


def show(title: str, result: dict[str, Any]) -> None:
    """Print a benchmark for people: its table, what it was measured on, and how long it took."""
    if "left_out" in result:
        print_line(f"{title}: left out. {result['left_out']}")
        return
    rows = result["rows"]
    keys = dict.fromkeys(key for row in rows for key in row)
    told = [key for key in keys if any(row.get(key) is not None for row in rows)]
    Listing(title, {key: key.replace("_", " ") for key in told}, rows).show()
    if "source" in result:
        print_line(
            f"Published figures: {result['source']}. Data: {_told(result.get('data'))}. {result['seconds']:.0f} s."
        )


def _told(data: Any) -> str:
    if isinstance(data, dict):
        return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in data.items() if value not in ([], None))
    return str(data)
