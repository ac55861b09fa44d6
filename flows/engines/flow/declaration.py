"""What must be known of the engine ``flow`` before the Maker that it runs is imported."""

from fermiloop.platform.plugins.engines import EngineDeclaration

FLOW = EngineDeclaration(
    name="flow",
    title="Flow: a jobflow Maker of your own, named in the campaign file",
    code="fermiloop.flows.engines.flow.engine:ENGINE",
    settings="fermiloop.flows.engines.flow.settings:FlowSettings",
    gives=(),
    named_by="outputs",
    dos_named_by="dos",
    last_step="flow",
    lowest_energy=-1e5,  # of whatever program they are
    by_element=False,
    names_code=True,
)
