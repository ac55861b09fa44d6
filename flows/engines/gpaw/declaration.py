"""What must be known of GPAW before it is imported."""

from fermiloop.platform.plugins.engines import ELECTRONIC, EngineDeclaration

GPAW = EngineDeclaration(
    name="gpaw",
    title="GPAW: PBE in plane waves, with densities of states",
    code="fermiloop.flows.engines.gpaw.engine:ENGINE",
    settings="fermiloop.flows.engines.gpaw.settings:GpawEngineSettings",
    gives=ELECTRONIC,
    gives_dos=True,
)
