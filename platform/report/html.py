"""A campaign's report as one self-contained page: pictures inlined, nothing fetched from elsewhere."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from fermiloop.platform import jsonable
from fermiloop.platform.campaign.cost import HOLDS
from fermiloop.platform.errors import UserError
from fermiloop.platform.report.figures import FIGURES, draw
from fermiloop.platform.report.insight import tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fermiloop.platform.campaign.reported import Summary


def write_report(summary: Summary, folder: Path) -> Path:
    """Write index.html, summary.json and the pictures; give the page's path.

    Raises
    ------
    UserError
        If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "summary.json").write_text(jsonable.text(summary, indent=1), encoding="utf-8")
        pictures = draw(summary, folder)
        page = folder / "index.html"
        page.write_text(render(summary, pictures), encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"The report cannot be written to {folder} ({error.strerror}); give a folder that can."
        ) from None
    return page


def render(summary: Summary, pictures: Mapping[str, Path]) -> str:
    """The page as text."""
    environment = Environment(
        loader=PackageLoader("fermiloop.platform.report", "templates"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["number"] = number
    images = {name: base64.b64encode(path.read_bytes()).decode("ascii") for name, path in pictures.items()}
    settings = yaml.safe_dump(_short(summary["spec"]), sort_keys=False, allow_unicode=True)
    lineage = summary["best"]["lineage"] if summary["best"] else None
    return environment.get_template("report.html.jinja").render(
        s=summary,
        holds=HOLDS,
        images=images,
        captions={name: FIGURES[name].caption for name in images},
        insight=tables(summary),
        settings=settings,
        lineage=yaml.safe_dump(jsonable.plain(lineage), sort_keys=False) if lineage else None,
    )


def number(value: float | None, digits: int = 3) -> str:
    """A number for reading; a dash where there is none."""
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.{digits}f}"


def _short(value: object) -> object:
    """The settings without long rows of numbers and without what was left empty."""
    if isinstance(value, dict):
        return {key: _short(inner) for key, inner in value.items() if inner not in (None, {}, [])}
    if isinstance(value, list) and len(value) > 24 and all(isinstance(one, float) for one in value):
        return f"{len(value)} numbers"
    return [_short(inner) for inner in value] if isinstance(value, list) else value
