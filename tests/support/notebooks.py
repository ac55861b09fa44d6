"""A page of documentation as a notebook: its Python blocks are cells, the text between them is text.

``python tests/support/notebooks.py docs/tutorial.md examples/tutorial.ipynb`` writes the one from the other.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def code_of_page(text: str) -> list[str]:
    """Python blocks of a page."""
    return [block.rstrip("\n") for block in BLOCK.findall(text)]


def code_of_notebook(text: str) -> list[str]:
    """Code cells of a notebook."""
    cells = json.loads(text)["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def notebook(text: str) -> dict[str, Any]:
    """A page as a notebook without outputs."""
    cells: list[dict[str, Any]] = []
    for place, part in enumerate(BLOCK.split(text)):
        source = part.strip("\n")
        if place % 2:
            cell: dict[str, Any] = {"cell_type": "code", "execution_count": None, "outputs": []}
        elif source:
            cell = {"cell_type": "markdown"}
            source = re.sub(r"\]\((?!https?:)([^)]+)\)", r"](../docs/\1)", source)
        else:
            continue
        cells.append({**cell, "id": f"cell-{len(cells)}", "metadata": {}, "source": source.splitlines(keepends=True)})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}


def as_text(page: str) -> str:
    """The notebook of a page, as its file holds it."""
    return json.dumps(notebook(page), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(as_text(Path(sys.argv[1]).read_text(encoding="utf-8")), encoding="utf-8")
