"""``fermiloop candidates``: what was proposed, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from fermiloop.platform.cli import arranging, exporting, filters, lineage_view
from fermiloop.platform.cli.arranging import Order
from fermiloop.platform.cli.curves import Likeness
from fermiloop.platform.cli.output import (
    AsCsv,
    AsJson,
    CifFolder,
    Listing,
    fields_of,
    one_form,
    print_fields,
    print_json,
    print_line,
    print_rich,
    write_cifs,
)
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.plugins.properties import Derived
from fermiloop.schemas.scores import GENERATOR, HIT, SCORES

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

app = typer.Typer(help="Candidates: what was proposed, and why.")

SYMMETRY_TOLERANCE: Final = 0.01  # Å, as for materials
GEOMETRIES: Final = ("computed", "proposed")  # of `store.geometry`, which is heavy
SHOWN: Final = ("score", "predicted_score", HIT, "energy_above_hull", "potential_energy_above_hull")
COLUMNS: Final = Derived(lambda _: {
    "id": "id", "formula": "formula", "campaign": "campaign", "round": "round", "generator": "generator",
    "stage": "stage", **{name: SCORES[name].heading if name in SCORES else name for name in SHOWN},
    "material": "material",
})  # fmt: skip
FIELDS: Final = (
    "id", "formula", "campaign", "round", "generator", "checkpoint", "seed", "parent", "score", "probability",
    "stage", "reason", "scores", "verdicts", "calculation", "material",
)  # fmt: skip
STORED: Final = FIELDS[1:]  # an id always comes
KNOWN: Final = Derived(
    lambda _: {
        name: SCORES[name].heading if name in SCORES else name.replace("_", " ")
        for name in (*(GENERATOR if name == "score" else name for name in FIELDS if name != "scores"), HIT, *SCORES)
    }
)

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
    space_group: arranging.SpaceGroupOption = None,
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
    wanted = _wanted(campaign, number, stage, generator, elements, formula, chemical_system, sites, ranges)
    like = Likeness.of(dos_like, metric, window, fermi, one_spin)
    symmetry = _Symmetry(filters.crystal_system(crystal_system), arranging.space_group(space_group))
    order = Order.of(
        sort, [name for name in KNOWN if name != "verdicts"], descending=descending, likeness=like is not None
    )
    shown = arranging.columns(columns, {**KNOWN, **(like.column if like else {})})
    rows = _rows(wanted, symmetry, like, order, filters.limit(limit))
    if cif is not None:
        write_cifs(_crystals([row["id"] for row in rows], kind), cif)
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
    space_group: arranging.SpaceGroupOption = None,
    limit: filters.LimitOption = filters.MOST_ROWS,
    form: exporting.FormOption = None,
) -> None:
    """Write what `find` finds, all of it by default, with lineage, verdicts, scores and the materials they became."""
    target = exporting.Target.of(to, form)
    wanted = _wanted(campaign, number, stage, generator, elements, formula, chemical_system, sites, ranges)
    symmetry = _Symmetry(filters.crystal_system(crystal_system), arranging.space_group(space_group))
    most = filters.limit(limit)
    from fermiloop.platform.store import connection, exchange_records

    connection.connect()
    found = _found(wanted, symmetry, most, ("generator",), sifted=False)
    target.write(exchange_records.of_candidates([row["id"] for row in found[:most]]))


@app.command("show")
def show(
    identifier: Annotated[str, typer.Argument(metavar="ID")],
    as_json: AsJson = False,
    geometry: GeometryOption = None,
) -> None:
    """Show one candidate: its crystal, its verdicts and its scores."""
    wanted = _geometry(geometry)
    from fermiloop.platform.store import candidates, connection
    from fermiloop.platform.store.candidate_rows import flat
    from fermiloop.platform.store.geometry import LABELS, crystal_of

    connection.connect()
    candidate = candidates.get(identifier)
    kind, structure = crystal_of(candidate, wanted)
    known = flat(fields_of(candidate, FIELDS))
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
    elements: list[str] | None,
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
        "scores": filters.windows(ranges, tuple(SCORES)),
        "n_sites": filters.sites(sites),
        "elements": filters.elements(elements),
        "chemical_system": filters.chemical_system(chemical_system),
        "formula": filters.formula(formula),
    }


def _generator(name: str | None) -> str | None:
    """A generator, or one with its preset as ``dos_composer/paper``."""
    if name is None:
        return None
    presets = (f"{known}/{preset}" for known, declared in GENERATORS.items() for preset in declared.presets)
    return filters.one_of("generator", name, (*GENERATORS, *presets))


def _rows(
    wanted: dict[str, Any], symmetry: _Symmetry, like: Likeness | None, order: Order | None, limit: int
) -> list[dict[str, Any]]:
    """What the store finds, then what it cannot ask: generators of any preset, symmetries, computed curves."""
    from fermiloop.platform.store import connection
    from fermiloop.platform.store.candidate_rows import flat

    connection.connect()
    if order is not None:
        return _first(wanted, symmetry, order, limit)
    rows = [flat(row) for row in _found(wanted, symmetry, limit, STORED, sifted=like is not None)]
    if like is not None:
        near = like.ranking(filters.MOST_ROWS, {row["material"] for row in rows if row["material"]})
        (key,), place = like.column, {material: i for i, material in enumerate(near)}
        rows = [{**row, key: near[row["material"]]} for row in rows if row["material"] in near]
        rows.sort(key=lambda row: (place[row["material"]], row["id"]))
    return rows[:limit]


def _first(wanted: dict[str, Any], symmetry: _Symmetry, order: Order, limit: int) -> list[dict[str, Any]]:
    """The first rows of an order: all are asked for the value to sort by alone, and then those for the rest."""
    from fermiloop.platform.store import candidates
    from fermiloop.platform.store.candidate_rows import flat

    stored = "score" if order.name == GENERATOR else "scores" if order.name in (HIT, *SCORES) else order.name
    light = _found(wanted, symmetry, limit, ("generator", *{stored} - {"id", "generator"}), sifted=True)
    first = [row["id"] for row in order.sorted(flat(row) for row in light)[:limit]]
    found = candidates.rows(candidates.CandidateQuery(ids=tuple(first), limit=limit), STORED)
    return order.sorted(flat(row) for row in found)


def _found(
    wanted: dict[str, Any], symmetry: _Symmetry, limit: int, fields: Sequence[str], *, sifted: bool
) -> list[dict[str, Any]]:
    """Rows of the fields that pass, more than the limit where some are sifted out here, or later."""
    from fermiloop.platform.store import candidates

    asked = dict(wanted)
    generator = asked.pop("generator")
    sifted = sifted or symmetry.is_asked or generator is not None
    shown = (*fields, "structure") if symmetry.is_asked else fields
    found = candidates.rows(candidates.CandidateQuery(**asked, limit=filters.MOST_ROWS if sifted else limit), shown)
    if generator is not None:
        found = [row for row in found if generator in (row["generator"], _family(row["generator"]))]
    if symmetry.is_asked:
        found = [row for row in found if symmetry.holds(row.pop("structure"))]
    return found


def _family(generator: str) -> str:
    """Name of a generator without its preset."""
    return generator.partition("/")[0]


@dataclass(frozen=True)
class _Symmetry:
    """What is asked of the symmetry of a crystal as it was proposed; the store does not keep it."""

    system: str | None
    group: int | None

    @property
    def is_asked(self) -> bool:
        return (self.system, self.group) != (None, None)

    def holds(self, structure: dict[str, Any]) -> bool:
        from pymatgen.core.structure import Structure
        from pymatgen.symmetry.analyzer import SpacegroupAnalyzer  # heavy

        found = SpacegroupAnalyzer(Structure.from_dict(structure), symprec=SYMMETRY_TOLERANCE)
        return self.system in (None, found.get_crystal_system()) and self.group in (
            None,
            found.get_space_group_number(),
        )


def _geometry(name: str | None) -> str | None:
    """Which crystal is asked for."""
    return None if name is None else filters.one_of("geometry", name, GEOMETRIES)


def _crystals(ids: Sequence[str], geometry: str | None) -> dict[str, Structure]:
    """Crystals by the name of their file, which says which geometry it is."""
    from fermiloop.platform.store import candidates
    from fermiloop.platform.store.geometry import crystal_of

    found = {one: crystal_of(candidates.get(one), geometry) for one in ids}
    return {f"{one}-{kind}": crystal for one, (kind, crystal) in found.items()}
