"""``fermiloop candidates``: what was proposed, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from fermiloop.platform.campaign.names import GENERATOR_PRESETS
from fermiloop.platform.cli import exporting, filters, lineage_view
from fermiloop.platform.cli.curves import Likeness
from fermiloop.platform.cli.output import (
    AsCsv,
    AsJson,
    CifFolder,
    Listing,
    fields_of,
    one_form,
    plain,
    print_fields,
    print_json,
    print_line,
    print_rich,
    write_cifs,
)

app = typer.Typer(help="Candidates: what was proposed, and why.")

SYMMETRY_TOLERANCE: Final = 0.01  # Å, as for materials
SCORES: Final = ("energy_per_atom", "energy_above_hull", "similarity_mean", "similarity_std")
COLUMNS: Final = {
    "id": "id", "formula": "formula", "campaign": "campaign", "round": "round", "generator": "generator",
    "stage": "stage", "score": "score", "similarity": "similarity", "hull": "above hull (eV/atom)",
    "material": "material",
}  # fmt: skip
FIELDS: Final = (
    "id", "formula", "campaign", "round", "generator", "checkpoint", "seed", "parent", "score", "probability",
    "stage", "reason", "scores", "verdicts", "calculation", "material",
)  # fmt: skip
STORED: Final = FIELDS[1:]  # an id always comes

CampaignOption = Annotated[str | None, typer.Option("--campaign", help="Of this campaign.")]
RoundOption = Annotated[int | None, typer.Option("--round", help="Of this round.")]
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
    dos_like: filters.DosLikeOption = None,
    metric: filters.MetricOption = "cosine",
    window: filters.WindowOption = None,
    fermi: filters.FermiOption = None,
    one_spin: filters.OneSpinOption = False,
    limit: filters.LimitOption = 20,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    cif: CifFolder = None,
) -> None:
    """Find candidates by where they came from, how far they came, what they are made of and their scores."""
    one_form(as_json=as_json, as_csv=as_csv, cif=cif)
    wanted = _wanted(campaign, number, stage, generator, elements, formula, chemical_system, sites, ranges)
    like = Likeness.of(dos_like, metric, window, fermi, one_spin)
    listing = _listing(wanted, filters.crystal_system(crystal_system), like, filters.limit(limit))
    if cif is not None:
        from fermiloop.platform.store import candidates

        write_cifs({row["id"]: candidates.get(row["id"]).to_structure() for row in listing.rows}, cif)
        return
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
    limit: filters.LimitOption = filters.MOST_ROWS,
    form: exporting.FormOption = None,
) -> None:
    """Write what `find` finds, all of it by default, with lineage, verdicts, scores and the materials they became."""
    target = exporting.Target.of(to, form)
    wanted = _wanted(campaign, number, stage, generator, elements, formula, chemical_system, sites, ranges)
    system, most = filters.crystal_system(crystal_system), filters.limit(limit)
    from fermiloop.platform.store import connection, exchange_records

    connection.connect()
    found = _found(wanted, system, most, ("generator",), sifted=False)
    target.write(exchange_records.of_candidates([row["id"] for row in found[:most]]))


@app.command("show")
def show(identifier: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Show one candidate: its crystal, its verdicts and its scores."""
    from fermiloop.platform.store import candidates, connection

    connection.connect()
    candidate = candidates.get(identifier)
    known, structure = _row(fields_of(candidate, FIELDS)), candidate.to_structure()
    if as_json:
        print_json({**known, "structure": structure.as_dict()})
        return
    print_fields(str(known["formula"]), known)
    print_line(str(structure))


@app.command("explain")
def explain(identifier: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Say where a candidate came from: seed, checkpoint, snapshot, labels, calculations."""
    from fermiloop.platform.store import connection, lineage

    connection.connect()
    chain = lineage.explain(identifier)
    chain["descendants"] = [lineage.descendants(calculation["id"]) for calculation in chain["calculations"]]
    if as_json:
        print_json(chain)
    else:
        print_rich(lineage_view.tree(chain))


def _wanted(
    campaign: str | None,
    number: int | None,
    stage: str | None,
    generator: str | None,
    elements: str | None,
    formula: str | None,
    chemical_system: str | None,
    sites: str | None,
    ranges: list[str] | None,
) -> dict[str, Any]:
    """Checked fields of a query."""
    return {
        "campaign": campaign,
        "round": number,
        "stage": filters.stage(stage),
        "generator": _generator(generator),
        "scores": filters.windows(ranges, SCORES),
        "n_sites": filters.sites(sites),
        "elements": filters.elements(elements),
        "chemical_system": filters.chemical_system(chemical_system),
        "formula": filters.formula(formula),
    }


def _generator(name: str | None) -> str | None:
    """A generator, or one with its preset as ``dos_composer/paper``."""
    if name is None:
        return None
    presets = (f"{known}/{preset}" for known, all_of_it in GENERATOR_PRESETS.items() for preset in all_of_it)
    return filters.one_of("generator", name, (*GENERATOR_PRESETS, *presets))


def _listing(wanted: dict[str, Any], crystal_system: str | None, like: Likeness | None, limit: int) -> Listing:
    """What the store finds, then what it cannot ask: generators of any preset, crystal systems, computed curves."""
    from fermiloop.platform.store import connection

    connection.connect()
    found = _found(wanted, crystal_system, limit, STORED, sifted=like is not None)
    rows, columns = [_row(row) for row in found], COLUMNS
    if like is not None:
        near = like.ranking(filters.MOST_ROWS, {row["material"] for row in rows if row["material"]})
        (key,), place = like.column, {material: i for i, material in enumerate(near)}
        rows = [{**row, key: near[row["material"]]} for row in rows if row["material"] in near]
        rows.sort(key=lambda row: (place[row["material"]], row["id"]))
        columns = {**COLUMNS, **like.column}
    rows = rows[:limit]
    return Listing(f"{len(rows)} candidates", columns, rows)


def _found(
    wanted: dict[str, Any], crystal_system: str | None, limit: int, fields: Sequence[str], *, sifted: bool
) -> list[dict[str, Any]]:
    """Rows of the fields that pass, more than the limit where some are sifted out here, or later."""
    from fermiloop.platform.store import candidates

    asked = dict(wanted)
    generator = asked.pop("generator")
    sifted = sifted or crystal_system is not None or generator is not None
    shown = (*fields, "structure") if crystal_system is not None else fields
    found = candidates.rows(candidates.CandidateQuery(**asked, limit=filters.MOST_ROWS if sifted else limit), shown)
    if generator is not None:
        found = [row for row in found if generator in (row["generator"], _family(row["generator"]))]
    if crystal_system is not None:
        found = [row for row in found if _crystal_system(row.pop("structure")) == crystal_system]
    return found


def _family(generator: str) -> str:
    """Name of a generator without its preset."""
    return generator.partition("/")[0]


def _crystal_system(structure: dict[str, Any]) -> str:
    from pymatgen.core.structure import Structure
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer  # heavy

    return str(SpacegroupAnalyzer(Structure.from_dict(structure), symprec=SYMMETRY_TOLERANCE).get_crystal_system())


def _row(stored: dict[str, Any]) -> dict[str, Any]:
    """A row with the scores that a list shows, JSON-ready."""
    scores = stored["scores"] or {}
    return {**plain(stored), "similarity": scores.get("similarity_mean"), "hull": scores.get("energy_above_hull")}
