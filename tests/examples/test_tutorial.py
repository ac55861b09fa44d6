"""The tutorial: page and notebook say the same, and the notebook runs from nothing to a table and a picture."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from notebooks import as_text, code_of_notebook, code_of_page

from fermiloop.platform.store import embedded

ROOT = Path(__file__).parents[2]
PAGE, NOTEBOOK = ROOT / "docs" / "tutorial.md", ROOT / "examples" / "tutorial.ipynb"


def test_page_and_notebook_hold_the_same_code_and_text() -> None:
    page, notebook = PAGE.read_text(encoding="utf-8"), NOTEBOOK.read_text(encoding="utf-8")
    assert len(code_of_page(page)) > 8
    assert code_of_page(page) == code_of_notebook(notebook)
    assert notebook == as_text(page)  # written by python tests/support/notebooks.py


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the notebook runs, with the code of this tree, and no server left behind."""
    for name in list(os.environ):
        if name.startswith("FERMILOOP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(ROOT / ".src"), os.environ.get("PYTHONPATH", ""))))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # Jupyter's own shows pictures in the notebook
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    yield tmp_path
    embedded.stop(tmp_path / "tutorial-data")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")  # of Jupyter's
def test_the_notebook_runs_and_ends_with_a_table_and_a_picture(folder: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="install the extra dev")
    nbclient = pytest.importorskip("nbclient", reason="install the extra dev")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=500, resources={"metadata": {"path": str(folder)}})
    client.execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = [_kinds(cell) for cell in cells]
    table = next(place for place, cell in enumerate(cells) if cell.source.endswith("\ncandidates"))
    assert "text/html" in shown[table]
    assert "predicted_similarity" in _html(cells[table])
    assert "image/png" in shown[-2]
    assert not [kinds for kinds in shown if "error" in kinds]


def _kinds(cell: Any) -> set[str]:
    return {kind for output in cell.outputs for kind in (*output.get("data", {}), output.output_type)}


def _html(cell: Any) -> str:
    return str(next(output.data["text/html"] for output in cell.outputs if "data" in output))
