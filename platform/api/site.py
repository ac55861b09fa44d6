"""What every request shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from fermiloop.platform.api.work import Limits, Work


@dataclass(frozen=True)
class Site:
    """Bounds of this process, its bounded work, and whether reads need no token."""

    limits: Limits
    work: Work
    open_reads: bool = True


def site(request: Request) -> Site:
    """The site that answers a request."""
    found: Site = request.app.state.site
    return found


Here = Annotated[Site, Depends(site)]
