"""``fermiloop candidates``: what was proposed, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

import typer

from fermiloop.platform.app import filters as wishes
from fermiloop.platform.app import texts
from fermiloop.platform.cli import arranging, exporting, filters, lineage_view
from fermiloop.platform.cli.curves import Likeness
from fermiloop.platform.cli.output import (
    AsCsv,
    AsJson,
    CifFolder,
    Listing,
    one_form,
    print_fields,
    print_json,
    print_line,
    print_rich,
    write_cifs,
)
from fermiloop.platform.plugins.properties import Derived
from fermiloop.platform.store.candidate_columns import COLUMNS as STORED
from fermiloop.platform.store.candidate_columns import LISTED
from fermiloop.schemas.scores import GENERATOR, HIT, SCORES

app = typer.Typer(help="Candidates: what was proposed, and why.")

GEOMETRIES: Final = ("computed", "proposed")  # of `store.geometry`, which is heavy
SHOWN: Final = ("score", "predicted_score", HIT, "energy_above_hull", "potential_energy_above_hull")
COLUMNS: Final = Derived(lambda _: {"id": "id"} | _headed(_in_table()))
KNOWN: Final = Derived(
    lambda _: _headed([*(GENERATOR if name == "score" else name for name in LISTED if name != "scores"), HIT, *SCORES])
)


def _in_table() -> list[str]:
    """What is shown where no columns are named, some of the scores in their place."""
    return [name for one in STORED for name in (SHOWN if one.name == "scores" else [one.name] if one.in_table else [])]


def _headed(names: Iterable[str]) -> dict[str, str]:
    return {name: SCORES[name].heading if name in SCORES else name.replace("_", " ") for name in names}


CampaignOption = Annotated[str | None, typer.Option("--campaign", help="Of this campaign.")]
RoundOption = Annotated[int | None, typer.Option("--round", help="Of this round.")]
GeometryOption = Annotated[
    str | None,
    typer.Option("--geometry", help="computed or proposed; the computed one where there is one, if left out."),
]
StageOption = Annotated[str | None, typer.Option("--stage", help="proposed, rejected, passed, selected, and so on.")]
GeneratorOption = Annotated[str | None, typer.Option("--generator", help="Of this generator.")]


@app.command("find")
def find(
    campaign: CampaignOption = None,
    number: RoundOption = None,
    stage: StageOption = None,
    generator: GeneratorOption = None,
    elements: filters.ElementsOption = None,
    formula: filters.FormulaOption = None,
    chemical_system: filters.SystemOption = None,
    sites: filters.SitesOption = None,
    ranges: filters.RangeOption = None,
    crystal_system: filters.CrystalOption = None,
    space_group: filters.SpaceGroupOption = None,
    dos_like: filters.DosLikeOption = None,
    metric: filters.MetricOption = "cosine",
    window: filters.WindowOption = None,
    fermi: filters.FermiOption = None,
    one_spin: filters.OneSpinOption = False,
    sort: arranging.SortOption = None,
    descending: arranging.DescendingOption = False,
    columns: arranging.ColumnsOption = None,
    limit: filters.LimitOption = 20,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    cif: CifFolder = None,
    geometry: GeometryOption = None,
) -> None:
    """Find candidates by where they came from, how far they came, what they are made of and their scores."""
    one_form(as_json=as_json, as_csv=as_csv, cif=cif)
    kind = _geometry(geometry)
    wanted = wishes.of_candidates(
        campaign=campaign, round=number, stage=stage, generator=generator, elements=elements, formula=formula,
        chemical_system=chemical_system, sites=sites, ranges=ranges, crystal_system=crystal_system,
        space_group=space_group, limit=limit,
    )  # fmt: skip
    like = Likeness.of(dos_like, metric, window, fermi, one_spin)
    order = arranging.order(
        sort, [name for name in KNOWN if name != "verdicts"], descending=descending, likeness=like is not None
    )
    shown = arranging.columns(columns, {**KNOWN, **(like.column if like else {})})
    from fermiloop.platform.app import candidates
    from fermiloop.platform.store import connection

    connection.connect()
    rows = candidates.find(wanted, near=like.read() if like else None, order=order)
    if cif is not None:
        made = {str(row["id"]): candidates.crystal(str(row["id"]), kind) for row in rows}
        write_cifs({f"{one}-{where}": crystal for one, (where, crystal) in made.items()}, cif)
        return
    usual = {**COLUMNS, **(like.column if like else {})}
    more = () if shown else (GENERATOR, *SCORES)
    listing = Listing(f"{len(rows)} candidates", shown or usual, arranging.only(rows, shown), more)
    listing.show(as_json=as_json, as_csv=as_csv)


@app.command("export")
def export(
    to: exporting.ToArgument,
    campaign: CampaignOption = None,
    number: RoundOption = None,
    stage: StageOption = None,
    generator: GeneratorOption = None,
    elements: filters.ElementsOption = None,
    formula: filters.FormulaOption = None,
    chemical_system: filters.SystemOption = None,
    sites: filters.SitesOption = None,
    ranges: filters.RangeOption = None,
    crystal_system: filters.CrystalOption = None,
    space_group: filters.SpaceGroupOption = None,
    limit: filters.LimitOption = texts.MOST_ROWS,
    form: exporting.FormOption = None,
) -> None:
    """Write what `find` finds, all of it by default, with lineage, verdicts, scores and the materials they became."""
    target = exporting.Target.of(to, form)
    wanted = wishes.of_candidates(
        campaign=campaign, round=number, stage=stage, generator=generator, elements=elements, formula=formula,
        chemical_system=chemical_system, sites=sites, ranges=ranges, crystal_system=crystal_system,
        space_group=space_group, limit=limit,
    )  # fmt: skip
    from fermiloop.platform.app import candidates
    from fermiloop.platform.store import connection

    connection.connect()
    target.write(candidates.export(wanted))


@app.command("show")
def show(
    identifier: Annotated[str, typer.Argument(metavar="ID")],
    as_json: AsJson = False,
    geometry: GeometryOption = None,
) -> None:
    """Show one candidate: its crystal, its verdicts and its scores."""
    wanted = _geometry(geometry)
    from fermiloop.platform.app import candidates
    from fermiloop.platform.store import connection
    from fermiloop.platform.store.geometry import LABELS

    connection.connect()
    known = candidates.row(candidates.get(identifier))
    kind, structure = candidates.crystal(identifier, wanted)
    if as_json:
        print_json({**known, "geometry": str(kind), "structure": structure.as_dict()})
        return
    told = {name: value for name, value in known.items() if value is not None or name not in SCORES}
    headed = {SCORES[name].heading if name in SCORES else name: value for name, value in told.items()}
    print_fields(str(known["formula"]), headed)
    print_line(f"{LABELS[kind]}:")
    print_line(str(structure))


@app.command("explain")
def explain(identifier: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Say where a candidate came from: seed, checkpoint, snapshot, labels, calculations."""
    from fermiloop.platform.app import candidates
    from fermiloop.platform.store import connection

    connection.connect()
    chain = candidates.explain(identifier)
    if as_json:
        print_json(chain)
    else:
        print_rich(lineage_view.tree(chain))


def _geometry(name: str | None) -> str | None:
    """Which crystal is asked for."""
    return None if name is None else texts.one_of("geometry", name, GEOMETRIES)
