"""The pages of ``fermiloop serve``: one Dash application over the store, nothing fetched from elsewhere."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, unquote

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from pymongo.errors import PyMongoError

from fermiloop.platform.errors import FermiloopError, NotFoundError
from fermiloop.platform.store import connection
from fermiloop.platform.web import (
    calculation,
    campaign,
    candidate,
    compute,
    database,
    generators,
    guard,
    home,
    material,
    method,
    new_campaign,
    queue,
    references,
    schedules,
)  # fmt: skip
from fermiloop.platform.web.parts import heading, link, notice
from fermiloop.platform.web.site import Authorise, Page, Site, refuse

PAGES: Final[dict[str, Page]] = {
    "": home.PAGE,
    "campaign": campaign.PAGE,
    "candidate": candidate.PAGE,
    "database": database.PAGE,
    "material": material.PAGE,
    "generators": generators.PAGE,
    "schedules": schedules.PAGE,
    "queue": queue.PAGE,
    "new": new_campaign.PAGE,
    "compute": compute.PAGE,
    "references": references.PAGE,
    "calculation": calculation.PAGE,
    "method": method.PAGE,
}
MENU: Final = ("", "new", "compute", "references", "database", "queue", "generators", "schedules")
NEEDS_NAME: Final = frozenset({"campaign", "candidate", "material", "calculation", "method"})
MOST_PATH: Final = 500  # characters
MOST_SEARCH: Final = 2000  # characters
# what else the server offers, beside the pages
ELSEWHERE: Final = {"REST API": "/api/", "OPTIMADE": "/optimade/", "API reference": "/docs/"}

INDEX: Final = """<!DOCTYPE html>
<html lang="en">
<head>{%metas%}<meta name="viewport" content="width=device-width, initial-scale=1"><title>{%title%}</title>
{%favicon%}{%css%}</head>
<body><noscript>These pages need JavaScript.</noscript>{%app_entry%}
{%config%}{%scripts%}{%renderer%}</body>
</html>"""

RETITLE: Final = """function(title) {
    const first = !document.title.includes(' · ');
    document.title = title + ' · fermiloop';
    const main = document.getElementById('main');
    if (!first && main) { main.focus({preventScroll: true}); window.scrollTo(0, 0); }
    return window.dash_clientside.no_update;
}"""


def create_app(base_path: str = "/", authorise: Authorise = refuse) -> Dash:
    """The application; its ``server`` is a WSGI one.

    Parameters
    ----------
    base_path
        Where the pages lie, with a slash at both ends.
    authorise
        Whether a token has a role: None, or the sentence that refuses.
    """
    site = Site(authorise)
    app = Dash(
        "fermiloop.platform.web.app", title="fermiloop", update_title="", serve_locally=True, index_string=INDEX,
        requests_pathname_prefix=base_path, routes_pathname_prefix=base_path, suppress_callback_exceptions=True,
        on_error=guard.told, add_log_handler=False,
    )  # fmt: skip
    app.layout = shell
    guard.protect(app)
    _register(app, site)
    for page in PAGES.values():
        if page.register is not None:
            page.register(app, site)
    return app


def shell() -> Component:
    """What is around every page."""
    access = html.Details(
        [
            html.Summary("Access"),
            html.Label("Token", htmlFor="token-field"),
            dcc.Input(id="token-field", type="password", autoComplete="off", value=""),
            html.Button("Use it", id="token-use", n_clicks=0, className="small"),
            html.Small("", id="token-note", role="status"),
        ]
    )
    return html.Div(
        [
            dcc.Location(id="url", refresh="callback-nav"),
            dcc.Store(id="token", storage_type="session"),
            dcc.Store(id="title"),
            html.Div(id="titled", hidden=True),
            html.A("To the content", href="#main", className="skip"),
            html.Header(
                [
                    html.Strong("fermiloop"),
                    html.Nav([link(PAGES[one].title, one) for one in MENU], **{"aria-label": "Pages"}),
                    access,
                ],
                className="top",
            ),
            html.Main(id="main", tabIndex="-1"),
            html.Footer(
                html.Nav(
                    [html.A(word, href=href) for word, href in ELSEWHERE.items()],
                    className="foot", **{"aria-label": "For programs"},
                )
            ),
        ]
    )  # fmt: skip


def page_of(site: Site, path: object, base_path: str = "/", search: object = "") -> tuple[str, Component]:
    """Title and content of an address and its query; a page that says so where there is nothing."""
    given = path if isinstance(path, str) and len(path) <= MOST_PATH else "/unknown"
    name, _, rest = given.removeprefix(base_path.rstrip("/")).strip("/").partition("/")
    rest = unquote(rest)
    page = PAGES.get(name)
    if page is None or (name in NEEDS_NAME and not rest):
        return "Not found", _missing(f"There is no page {given[:80]}.")
    try:
        connection.connect()
        query = query_of(search)
        if query and page.asked is not None:
            return page.title, page.asked(site, query)
        return (f"{rest or page.title}", page.layout(site, rest))
    except NotFoundError as error:
        return "Not found", _missing(str(error))
    except FermiloopError as error:
        return page.title, html.Div([heading(page.title), notice(str(error), "bad")])
    except PyMongoError:
        return page.title, html.Div([heading(page.title), notice(guard.AWAY, "bad")])


def query_of(search: object) -> dict[str, str]:
    """Names and values of the query of an address; what is none, or too long, asks for nothing."""
    given = search.removeprefix("?") if isinstance(search, str) and len(search) <= MOST_SEARCH else ""
    return dict(parse_qsl(given, max_num_fields=100)) if given.count("&") < 100 else {}


def _missing(why: str) -> Component:
    return html.Div([heading("Not found"), notice(why, "bad"), html.P(link("To the campaigns"))])


def _register(app: Dash, site: Site) -> None:
    base = app.config.requests_pathname_prefix

    @app.callback(Output("main", "children"), Output("title", "data"), Input("url", "pathname"), Input("url", "search"))
    def _route(path: object, search: object) -> object:
        title, content = page_of(site, path, base, search)
        return content, title

    @app.callback(
        Output("token", "data"), Output("token-note", "children"), Output("token-field", "value"),
        Input("token-use", "n_clicks"), State("token-field", "value"), prevent_initial_call=True,
    )  # fmt: skip
    def _keep(clicks: object, given: object) -> object:
        if not clicks:
            return no_update, no_update, no_update
        said = "Kept until this tab is closed." if guard.text(given) else "Forgotten."
        return guard.text(given), said, ""

    app.clientside_callback(RETITLE, Output("titled", "children"), Input("title", "data"), prevent_initial_call=True)
