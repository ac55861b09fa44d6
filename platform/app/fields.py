"""Fields of rows, in the order that lists show: apart from what finds them, so that ``--help`` loads no store."""

from __future__ import annotations

from typing import Final

CANDIDATE: Final = (
    "id", "formula", "campaign", "round", "generator", "preset", "checkpoint", "seed", "parent", "score", "probability",
    "stage", "reason", "scores", "verdicts", "calculation", "material",
)  # fmt: skip
