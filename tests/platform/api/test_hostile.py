"""Hostile and malformed requests: each a clear 4xx in one shape, none a 500, and nothing is written."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import bson
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient

from fermiloop.platform.api.app import create_app
from fermiloop.platform.settings import settings as configured
from fermiloop.platform.store import connection
from fermiloop.schemas.vocabulary import Role

SPEC = {
    "name": "hostile", "target": {"dos": {"material": "Pd"}}, "space": {"elements": ["Ni", "Pt"]},
    "generators": [{"name": "substitution", "proposals": 5}],
    "budget": {"rounds": 1, "evaluations": 2, "per_round": 2},
}  # fmt: skip
CURVE = {"energies": [-8.0, 0.0, 8.0], "values": [0.0, 1.0, 0.0]}
ID = "0123456789abcdef"
LAUNCH, ADMIN = Role.LAUNCH, Role.ADMIN


class Case(NamedTuple):
    """One request, and the role of its token."""

    method: str
    path: str
    role: Role | None = None
    body: Any = None
    kind: str = "application/json"
    headers: Mapping[str, str] = MappingProxyType({})


def gets() -> list[Case]:
    """Parameters and paths."""
    lists = ("/candidates", "/materials", "/calculations")
    operators = ("$gt=", "elements[$ne]=Ni", "$where=sleep(9999)", "limit[$gt]=0", "formula.$regex=.*", "%24or=[{}]",
                 "__raw__={}", "campaign__ne=x", "__proto__=x", "token=fermiloop_x")  # fmt: skip
    numbers = ("limit=0", "limit=-1", "limit=501", "limit=1e3", "limit=NaN", "limit=0x10", "limit=1;drop",
               "limit=99999999999999999999999", "limit=1&limit=2", "limit=", "limit=%00")  # fmt: skip
    found = [Case("GET", f"{path}?{query}") for path in lists for query in (*operators, *numbers)]
    for path in lists[:2]:
        queries = (
            "offset=-1", "offset=10001", "offset=inf", "elements=Xx", "elements=", "elements=Ni,,Al",
            'elements={"$ne":"Ni"}', "elements=Ni%00", "elements=%F0%9F%92%A9", "elements=" + "Ni," * 100 + "Ni",
            "elements=../../etc/passwd", "formula=$ne", "formula=((((((((((((((", "formula=" + "H" * 5000,
            "formula=H99999999999", "formula=%ED%A0%80", "formula=1", "formula=)(", "formula=H.",
            "chemical_system=Al-$gt", "chemical_system=-", "sites=8:1", "sites=:", "sites=-1:2", "sites=a:b",
            "sites=1:2:3", "sites=9999999:", "range=band_gap", "range=band_gap=nan:1", "range=$where=0:1",
            "range=energy_above_hull=1:0", "range=scores.x=0:1", "range=energy_above_hull=:", "range=colour=0:1",
            "range=similarity=0:inf", "&".join(["range=energy_per_atom=0:1"] * 9), "range=a=0:1&range=a=0:1",
            "elemets=Ni", "Limit=5",
        )  # fmt: skip
        found += [Case("GET", f"{path}?{query}") for query in queries]
    found += [
        Case("GET", f"/candidates?{query}")
        for query in (
            "stage=$ne",
            "stage=PROPOSED",
            "round=0",
            "round=-5",
            "round=1.5",
            "round=true",
            "campaign=../x",
            "campaign=$ne",
            "campaign=A%00",
            "generator=$regex",
            "generator=" + "x" * 81,
            "generator=%0d%0aSet-Cookie:x",
            "stage=",
            "round=99999999999999999999",
        )
    ]
    found += [Case("GET", f"/materials?{query}") for query in ("crystal_system=$in", "origin=x", "stage=passed")]
    found += [
        Case("GET", f"/calculations?{query}")
        for query in ("state=$ne", "error=", "error=" + "a" * 101, "campaign[]=x", "offset=1")
    ]
    paths = (
        "/campaigns/$ne", "/campaigns/NAME", "/campaigns/..%2f..%2fetc%2fpasswd", "/campaigns/%00", "/campaigns/none",
        "/campaigns/" + "a" * 5000, "/campaigns/%F0%9F%92%A9", "/campaigns/%ff%fe", "/campaigns/none/events",
        "/campaigns/pd-like/events?poll=0", "/campaigns?limit=1", "/campaigns/pd-like?x=1", "/campaigns/",
        "/candidates/c-1", f"/candidates/c-{ID}", f"/candidates/m-{ID}", f"/candidates/c-{ID}'--",
        f"/candidates/c-{ID.upper()}", f"/candidates/c-{ID}%0a", "/candidates/../../../etc/passwd",
        f"/candidates/c-{ID}/structure?format=pdf", f"/candidates/c-{ID}/structure?format=cif&format=json",
        f"/candidates/c-{ID}/dos", f"/candidates/c-{ID}/dos?method=$ne", f"/candidates/c-{ID}/lineage",
        f"/materials/m-{ID}", f"/materials/m-{ID}/labels", f"/materials/m-{ID}/dos", f"/materials/m-{ID}/spectra",
        f"/materials/m-{ID}/spectra/secrets", f"/materials/m-{ID}/structure", "/materials/$where",
        f"/calculations/calc-{ID}", "/calculations/calc-x", "/tokens", "/tokens/the-admin", "/nothing", "/.env",
        "/materials/export?format=pdf", "/materials/export?format=$where", "/materials/export?elements[$ne]=Ni",
        "/materials/export?offset=1", "/candidates/export?limit=0", "/candidates/export?stage=$ne",
        "/materials/export/", f"/materials/m-{ID}/structure?format=../../etc/passwd", "//etc/passwd",
        "/docs", "/dos/search", "/openapi.json/x",
    )  # fmt: skip
    return found + [Case("GET", path) for path in paths]


def searches() -> list[Case]:
    """Bodies of the search."""
    bad = (
        None, [], "x", 1, {}, {"energies": CURVE["energies"]}, {**CURVE, "metric": "$where"},
        {**CURVE, "metric": ["cosine"]}, {**CURVE, "limit": 0}, {**CURVE, "limit": 201}, {**CURVE, "limit": "5"},
        {**CURVE, "limit": 1.5}, {**CURVE, "limit": True}, {**CURVE, "limit": {"$gt": 0}},
        {**CURVE, "window": [1]}, {**CURVE, "window": [3, 1]}, {**CURVE, "window": [-20, 20]},
        {**CURVE, "window": [1, 1]}, {**CURVE, "window": "all"}, {**CURVE, "window": [None, 1]},
        {**CURVE, "$where": "1"}, {**CURVE, "values": [1, 2]}, {**CURVE, "values": [0, 0, 0]},
        {**CURVE, "values": [0, -1, 0]}, {**CURVE, "values": [0, 1e300, 0]}, {**CURVE, "values": ["0", "1", "0"]},
        {**CURVE, "values": [[0], [1], [0]]}, {**CURVE, "values": {"$ne": 1}}, {**CURVE, "energies": [8, 0, -8]},
        {**CURVE, "energies": [-8, -8, 8]}, {**CURVE, "energies": [-1, 0, 1]}, {**CURVE, "energies": [True, 0, 1]},
        {"energies": list(range(20_001)), "values": list(range(20_001))},
    )  # fmt: skip
    raw = (
        b"", b"{", b"\xff\xfe", b"nonsense", b"{'a': 1}", b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000,
        b'{"energies": [NaN, 0, 1], "values": [1, 1, 1]}', b'{"energies": [-8, 0, 8], "values": [0, Infinity, 0]}',
        b'{"energies": [-8, 0, 8], "values": [0, 1e999, 0]}', b'{"energies": "\\ud800", "values": []}',
        b'{"energies": [-8, 0, 8], "values": [0, 1, 0], "metric": "\\u0000"}',
        b'{"energies": [-8, 0, 8], "values": [0, 1, 0], "\\ud800": 1}', b" " * 1_000_001, b"\0" * 100,
    )  # fmt: skip
    return [
        *(Case("POST", "/dos/search", body=json.dumps(body).encode()) for body in bad),
        *(Case("POST", "/dos/search", body=body) for body in raw),
        Case("POST", "/dos/search", body=json.dumps(CURVE).encode(), kind="text/plain"),
        Case("POST", "/dos/search", body=json.dumps(CURVE).encode(), kind="application/xml"),
        Case("POST", "/dos/search?limit=5", body=json.dumps(CURVE).encode()),
    ]


def launches() -> list[Case]:
    """Campaigns."""
    bad = (
        {}, {**SPEC, "name": "$ne"}, {**SPEC, "name": "../../x"}, {**SPEC, "name": ""}, {**SPEC, "name": {"$gt": ""}},
        {**SPEC, "name": "a\0b"}, {**SPEC, "name": "x" * 64}, {**SPEC, "$where": "1"}, {**SPEC, "seed": -1},
        {**SPEC, "seed": 2**70}, {**SPEC, "seed": 10**400}, {**SPEC, "seed": "1"}, {**SPEC, "generators": []},
        {**SPEC, "generators": [{"name": "os.system", "proposals": 1}]},
        {**SPEC, "generators": [{"name": "substitution", "proposals": 10**9}]},
        {**SPEC, "generators": [{"name": "substitution", "proposals": 5, "options": {"$set": 1}}]},
        {**SPEC, "generators": [{"name": "substitution", "proposals": 5, "options": {"a.b": 1}}]},
        {**SPEC, "generators": [{"name": "substitution", "proposals": 5, "options": {"x": "\ud800"}}]},
        {**SPEC, "generators": [{"name": "substitution", "proposals": 5, "options": {"x": 2**65}}]},
        {**SPEC, "target": {"dos": {"file": "/etc/passwd"}}}, {**SPEC, "target": {"dos": {"file": "../../secret"}}},
        {**SPEC, "target": {"xrd": {"file": "/proc/self/environ"}}}, {**SPEC, "target": "Pd"},
        {**SPEC, "space": {"elements": ["Ni", {"$ne": 1}]}}, {**SPEC, "engine": {"name": "sh"}},
        {**SPEC, "budget": {"rounds": 1e999, "evaluations": 2, "per_round": 2}},
    )  # fmt: skip
    texts = (
        b"", b"[]", b"name", b"a: &x 1\nb: *x", b"!!python/object/apply:os.system ['id']", b"name: \xff", b"a: 1\na: 2",
        b"name: hostile\0", b"seed: 0x" + b"f" * 5000, b"[" * 5000, b"a: " + b"{b: " * 2000, b"? [a]\n: 1",
        b"name: 2026-11-21", b"name: .nan", b"- " * 3000, b"x" * 200_001, b"x" * 1_000_001, b"%YAML 9.9\n---\na",
        b"name: 'unclosed", b"\t", b"seed: 1e999", b"<<: {a: 1}",
    )  # fmt: skip
    raw = (b"{", b"[" * 100_000, b'{"name": "a", "name": "b"}', b"NaN", b'{"seed": ' + b"9" * 5000 + b"}", b'"x"')
    whole = json.dumps(SPEC).encode()
    return [
        *(Case("POST", "/campaigns", LAUNCH, json.dumps(body).encode()) for body in bad),
        *(Case("POST", "/campaigns", LAUNCH, body, "application/yaml") for body in texts),
        *(Case("POST", "/campaigns", LAUNCH, body) for body in raw),
        *(
            Case("POST", "/campaigns", LAUNCH, whole, kind)
            for kind in ("", "text/html", "multipart/form-data", "x" * 99)
        ),
        Case("POST", "/campaigns?name=x", LAUNCH, whole),
        *(
            Case("POST", f"/campaigns/{path}", LAUNCH)
            for path in (
                "none/pause",
                "none/resume",
                "none/cancel",
                "$ne/cancel",
                "pd-like/explode",
                "%00/pause",
                "pd-like/cancel?force=1",
                "pd-like/pause/x",
                "../pd-like/cancel/..",
            )
        ),
        *(
            Case("POST", f"/calculations/{what}", LAUNCH, json.dumps(body).encode())
            for what in ("rerun", "ignore")
            for body in (
                None,
                {},
                {"ids": []},
                {"ids": "all"},
                {"ids": [1]},
                {"ids": {"$ne": ""}},
                {"ids": ["$all"]},
                {"ids": [f"calc-{ID}"] * 1001},
                {"ids": [f"calc-{ID}"], "x": 1},
                {"ids": [None]},
            )
        ),
    ]


def strangers() -> list[Case]:
    """Writes without the right, tokens that are none, methods that are not taken."""
    whole = json.dumps(SPEC).encode()
    ids = json.dumps({"ids": [f"calc-{ID}"]}).encode()
    writes = [
        ("POST", "/campaigns", whole), ("POST", "/campaigns/pd-like/pause", None),
        ("POST", "/campaigns/pd-like/cancel", None), ("POST", "/calculations/rerun", ids),
        ("POST", "/calculations/ignore", ids), ("DELETE", "/tokens/the-admin", None), ("GET", "/tokens", None),
    ]  # fmt: skip
    tokens = (
        "", "Bearer", "Bearer ", "Bearer x", "Basic YWRtaW46YWRtaW4=", "Bearer fermiloop_00000000_" + "A" * 43,
        "Bearer " + "A" * 10_000, 'Bearer {"$ne": ""}', "Bearer fermiloop_........_" + "." * 43, "Bearer null",
        "Bearer fermiloop_00000000_" + "A" * 43 + "\t", "bearer \xe9", "Token x", "Bearer a b",
    )  # fmt: skip
    return [
        *(Case(method, path, None, body) for method, path, body in writes),
        *(Case(method, path, Role.READ, body) for method, path, body in writes),
        *(Case(method, path, LAUNCH, body) for method, path, body in writes[-2:]),
        *(Case("GET", "/campaigns", headers={"Authorization": text}) for text in tokens),
        *(Case("POST", "/campaigns", None, whole, headers={"Authorization": text}) for text in tokens),
        *(Case(method, path, ADMIN) for path in ("/campaigns/pd-like", "/candidates", "/materials", "/dos/search")
          for method in ("PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND", "X" * 50)),
        Case("DELETE", "/tokens/$ne", ADMIN), Case("DELETE", "/tokens/none", ADMIN), Case("DELETE", "/tokens", ADMIN),
        Case("POST", "/tokens", ADMIN, b'{"name": "x", "role": "admin"}'),
        Case("POST", "/campaigns/pd-like/cancel", headers={"X-HTTP-Method-Override": "GET", "X-Role": "admin"}),
        Case("POST", "/campaigns/pd-like/cancel", headers={"Cookie": "token=admin", "X-Forwarded-For": "127.0.0.1"}),
        Case("POST", "/dos/search", body=b"{}", headers={"Content-Length": "-1"}),
        Case("POST", "/dos/search", body=b"{}", headers={"Content-Length": "9" * 50}),
    ]  # fmt: skip


CASES = gets() + searches() + launches() + strangers()


def digest(name: str) -> str:
    """Hash of every document of the database."""
    stored = connection.database()
    assert stored.name == name
    whole = hashlib.sha256()
    for collection in sorted(stored.list_collection_names()):
        whole.update(collection.encode())
        for row in stored[collection].find().sort("_id", 1):
            whole.update(bson.encode(row))
    return whole.hexdigest()


@pytest.fixture(scope="module")
def standing(server_uri: str, populated: Callable[[], Any]) -> Iterator[dict[str, Any]]:
    """One small store for all requests, for none of them writes."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERMILOOP_MONGODB_URI", server_uri)
        patch.setenv("FERMILOOP_DATABASE", name)
        configured.cache_clear()
        connection.connect()
        world = populated()
        app = create_app()
        with TestClient(app, raise_server_exceptions=False) as client:
            yield {"uri": server_uri, "name": name, "world": world, "client": client, "digest": digest(name)}
    connection.disconnect()
    with MongoClient(server_uri) as client:
        client.drop_database(name)


@pytest.fixture
def here(standing: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """That store, connected in this test."""
    monkeypatch.setenv("FERMILOOP_MONGODB_URI", standing["uri"])
    monkeypatch.setenv("FERMILOOP_DATABASE", standing["name"])
    configured.cache_clear()
    return standing


def send(here: dict[str, Any], case: Case) -> Any:
    headers = {**(here["world"].bearer(case.role) if case.role else {}), **case.headers}
    if case.body is not None:
        headers.setdefault("Content-Type", case.kind)
    raw = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]
    return here["client"].request(case.method, case.path, content=case.body, headers=raw)


def name_of(case: Case) -> str:
    return f"{case.method} {case.path[:40]} {case.role or ''} {str(case.body)[:40]}".encode("ascii", "replace").decode()


def test_there_are_many() -> None:
    assert len(CASES) >= 400


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_refused_clearly_and_nothing_written(here: dict[str, Any], case: Case) -> None:
    answer = send(here, case)
    assert 400 <= answer.status_code < 500, answer.text
    told = answer.json()
    assert told.keys() == {"error", "status"}
    assert told["status"] == answer.status_code
    assert 10 < len(told["error"]) <= 1000
    assert told["error"].endswith((".", "?"))
    assert "Traceback" not in told["error"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    if case.method != "GET":
        assert digest(here["name"]) == here["digest"]


def test_nothing_was_written_by_all_of_them(here: dict[str, Any]) -> None:
    assert digest(here["name"]) == here["digest"]


TEXTS = st.text(max_size=40) | st.sampled_from(["$gt", "NaN", "1e400", "\0", "../..", "{}", "Ni", "1:8", "cubic", "5"])
PARAMETERS = ("limit", "offset", "elements", "formula", "chemical_system", "sites", "range", "stage", "round", "error",
              "campaign", "state", "crystal_system", "origin", "method", "format", "generator")  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
quick = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quick
@given(data=st.data())
def test_no_parameter_breaks_a_read(here: dict[str, Any], data: st.DataObject) -> None:
    reads = [path for path, how in here["client"].app.openapi()["paths"].items() if "get" in how]
    path = data.draw(st.sampled_from([one for one in reads if not one.endswith("/events")]))
    for part in ("name", "candidate", "material", "calculation", "kind"):
        if f"{{{part}}}" in path:
            path = path.replace(f"{{{part}}}", data.draw(st.sampled_from(["none", f"c-{ID}", f"m-{ID}", "dos", "%00"])))
    query = data.draw(st.dictionaries(st.sampled_from(PARAMETERS), TEXTS, max_size=3))
    answer = here["client"].get(path, params=query)
    assert answer.status_code < 500, (path, query, answer.text)


@quick
@given(body=JSON, path=st.sampled_from(["/dos/search", "/campaigns", "/calculations/rerun"]))
def test_no_body_breaks_a_write(here: dict[str, Any], body: Any, path: str) -> None:
    answer = here["client"].post(
        path,
        content=json.dumps(body).encode(),
        headers={**here["world"].bearer(LAUNCH), "Content-Type": "application/json"},
    )
    assert 400 <= answer.status_code < 500, (path, body, answer.text)
    assert digest(here["name"]) == here["digest"]
