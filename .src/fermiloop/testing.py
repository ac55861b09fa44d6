"""Contracts as functions: what every generator, acquisition, stage, importer, engine and potential must do."""

from __future__ import annotations

from fermiloop.platform.testing import (
    check_acquisition,
    check_engine,
    check_generator,
    check_importer,
    check_potential,
    check_stage,
)

__all__ = ["check_acquisition", "check_engine", "check_generator", "check_importer", "check_potential", "check_stage"]
