"""``fermiloop token``: who may do what over the network."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from fermiloop.platform.app.texts import one_of
from fermiloop.platform.cli.output import AsJson, Listing, fields_of, print_json, print_line
from fermiloop.schemas.vocabulary import Role

app = typer.Typer(help="Tokens of the REST API: create, list, revoke.")

COLUMNS: Final = {
    "name": "name", "role": "role", "prefix": "begins with", "state": "state", "created_at": "created",
    "expires_at": "expires", "revoked_at": "revoked",
}  # fmt: skip
FIELDS: Final = ("role", "prefix", "created_at", "expires_at", "revoked_at")
Name = Annotated[str, typer.Argument(metavar="NAME")]


@app.command("create")
def create(
    name: Name,
    role: Annotated[str, typer.Option("--role", help="read, launch (which may read), or admin (which may all).")],
    days: Annotated[int | None, typer.Option("--days", help="Days that it holds; without end by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, this once; the store keeps its hash alone."""
    one_of("role", role, Role)
    from fermiloop.platform.app import tokens
    from fermiloop.platform.store import connection

    connection.connect()
    text = tokens.create(name, role, days)
    if as_json:
        print_json({"name": name, "role": role, "token": text})
        return
    print_line(text)
    typer.echo("Keep it now: it is not shown again. Send it as Authorization: Bearer TOKEN.", err=True)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every token, without its secret."""
    from fermiloop.platform.app import tokens
    from fermiloop.platform.store import connection

    connection.connect()
    rows = [{"name": one.id, "state": tokens.state_of(one), **fields_of(one, FIELDS)} for one in tokens.find()]
    Listing(f"{len(rows)} tokens", COLUMNS, rows).show(as_json=as_json)


@app.command("revoke")
def revoke(name: Name) -> None:
    """Let a token open nothing any more."""
    from fermiloop.platform.app import tokens
    from fermiloop.platform.store import connection

    connection.connect()
    print_line(f"{name} is revoked." if tokens.revoke(name) else f"{name} was revoked already.")
