"""What must be known of GPAW before it is imported: two families of one code, which differ in their cutoff."""

from dataclasses import replace

from fermiloop.platform.plugins.engines import ELECTRONIC, CurveRule, EngineDeclaration

GPAW = EngineDeclaration(
    name="gpaw",
    title="GPAW: PBE in plane waves up to 400 eV, with densities of states",
    code="fermiloop.flows.engines.gpaw.engine:ENGINE",
    settings="fermiloop.flows.engines.gpaw.settings:GpawEngineSettings",
    gives=ELECTRONIC,
    gives_dos=True,
    comparable=CurveRule(
        family="gpaw",
        spin="Cr, Mn, Fe, Co, Ni and elements with U",
        ignored=("max_scf_steps", "symmetry_tolerance"),
        enough={"cutoff": 400.0, "kpoint_density": 5.0},  # those of `gpaw`, which refuses what needs more
    ),
)
GPAW_HARD = replace(
    GPAW,
    name="gpaw-hard",
    title="GPAW: PBE in plane waves up to 600 eV, for B, C, N, O and F too",
    code="fermiloop.flows.engines.gpaw.engine:HARD",
    settings="fermiloop.flows.engines.gpaw.settings:GpawHardEngineSettings",
)
