"""``fermiloop campaign replay``: strategies compared on answers that are known already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fermiloop.platform.cli.output import AsJson, Listing, print_json, print_line
from fermiloop.platform.cli.progress import long_work
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fermiloop.platform.campaign.replaying.loop import Oracle as Recorded
    from fermiloop.platform.campaign.replaying.replay import Course, Score
    from fermiloop.platform.campaign.spec import CampaignSpec
    from fermiloop.platform.representations.training import Target

COLUMNS: Final = {
    "strategy": "strategy", "baseline": "baseline", "generator": "among", "hits": "hits", "interval": "95 %",
    "per_call": "per call", "times_random": "times chance", "apart": "apart from random",
    "curve": "hits after each batch",
}  # fmt: skip

Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="A campaign whose results are replayed.")]
Oracle = Annotated[
    Path | None,
    typer.Option("--oracle", help="Labelled crystals in place of a campaign, one JSON object a line, plain or gzip."),
]
Acquisitions = Annotated[
    list[str] | None,
    typer.Option(
        "--acquisition",
        help="default (the campaign file as it is), an acquisition, a surrogate or a baseline; may be given more than "
        "once. [default]",
    ),
]
Generator = Annotated[
    str,
    typer.Option(
        "--generator",
        help="Who proposes. Of --oracle: pool (all), substitution, random_pick. Of a campaign: pool, or one of its "
        "generators, whose candidates alone are then replayed.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**31, help="The first one.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, max=1000, help="How many, one after the other.")]
Batch = Annotated[int | None, typer.Option("--batch", min=1, help="Calls at a time. [25, fewer of a small set]")]
Calls = Annotated[int | None, typer.Option("--calls", min=1, help="In all. [250, fewer of a small set]")]
Known = Annotated[int | None, typer.Option("--known", min=2, help="Known at the start. [25, fewer of a small set]")]
Label = Annotated[str, typer.Option("--property", help="Of --oracle: the label.")]
Low = Annotated[float | None, typer.Option("--low", help="Of --oracle: least value of a hit.")]
High = Annotated[float | None, typer.Option("--high", help="Of --oracle: greatest value of a hit.")]
Share = Annotated[
    float,
    typer.Option(
        "--share", min=0.001, max=0.999, help="Of --oracle, without --low and --high: this lowest share hits."
    ),
]
MaxSites = Annotated[int | None, typer.Option("--max-sites", min=1, help="Of --oracle: most sites of a cell.")]
Limit = Annotated[int, typer.Option("--limit", min=10, help="Of --oracle: this many crystals at most, at random.")]


def replay(
    name: Name = None,
    oracle: Oracle = None,
    acquisition: Acquisitions = None,
    generator: Generator = "pool",
    seed: Seed = 0,
    seeds: Seeds = 10,
    batch: Batch = None,
    calls: Calls = None,
    known: Known = None,
    label: Label = "formation_energy_per_atom",
    low: Low = None,
    high: High = None,
    share: Share = 0.05,
    max_sites: MaxSites = None,
    limit: Limit = 5000,
    as_json: AsJson = False,
) -> None:
    """Replay a campaign, or a labelled set, with the answers hidden: hits per call beside random and others."""
    if (name is None) == (oracle is None):
        raise InputError("A replay takes either the NAME of a campaign or --oracle FILE; give one of them.")
    chosen = acquisition or ["default"]
    from fermiloop.platform.campaign.replaying.replay import compare, course_for
    from fermiloop.platform.campaign.replaying.strategies import check_names

    check_names(chosen, () if name else (generator,))
    with long_work("Replay", quiet_for=1.0) as report:
        if oracle is not None:
            made = _of_file(oracle, label, (low, high, share), (max_sites, limit), report)
        else:
            made = _of_campaign(str(name), generator, report)
        answers, file, source = made
        course = course_for(int(answers.allowed.sum()), known, calls, batch)
        slate = generator if oracle is not None else "pool"  # a campaign's own generator has made the whole pool
        found = compare(answers, file, chosen, course, range(seed, seed + seeds), slate, report)
    if as_json:
        rows = [_row(one, found) | {"runs": one.runs} for one in found]
        print_json(_told(answers, course, source) | {"rows": rows})
    else:
        _show(answers, course, source, found)


def _of_campaign(name: str, generator: str, report: Callable[[str, float], None]) -> tuple[Recorded, CampaignSpec, str]:
    """Answers, campaign file and where they are from."""
    from fermiloop.platform.app import campaigns
    from fermiloop.platform.store import connection

    connection.connect()
    made = campaigns.recorded(name, None if generator == "pool" else generator, report)
    return made.oracle, made.spec, ", ".join(made.campaigns)


def _of_file(
    path: Path,
    label: str,
    ends: tuple[float | None, float | None, float],
    size: tuple[int | None, int],
    report: Callable[[str, float], None],
) -> tuple[Recorded, CampaignSpec, str]:
    """Answers, campaign file and where they are from."""
    import math

    from fermiloop.platform.bench.replay import file_for, labelled_pool, lowest, oracle_of
    from fermiloop.platform.representations.conditions import Condition

    low, high, share = ends
    window = None
    if low is not None or high is not None:
        window = Condition(label, -math.inf if low is None else low, math.inf if high is None else high)
    pool = labelled_pool(path, label, *size, 0, report)
    condition = window or lowest(pool, label, share)
    return oracle_of(pool, condition), file_for(condition), path.name


def _row(one: Score, found: list[Score]) -> dict[str, object]:
    """A row of the table; apart from random where the intervals of both do not meet."""
    random = next(other for other in found if (other.strategy, other.generator) == ("random", "pool"))
    apart = None if one is random else one.low > random.high or one.high < random.low
    return one.row() | {"apart": apart}


def _told(answers: Recorded, course: Course, source: str) -> dict[str, object]:
    hits, n = int(answers.hits.sum()), len(answers.pool)
    return {
        "source": source, "crystals": n, "hits": hits, "share": hits / n, "target": _asked(answers.target),
        "known": course.known, "calls": course.calls, "batch": course.batch,
    }  # fmt: skip


def _asked(target: Target) -> dict[str, object]:
    """What a hit must be: least similarity, and bounds by property, null where there is none."""
    import math

    found: dict[str, object] = {} if target.curve is None else {"similarity": [target.hit_similarity, None]}
    for one in target.conditions:
        found[one.property] = [end if math.isfinite(end) else None for end in (one.low, one.high)]
    return found


def _show(answers: Recorded, course: Course, source: str, found: list[Score]) -> None:
    hits = int(answers.hits.sum())
    rows = [_row(one, found) for one in found]
    for row in rows:
        row["interval"] = f"{row['hits_low']:.1f} – {row['hits_high']:.1f}"
    seeds = len(found[0].runs)
    title = f"Replay of {source}: {course.calls} calls by {course.batch}, {course.known} known, mean of {seeds} seeds"
    Listing(title, COLUMNS, rows).show()
    print_line(
        f"{hits} of {len(answers.pool)} crystals are hits; chance finds {found[0].chance:.3g} in {course.calls} calls."
    )
