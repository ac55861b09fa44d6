"""What must be known of the engine ``gpaw-hydrogen`` before GPAW is imported."""

from dataclasses import replace

from fermiloop.flows.engines.gpaw.declaration import GPAW
from fermiloop.platform.plugins.engines import ELECTRONIC

OF_HYDROGEN = ("separation", "cells", "sites", "hydrogen_kpoint_density", "box")
"""Settings that change the energy of hydrogen, and nothing else."""

GPAW_HYDROGEN = replace(
    GPAW,
    name="gpaw-hydrogen",
    title="GPAW: PBE in plane waves, with densities of states and the energy of interstitial hydrogen",
    code="fermiloop.flows.engines.gpaw_hydrogen.engine:ENGINE",
    settings="fermiloop.flows.engines.gpaw_hydrogen.settings:GpawHydrogenSettings",
    gives=(*ELECTRONIC, "hydrogen_interstitial_energy"),
    last_step="hydrogen",
    # the crystal itself is computed as by `gpaw`: how hydrogen is put into it changes no curve
    comparable=GPAW.comparable and replace(GPAW.comparable, ignored=(*GPAW.comparable.ignored, *OF_HYDROGEN)),
)
