"""A stand-in for an OPTIMADE server on localhost, with the faults that real ones have."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from atomate2.vasp.jobs.base import get_vasp_task_document
from monty.json import jsanitize

from fermiloop.db_init.importers.pages import Pages


def make_row(key: str, a: float = 2.9, pair: tuple[str, str] = ("Ni", "Al"), **changes: Any) -> dict[str, Any]:
    """An OPTIMADE structure of two elements on B2."""
    species = [{"name": f"{one}1", "chemical_symbols": [one], "concentration": [1.0]} for one in pair]
    attributes = {
        "lattice_vectors": [[a, 0, 0], [0, a, 0], [0, 0, a]], "cartesian_site_positions": [[0, 0, 0], [a / 2] * 3],
        "species_at_sites": [f"{one}1" for one in pair], "species": species, "nsites": 2, "nperiodic_dimensions": 3,
        "structure_features": [], "_oqmd_delta_e": -0.6, "_oqmd_stability": 0.0, "_oqmd_band_gap": None,
    }  # fmt: skip
    return {"type": "structures", "id": key, "attributes": attributes | changes}


@dataclass
class Provider:
    """What the stand-in serves, and what it was asked.

    `faults` maps the number of a request for structures, from 0, to status, headers and body.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    prefix: str = "oqmd"
    size: int = 2
    most: int | None = None  # a longer page_limit is refused
    faults: dict[int, tuple[int, dict[str, str], str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    info: dict[str, Any] | None = None
    next_link: Callable[[str], Any] = str
    url: str = ""

    def answer(self, path: str) -> tuple[int, dict[str, str], str]:
        parts = urlsplit(path)
        if parts.path.endswith("/info"):
            meta = {"api_version": "1.2.0", "provider": {"prefix": self.prefix, "name": "Stand-in"}}
            return 200, {}, json.dumps({"meta": meta, "data": {}} if self.info is None else self.info)
        self.asked.append(path)
        if len(self.asked) - 1 in self.faults:
            return self.faults[len(self.asked) - 1]
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if self.most and int(query.get("page_limit", 0)) > self.most:
            return 403, {}, json.dumps({"errors": [{"detail": f"at most {self.most} a page"}]})
        start = int(query.get("page_offset", 0))
        rest = start + self.size < len(self.rows)
        following = f"{self.url}/v1/structures?page_offset={start + self.size}"
        page = {
            "data": self.rows[start : start + self.size],
            "links": {"next": self.next_link(following) if rest else None},
            "meta": {"data_returned": len(self.rows)},
        }
        return 200, {}, json.dumps(page)


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A server that runs while the test does."""
    served = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = served.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_address[1]}/optimade"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        server.shutdown()
        thread.join()


@pytest.fixture
def waits() -> list[float]:
    """Seconds that the reader of pages would have slept."""
    return []


@pytest.fixture
def pages(provider: Provider, waits: list[float]) -> Iterator[Pages]:
    """A reader of the stand-in's pages that does not sleep."""
    with httpx.Client(timeout=10) as client:
        yield Pages(f"{provider.url}/v1", client, sleep=waits.append)


@pytest.fixture
def row() -> Callable[..., dict[str, Any]]:
    """Maker of OPTIMADE structures."""
    return make_row


SHARED = Path(__file__).parents[3] / ".." / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of genuine outputs and of cases, where it is there."""
    if not SHARED.is_dir():
        pytest.skip("needs the genuine outputs of ../shared, which are no part of the project")
    return SHARED


@pytest.fixture(scope="session")
def silicon(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VASP's own runs of silicon, unpacked: relax1, relax2, scf, dos; one of iron as well."""
    root = tmp_path_factory.mktemp("vasp")
    for packed in sorted((shared / "vasp").rglob("*.gz")):
        folder = root / packed.parent.name
        folder.mkdir(exist_ok=True)
        (folder / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    return root


@pytest.fixture(scope="session")
def documents(silicon: Path) -> dict[str, Any]:
    """Task documents of these runs by emmet's own parser."""
    return {
        folder.name: get_vasp_task_document(folder, parse_dos=True, strip_dos_projections=False)
        for folder in sorted(silicon.iterdir())
    }


@pytest.fixture(scope="session")
def outputs(documents: dict[str, Any]) -> Callable[[str], dict[str, Any]]:
    """Maker of outputs of jobs by name, as jobflow writes them; without projections, which take long to copy."""
    texts = {}
    for name, document in documents.items():
        bare = document.model_copy(deep=True)
        bare.vasp_objects["dos"].pdos = {}
        texts[name] = json.dumps(jsanitize(bare, strict=True, enum_values=True))
    return lambda name: json.loads(texts[name])


def make_vasprun(
    a: float = 3.0,
    energy: float = -10.0,
    *,
    pair: tuple[str, str] = ("Ni", "Al"),
    titles: tuple[str, str] = ("PAW_PBE Ni_pv 06Sep2000", "PAW_PBE Al 04Jan2001"),
    tags: dict[str, Any] | None = None,
    steps: int = 5,
    edges: tuple[float, float] = (5.0, 5.0),
    level: float = 5.0,
    weights: tuple[float, ...] = (),
    points: int = 801,
    force: float = 0.0,
    valence: float = 1.0,
) -> str:
    """A small vasprun.xml of two elements on B2 as VASP 6 writes it, two bands at three k-points."""
    wanted = {"NSW": 0, "IBRION": -1, "NELM": 60, "ISPIN": 1, "ENMAX": 520.0, "GGA": "--", "NEDOS": points}
    wanted |= tags or {}
    generation = "" if weights else '<generation param="Gamma"><v type="int" name="divisions">1 1 3</v></generation>'
    shares = weights or (0.25, 0.25, 0.5)
    kpoints = "".join(f"<v>0.0 0.0 {n / 10}</v>" for n in range(len(shares)))
    eigen = "".join(
        f'<set comment="kpoint {n + 1}"><r>{edges[0] - n / 10} 1.0</r><r>{edges[1] + n / 10 + 1e-6} 0.0</r></set>'
        for n in range(len(shares))
    )
    grid = [-6.0 + 24.0 * n / (points - 1) for n in range(points)]
    middle = sum(edges) / 2
    gap = edges[1] - edges[0]
    rows = "".join(f"<r>{x:.4f} {float(abs(x - middle) > gap / 2 or not gap) * 1.3:.4f} 0.0</r>" for x in grid)
    cell = f'<crystal><varray name="basis"><v>{a} 0 0</v><v>0 {a} 0</v><v>0 0 {a}</v></varray></crystal>'
    crystal = f'{cell}<varray name="positions"><v>0 0 0</v><v>0.5 0.5 0.5</v></varray>'
    numbers = "".join(f'<i name="{one}">{energy}</i>' for one in ("e_fr_energy", "e_wo_entrp", "e_0_energy"))
    loop = f"<scstep><energy>{numbers}</energy></scstep>" * steps
    atoms = "".join(f"<rc><c>{one}</c><c>{n}</c></rc>" for n, one in enumerate(pair, 1))
    kinds = "".join(
        f"<rc><c>1</c><c>{s}</c><c>1.0</c><c>{valence}</c><c>{t}</c></rc>" for s, t in zip(pair, titles, strict=True)
    )
    return f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
<generator><i name="program" type="string">vasp</i><i name="version" type="string">6.2.1</i></generator>
<incar>{_tags(tags or {})}</incar>
<kpoints>{generation}<varray name="kpointlist">{kpoints}</varray>
<varray name="weights">{"".join(f"<v>{share}</v>" for share in shares)}</varray></kpoints>
<parameters><separator name="general">{_tags(wanted)}</separator></parameters>
<atominfo><array name="atoms"><set>{atoms}</set></array><array name="atomtypes"><set>{kinds}</set></array></atominfo>
<structure name="initialpos">{crystal}</structure>
<calculation>{loop}<structure>{crystal}</structure>
<varray name="forces"><v>0 0 {force}</v><v>0 0 {-force}</v></varray>
<varray name="stress"><v>0 0 0</v><v>0 0 0</v><v>0 0 0</v></varray>
<energy>{numbers}</energy>
<eigenvalues><array><set><set comment="spin 1">{eigen}</set></set></array></eigenvalues>
<dos><i name="efermi">{level}</i>
<total><array><set><set comment="spin 1">{rows}</set></set></array></total></dos>
</calculation>
<structure name="finalpos">{crystal}</structure>
</modeling>
"""


def _tags(tags: dict[str, Any]) -> str:
    made = []
    for name, value in tags.items():
        if isinstance(value, tuple):
            made.append(f'<v name="{name}">{" ".join(map(str, value))}</v>')
        elif isinstance(value, bool):
            made.append(f'<i type="logical" name="{name}">{"T" if value else "F"}</i>')
        else:
            kind = {int: 'type="int" ', str: 'type="string" '}.get(type(value), "")
            made.append(f'<i {kind}name="{name}">{value}</i>')
    return "".join(made)


@pytest.fixture
def vasprun_text() -> Callable[..., str]:
    """Maker of small vasprun.xml files."""
    return make_vasprun
