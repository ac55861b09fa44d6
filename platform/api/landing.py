"""Pages for people where programs get JSON: the addresses of the API, and the reference of every call at ``/docs``.

Written by the server from its own OpenAPI document: no script, nothing from elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
STYLE: Final = """body { margin: 0 auto; max-width: 960px; padding: 16px 20px 60px; color: #1b2733; background: #fff;
 font: 16px/1.5 system-ui, "Liberation Sans", Arial, sans-serif; }
a { color: #005a8d; } h1 { font-size: 1.7rem; } h2 { font-size: 1.25rem; margin-top: 2em; }
h3 { font-size: 1rem; margin: 1.6em 0 .3em; overflow-wrap: anywhere; }
code { font-size: .95em; overflow-wrap: anywhere; }
dl { margin: 4px 0 4px 18px; } dt { font-weight: 600; overflow-wrap: anywhere; }
dd { margin: 0 0 6px 18px; overflow-wrap: anywhere; }
p { margin: 4px 0; } nav a { margin-right: 18px; }"""
METHODS: Final = ("get", "post", "delete", "put", "patch")
LINKS: Final = (("Pages", "/"), ("REST API", "/api/"), ("OPTIMADE", "/optimade/"), ("API reference", "/docs/"))


def wants_page(request: Request) -> bool:
    """Whether a browser asks: it names HTML, and a program that wants JSON or anything does not."""
    kinds = [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")]
    return "text/html" in kinds and "application/json" not in kinds


def page(title: str, body: str) -> HTMLResponse:
    """A page of escaped HTML."""
    links = "".join(f'<a href="{href}">{escape(word)}</a>' for word, href in LINKS)
    text = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · fermiloop</title><style>{STYLE}</style></head><body>"
        f'<header><nav aria-label="Pages">{links}</nav></header>'
        f"<main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    return HTMLResponse(text, headers={"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff",
                                       "Vary": "Accept"})  # fmt: skip


def addresses(title: str, said: str, rows: Sequence[tuple[str, str]]) -> HTMLResponse:
    """A page of addresses to follow, each with what it gives."""
    items = "".join(
        f'<dt><a href="{escape(href)}">{escape(href)}</a></dt><dd>{escape(what)}</dd>' for href, what in rows
    )
    return page(title, f"<p>{escape(said)}</p><dl>{items}</dl>")


def reference(document: Mapping[str, Any], base: str) -> HTMLResponse:
    """Every call of an OpenAPI document: what it does, its parameters, its body, by tag."""
    parts: dict[str, list[str]] = {}
    for path, calls in document.get("paths", {}).items():
        for verb in METHODS:
            if verb in calls:
                tag = next(iter(calls[verb].get("tags", [])), "other")
                parts.setdefault(tag, []).append(_call(verb, base + path, calls[verb], document))
    said = (
        f"<p>{escape(str(document['info'].get('description', '')))} Reads are open unless the server says otherwise; "
        "writes need a token of a role that grants them, as <code>Authorization: Bearer TOKEN</code>. "
        f'The same for programs: <a href="{escape(base)}/openapi.json">{escape(base)}/openapi.json</a>.</p>'
    )
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(found)}" for tag, found in parts.items())
    return page("API reference", said + body)


def _call(verb: str, path: str, call: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    rows = "".join(_parameter(one) for one in call.get("parameters", []))
    body = _body(call.get("requestBody", {}), document)
    said = escape(str(call.get("description") or call.get("summary") or ""))
    fields = f"<dl>{rows}{body}</dl>" if rows or body else ""
    return f"<h3><code>{verb.upper()} {escape(path)}</code></h3><p>{said}</p>{fields}"


def _parameter(one: Mapping[str, Any]) -> str:
    schema = one.get("schema", {})
    where = "in the address" if one.get("in") == "path" else "optional" if not one.get("required") else "needed"
    said = one.get("description") or schema.get("description") or ""
    return _row(str(one["name"]), _kind(schema), where, str(said))


def _body(given: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """Fields of the body, where it is an object with a schema of its own."""
    for media, content in given.get("content", {}).items():
        schema = content.get("schema", {})
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        found = document.get("components", {}).get("schemas", {}).get(name, schema)
        needed = set(found.get("required", []))
        rows = [_row(key, _kind(value), "needed" if key in needed else "optional", str(value.get("description", "")))
                for key, value in found.get("properties", {}).items()]  # fmt: skip
        return "".join(rows) or _row("body", str(media), "needed", "")
    return ""


def _row(name: str, kind: str, where: str, said: str) -> str:
    described = f"{', '.join(one for one in (kind, where) if one)}. {said}"
    return f"<dt><code>{escape(name)}</code></dt><dd>{escape(described)}</dd>"


def _kind(schema: Mapping[str, Any]) -> str:
    """Type of a value, with its choices and bounds, in a few words."""
    options = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    if options:
        return " or ".join(dict.fromkeys(_kind(one) for one in options))
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    bounds = [f"{word} {schema[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in schema]
    kind = str(schema.get("type", ""))
    inner = f" of {_kind(schema['items'])}" if kind == "array" and schema.get("items") else ""
    return " ".join([kind + inner, *bounds]).strip()
