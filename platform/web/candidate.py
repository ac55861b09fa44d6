"""One candidate: its crystal, its density of states beside the target, verdicts, lineage, files."""

from __future__ import annotations

from typing import Final

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from pymatgen.core import Structure

from fermiloop.platform.app import calculations, candidates, materials
from fermiloop.platform.campaign.explained import Explained, ResultRow
from fermiloop.platform.errors import FermiloopError
from fermiloop.platform.representations import crystal_files
from fermiloop.platform.representations.crystal_files import CrystalForm
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import exchange_records, exports, geometry, spectra
from fermiloop.platform.store.geometry import Geometry
from fermiloop.platform.web import figures, method, wording
from fermiloop.platform.web.crystals import scene
from fermiloop.platform.web.guard import ask, text
from fermiloop.platform.web.parts import (
    Cell,
    badge,
    facts,
    graph,
    heading,
    hit,
    link,
    number,
    section,
    table,
    to_candidate,
    to_material,
)  # fmt: skip
from fermiloop.platform.web.site import Page, Site
from fermiloop.platform.web.symmetry import group_of
from fermiloop.schemas.candidate import Candidate, proposer_of
from fermiloop.schemas.scores import GENERATOR, HIT, SCORES
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import Alignment

NUMBERS: Final = {"label": "What", "value": "Value", "name": "Name in filters, files and answers"}
VERDICTS: Final = {"stage": "Stage", "passed": "Verdict", "value": "Value", "reason": "Reason"}
NAMES: Final = {
    "cif": "CIF", "poscar": "POSCAR", "json": "JSON", "csv": "DOS (CSV)", "proposed-cif": "CIF as proposed",
    "proposed-poscar": "POSCAR as proposed",
}  # fmt: skip
PROPOSED: Final = "proposed-"
CRYSTALS: Final = {"cif": CrystalForm.CIF, "poscar": CrystalForm.POSCAR}
MOST_RESULTS: Final = 12


def layout(site: Site, rest: str) -> Component:
    """The page of the candidate of an id.

    Raises
    ------
    NotFoundError
        If the store does not hold it.
    """
    found = candidates.get(rest)
    spectrum = _spectrum(found)
    return html.Div(
        [
            heading(
                found.formula, f"Candidate {found.id}, space group {group_of(found.to_structure()) or 'not found'}"
            ),
            section("What it is", _facts(found), downloads(spectrum is not None, proposed=found.material is not None)),
            *_crystals(found),
            section("Density of states", dos(site, found, spectrum)),
            section("Scores and verdicts", _scores(found, _missed(site, found)), _verdicts(found)),
            section("Lineage", lineage(candidates.explain(rest))),
            dcc.Store(id="shown", data={"candidate": found.id}),
        ]
    )


def dos(site: Site, found: Candidate, spectrum: Spectrum | None) -> Component:
    """Its curve over the target of its campaign; a sentence where there is none."""
    name, wanted, zero = _target(site, found)
    computed = unit_curve(spectra.aligned(spectrum, zero) if spectrum is not None else None)
    if computed is None and not wanted:
        return html.P("Neither computed nor looked for.", className="quiet")
    rows = {f"{found.formula}, computed": computed} if computed else {}
    drawn = figures.curves(wanted, rows, DOS_GRID.points.tolist(), about=zero)
    said = f"Target {name}" if wanted else "No density of states is the target"
    return graph(drawn, f"{said}; {'computed in colour' if computed else 'not computed yet'}.")


def _target(site: Site, found: Candidate) -> tuple[str, list[float] | None, Alignment]:
    """Name and curve of what its campaign looks for, where that is a density of states, and what lies at its zero."""
    try:
        target = site.summary(found.campaign)[1]["target"]
    except FermiloopError:  # of an imported candidate whose campaign is not here
        return "", None, spectra.alignment()
    zero = Alignment(target.get("alignment") or spectra.alignment())
    return target["name"], target["values"] if target["kind"] == "dos" else None, zero


def unit_curve(spectrum: Spectrum | None) -> list[float] | None:
    """(151,) curve of unit area on the grid of densities of states, None where it does not cover it."""
    if spectrum is None:
        return None
    try:
        return list(DOS_GRID.normalise(DOS_GRID.resample(spectrum.points(), spectrum.array())).tolist())
    except FermiloopError:
        return None


def lineage(chain: Explained) -> Component:
    """Where it came from and what became of it, each with its link."""
    return html.Ol([html.Li(item) for item in [*_origin(chain), *_outcome(chain)]], className="chain")


def downloads(has_dos: bool, *, proposed: bool = False) -> Component:
    """A button for each file; those of the proposed crystal where there is a computed one as well."""
    kinds = [kind for kind in NAMES if (kind != "csv" or has_dos) and (not kind.startswith(PROPOSED) or proposed)]
    buttons = [
        html.Button(NAMES[k], id=f"get-{k}", n_clicks=0, className="plain", hidden=k not in kinds) for k in NAMES
    ]
    return html.Div([html.Span("Download:"), *buttons, dcc.Download(id="got")], className="row")


def file_of(kind: str, shown: object) -> dict[str, str]:
    """Content and name of a file of what a page shows; JSON holds all that belongs to it, for `fermiloop db load`.

    Raises
    ------
    NotFoundError
        If the store does not hold it.
    """
    asked = shown if isinstance(shown, dict) else {}
    name = text(asked.get("candidate")) or text(asked.get("material"))
    if kind == "json":
        chosen = exchange_records.of_candidates if asked.get("candidate") else exchange_records.of_materials
        return {"content": "".join(exports.pieces(chosen([name]), exports.Form.JSON)), "filename": f"{name}.json"}
    form, wanted = kind.removeprefix(PROPOSED), Geometry.PROPOSED if kind.startswith(PROPOSED) else None
    if asked.get("candidate"):
        found = candidates.get(name)
        where, crystal = candidates.crystal(found.id, wanted)
        spectrum, named = _spectrum(found), f"{name}-{where}"
    else:
        (crystal, spectrum), named = _material(name), name
    if form == "csv":
        lines = [] if spectrum is None else zip(spectrum.points(), spectrum.array(), strict=True)
        content = "energy_eV,density_states_per_eV_per_cell\n" + "".join(f"{x:.6g},{y:.6g}\n" for x, y in lines)
        return {"content": content, "filename": f"{name}.csv"}
    ending = "POSCAR" if form == "poscar" else form
    return {"content": crystal_files.text(crystal, CRYSTALS[form], named), "filename": f"{named}.{ending}"}


def register(app: Dash, site: Site) -> None:  # noqa: ARG001  (the signature of all)
    """Callbacks: the files, of candidates and materials."""

    @app.callback(
        Output("got", "data"),
        *(Input(f"get-{kind}", "n_clicks") for kind in NAMES),
        State("shown", "data"),
        prevent_initial_call=True,
    )
    def _get(*given: object) -> object:
        asked = str(ctx.triggered_id).removeprefix("get-")
        if asked not in NAMES or not any(given[:-1]):
            return no_update
        return ask(lambda: file_of(asked, given[-1]), lambda _why: no_update)


def _material(name: str) -> tuple[Structure, Spectrum | None]:
    return materials.get(name).to_structure(), spectra.of_material(name)


def _spectrum(found: Candidate) -> Spectrum | None:
    """Computed curve of a candidate, by the method of its own calculation."""
    if not found.material or not found.calculation:
        return None
    own = calculations.of_ids([found.calculation])
    return spectra.of_material(found.material, method=own[0].method if own else None)


def _facts(found: Candidate) -> Component:
    return facts(
        {
            "Stage": html.Span([badge(str(found.stage)), f" {found.reason or ''}"]),
            "Campaign": html.Span([link(found.campaign, "campaign", found.campaign), f", round {found.round}"]),
            "Calculation": link("steps, log and cost", "calculation", found.calculation) if found.calculation else None,
            "Generator": link(found.proposer, "generators", found.generator),
            "Result": to_material(found.material),
            "Made from": to_material(found.parent),
        }
    )


def _crystals(found: Candidate) -> list[Component]:
    """The computed crystal, then the proposed one; the proposed one alone before the evaluation."""
    kind, crystal = candidates.crystal(found.id)
    shown = [section("Crystal", html.P(geometry.LABELS[kind]), scene(crystal))]
    if kind is Geometry.PROPOSED:
        return shown
    proposed = html.Details(
        [html.Summary("Lattice and sites"), html.Pre(str(found.to_structure()), tabIndex="0")],
    )
    return [*shown, section("Proposed crystal", html.P(geometry.LABELS[Geometry.PROPOSED]), proposed)]


def _missed(site: Site, found: Candidate) -> str:
    """Why an evaluated candidate is no hit; empty of a hit, and where its campaign is not here."""
    if not found.scores or found.scores.get(HIT, True):
        return ""
    try:
        rows = site.summary(found.campaign)[1]["evaluated"]
    except FermiloopError:
        return ""
    return next(("; ".join(row["missed"]) for row in rows if row["candidate"] == found.id), "")


def _scores(found: Candidate, missed: str) -> Component:
    """Every score by its name and label; the generator's own, which is on no common scale, last."""
    is_hit = [{"name": HIT, "label": "hit", "value": hit(found.scores[HIT])}] if HIT in found.scores else []
    known = [
        {"name": name, "label": one.heading, "value": number(found.scores[name], 4)}
        for name, one in SCORES.items()
        if name in found.scores
    ]
    own = {"name": GENERATOR, "label": "score of the generator, on its own scale", "value": number(found.score, 4)}
    told = [{"name": "missed", "label": "why it is no hit", "value": missed}] if missed else []
    return table("Scores; a name without a source is the best known", NUMBERS, [*is_hit, *told, *known, own])


def _verdicts(found: Candidate) -> Component:
    rows = [
        {
            "stage": str(one.get("stage")),
            "passed": "passed" if one.get("passed") else html.Strong("rejected", className="danger"),
            "value": wording.measured(number(one.get("value")), str(one.get("stage"))),
            "reason": str(one.get("reason") or ""),
        }
        for one in found.verdicts
    ]
    return table("Verdicts of the funnel", VERDICTS, rows)


def _origin(chain: Explained) -> list[Cell]:
    checkpoint, snapshot = chain["checkpoint"], chain["snapshot"]
    by, campaign = proposer_of(chain["generator"], chain["preset"]), chain["campaign"]
    when = f" with seed {chain['seed']} in round {chain['round']} of "
    proposer = link(by, "generators", chain["generator"])
    items: list[Cell] = [["proposed by ", proposer, when, link(campaign, "campaign", campaign)]]
    if chain["parent"]:
        items.append(["made from material ", to_material(chain["parent"])])
    if checkpoint is None or snapshot is None:
        return [*items, "no checkpoint: this generator learns nothing"]
    preset = f" ({checkpoint['preset']})" if checkpoint["preset"] else ""
    package = f" of the package {checkpoint['package']}" if checkpoint["package"] else ""
    trained = f"{checkpoint['generator']}{preset}{package}, seed {checkpoint['seed']}"
    items.append(f"checkpoint {checkpoint['id']} of {trained}")
    by_method = method.links_of([snapshot["method"]]).get(snapshot["method"], snapshot["method"])
    items.append([f"snapshot {snapshot['id']}: {snapshot['n']} materials by ", by_method])
    earlier = snapshot["campaign_results"]
    if earlier:
        named = [item for row in earlier[:MOST_RESULTS] for item in (_result(row), ", ")][:-1]
        more = f" and {len(earlier) - MOST_RESULTS} more" if len(earlier) > MOST_RESULTS else ""
        items.append([f"{len(earlier)} results of campaigns in that snapshot: ", *named, more])
    return items


def _result(row: ResultRow) -> Cell:
    return to_candidate(row["candidate"], row["formula"]) if row["candidate"] else to_material(row["material"])


def _outcome(chain: Explained) -> list[Cell]:
    if not chain["calculations"]:
        return ["not evaluated"]
    items: list[Cell] = []
    for one in chain["calculations"]:
        cost = f"{number(one['core_seconds'], 1)} core-seconds, {one['attempts']} attempts"
        run = link(f"calculation {one['id']}", "calculation", one["id"])
        items.append([run, f": {one['engine']} {one['state']}, {cost}. {one['error'] or ''}"])
    items += [f"{wording.plain(row['property'])} {number(row['value'], 4)} {row['unit']}" for row in chain["labels"]]
    if chain["material"]:
        items.append(["kept as material ", to_material(chain["material"])])
    return items


PAGE = Page("Candidate", layout, register)
