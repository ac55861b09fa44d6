"""What FireWorks' documents are known by, and the rows that are read of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

CAMPAIGN_KEY: Final = "_category"  # FireWorks' own; workers choose by it
CALCULATION_KEY: Final = "fermiloop_calculation"
OF_NONE: Final = "(by itself) "  # stands in the campaign's place, before the Method, in work that is of no campaign
CAMPAIGN: Final = f"spec.{CAMPAIGN_KEY}"
CALCULATION: Final = f"spec.{CALCULATION_KEY}"
GIVEN_BACK: Final = "given_back"  # of a run that its worker ended because it was told to stop
TAKER: Final = "lost_to"  # of a run that was taken away: by whom

HELD: Final = ("RESERVED", "RUNNING")  # states of a run that is a worker's
ACTIVE: Final = ("READY", *HELD)  # of what runs or can be run
NOT_BEGUN: Final = ("READY", "WAITING")
BEGUN: Final = (*HELD, "COMPLETED", "FIZZLED")  # a step that failed is recorded by a later one


@dataclass(frozen=True)
class FireworkRow:
    """A firework, as far as it was asked for.

    Parameters
    ----------
    launch_ids
        Of its runs, in their order.
    created_on, updated_on
        As FireWorks writes them: UTC without saying so, text or a date.
    campaign, calculation
        What it belongs to.
    """

    fw_id: int
    name: str = ""
    state: str = ""
    launch_ids: tuple[int, ...] = ()
    created_on: object = None
    updated_on: object = None
    campaign: str | None = None
    calculation: str | None = None

    @property
    def newest_launch(self) -> int | None:
        """The last of its runs; None where it was never run."""
        return self.launch_ids[-1] if self.launch_ids else None


@dataclass(frozen=True)
class LaunchRow:
    """A run, as far as it was asked for.

    Parameters
    ----------
    worker
        Its name; empty where there is none.
    history
        States with their times; the last time of RUNNING moves while the run lives.
    taker
        By whom it was taken away.
    trace
        Traceback that it ended with.
    """

    launch_id: int
    fw_id: int = 0
    state: str = ""
    worker: str = ""
    history: tuple[dict[str, Any], ...] = ()
    taker: str | None = None
    trace: str = ""

    @property
    def began_at(self) -> object:
        """When it began to run, as FireWorks writes it; None where it has not."""
        return self._entered("RUNNING")

    @property
    def completed_at(self) -> object:
        """When it ended well, as FireWorks writes it; None where it has not."""
        return self._entered("COMPLETED")

    def _entered(self, state: str) -> object:
        entered = next((one for one in self.history if one.get("state") == state), {})
        return entered.get("created_on")


@dataclass(frozen=True)
class Failure:
    """A job that failed: its name and the traceback, which is empty where its worker was lost."""

    name: str
    trace: str


def firework_row(document: dict[str, Any]) -> FireworkRow:
    """Row of a firework's document, or of a part of it."""
    spec = document.get("spec") or {}
    return FireworkRow(
        fw_id=int(document["fw_id"]),
        name=str(document.get("name") or ""),
        state=str(document.get("state") or ""),
        launch_ids=tuple(document.get("launches") or ()),
        created_on=document.get("created_on"),
        updated_on=document.get("updated_on"),
        campaign=None if method_of_none(spec.get(CAMPAIGN_KEY)) else spec.get(CAMPAIGN_KEY),
        calculation=spec.get(CALCULATION_KEY),
    )


def method_of_none(category: str | None) -> str:
    """Method of work that is of no campaign, by what stands in the campaign's place; empty for a campaign's."""
    return category.removeprefix(OF_NONE) if category and category.startswith(OF_NONE) else ""


def launch_row(document: dict[str, Any]) -> LaunchRow:
    """Row of a launch's document, or of a part of it."""
    stored = ((document.get("action") or {}).get("stored_data") or {}).get("_exception") or {}
    return LaunchRow(
        launch_id=int(document["launch_id"]),
        fw_id=int(document.get("fw_id") or 0),
        state=str(document.get("state") or ""),
        worker=str((document.get("fworker") or {}).get("name") or ""),
        history=tuple(document.get("state_history") or ()),
        taker=document.get(TAKER),
        trace=str(stored.get("_stacktrace") or ""),
    )
