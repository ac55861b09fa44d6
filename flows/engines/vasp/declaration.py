"""What must be known of VASP before it is imported."""

from fermiloop.platform.plugins.engines import ELECTRONIC, EngineDeclaration

VASP = EngineDeclaration(
    name="vasp",
    title="VASP by the settings of the Materials Project, through atomate2",
    code="fermiloop.flows.engines.vasp.engine:ENGINE",
    settings="fermiloop.flows.engines.vasp.engine:VaspSettings",
    gives=ELECTRONIC,
    gives_dos=True,
)
