"""What makes densities of states of several Methods comparable: one key, which is not the Method.

Energies of two Methods never mix. A density of states of unit area depends on less: functional, spin, broadening, grid
and +U, but on a cutoff only as far as it is not converged. What lies at zero is no matter of the Method: the store
keeps curves about the middle of the gap, with the gap, and every reader brings them to the zero that is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fermiloop.platform.plugins.engines import CORRECTIONS, ENGINES


def curve_key(engine: str, functional: str, settings: Mapping[str, Any]) -> str | None:
    """The key of a Method's curves, the same for all whose curves may be compared; None where they stand alone.

    Parameters
    ----------
    engine
        Its name; of one that is not installed here nothing is known, so that its curves stand alone.
    functional, settings
        Of the Method.
    """
    declared = ENGINES.get(engine)
    rule = declared.comparable if declared is not None else None
    if rule is None:
        return None
    ignored = (*rule.ignored, CORRECTIONS)
    counted = {name: value for name, value in settings.items() if name not in ignored and value is not None}
    capped = {name: min(float(counted[name]), most) for name, most in rule.enough.items() if name in counted}
    parts = {"family": rule.family, "spin": rule.spin, "functional": functional, "settings": counted | capped}
    return json.dumps(parts, sort_keys=True)
