"""Contracts as functions: what every plug-in of a kind must do, ours and yours.

Each raises an `AssertionError` of one sentence over the first thing that is wrong; none needs pytest.
"""

from __future__ import annotations

from fermiloop.platform.testing.acquisitions import check_acquisition
from fermiloop.platform.testing.engines import check_engine
from fermiloop.platform.testing.generators import check_generator
from fermiloop.platform.testing.importers import check_importer
from fermiloop.platform.testing.potentials import check_potential
from fermiloop.platform.testing.stages import check_stage

__all__ = ["check_acquisition", "check_engine", "check_generator", "check_importer", "check_potential", "check_stage"]
