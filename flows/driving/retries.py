"""How often what was lost is begun again.

A worker or a database that went away is no fault of the calculation, and so it is tried again. A calculation that
failed by itself (it did not converge, it ran out of its time) is not: it would fail again, and cost as much. By hand it
is (`triage`, ``fermiloop calculations rerun``), as often as one likes.
"""

from __future__ import annotations

from typing import Final

MOST_RERUNS: Final = 3  # of a job whose worker or database went away, by `recover`
MOST_ATTEMPTS: Final = 3  # of an evaluation that nobody works at any more, by `reconcile`
