"""A stand-in for an OPTIMADE server on localhost, with the faults that real ones have."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

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
