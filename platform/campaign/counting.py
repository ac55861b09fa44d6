"""Hits, shares and baselines of a campaign: the one place where they are counted.

A hit rate is of results; what a generator was given counts failed evaluations as well, since they were paid for.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, cast

from fermiloop.platform.campaign.bandit import earned
from fermiloop.platform.campaign.statistics import wilson

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fermiloop.platform.campaign.reported import GeneratorRow, Rate


@dataclass(frozen=True)
class Trial:
    """One evaluation that has ended.

    Parameters
    ----------
    generator
        What proposed it, with its preset.
    completed
        Whether it gave a result.
    hit
        Whether the result is what was looked for.
    """

    generator: str
    completed: bool
    hit: bool


@dataclass(frozen=True)
class Share:
    """Hits among trials; `inside` where they are the campaign's own, which is then compared by the others."""

    hits: int
    n: int
    inside: bool = False

    def as_dict(self) -> Rate:
        """With the rate and its 95 % Wilson interval; without a trial these are None."""
        low, high = wilson(self.hits, self.n) if self.n else (None, None)
        rate = self.hits / self.n if self.n else None
        return {"hits": self.hits, "n": self.n, "rate": rate, "low": low, "high": high}


def family(generator: str) -> str:
    """Name of a generator without its preset."""
    return generator.partition("/")[0]


def results(trials: Iterable[Trial]) -> Share:
    """Hits among results."""
    done = [one for one in trials if one.completed]
    return Share(sum(one.hit for one in done), len(done))


def results_of(generator: str, trials: Iterable[Trial]) -> Share:
    """Hits among the results of one generator of a campaign, whatever its preset."""
    own = results(one for one in trials if family(one.generator) == generator)
    return Share(own.hits, own.n, inside=True)


def picks(hits: Sequence[bool]) -> Share:
    """What a random pick from the library finds: the share of its materials that would be hits."""
    return Share(sum(map(bool, hits)), len(hits))


def paid(trials: Iterable[Trial], *, presets: bool = False) -> dict[str, tuple[int, int]]:
    """Hits and evaluations of each generator, failed ones included; with presets each of them by itself."""
    found: dict[str, tuple[int, int]] = {}
    for one in trials:
        name = one.generator if presets else family(one.generator)
        hits, n = found.get(name, (0, 0))
        found[name] = (hits + (one.completed and one.hit), n + 1)
    return found


def shares(trials: Iterable[Trial]) -> list[GeneratorRow]:
    """Who was given the budget, and what came of it, most evaluations first."""
    return [cast("GeneratorRow", asdict(row)) for row in earned(paid(trials))]
