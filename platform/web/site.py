"""What the pages share: who may write, the last summaries; and what a page is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from dash import Dash
from dash.development.base_component import Component

from fermiloop.platform.app import campaigns
from fermiloop.platform.campaign.reported import Summary
from fermiloop.schemas.vocabulary import Role

KEPT: Final = 8  # summaries

READ_ONLY: Final = "These pages are read-only; give a token with the role launch under Access, in the head of the page."


Authorise = Callable[[str | None, Role], str | None]


def refuse(token: str | None, role: Role) -> str | None:  # noqa: ARG001  (the signature of all)
    """Nobody may write: what holds unless another rule is given."""
    return READ_ONLY


@dataclass(frozen=True)
class Site:
    """Who may write, and the last summaries that were made."""

    authorise: Authorise = refuse
    summaries: dict[tuple[str, str], Summary] = field(default_factory=dict)

    def summary(self, name: str) -> tuple[str, Summary]:
        """Stamp and summary of a campaign; the summary is made again when the stamp has changed.

        Raises
        ------
        NotFoundError
            If there is no such campaign.
        """
        stamp = campaigns.stamp(name)
        made = self.summaries.get((name, stamp))
        if made is None:
            made = campaigns.summary(name)
            while len(self.summaries) >= KEPT:
                self.summaries.pop(next(iter(self.summaries)), None)
            self.summaries[name, stamp] = made
        return stamp, made


@dataclass(frozen=True)
class Page:
    """One page: its title, its content for what follows its name in the address, and its callbacks."""

    title: str
    layout: Callable[[Site, str], Component]
    register: Callable[[Dash, Site], None] | None = None
    asked: Callable[[Site, Mapping[str, str]], Component] | None = None  # in place of layout, by the address's query
