"""What must be known of CHGNet as an engine before it is imported."""

from fermiloop.platform.plugins.engines import EngineDeclaration

CHGNET = EngineDeclaration(
    name="chgnet",
    title="CHGNet: energies by a machine-learned potential",
    code="fermiloop.flows.engines.chgnet.engine:ENGINE",
    settings="fermiloop.flows.engines.relaxation:RelaxSettings",
    last_step="relax",
    at_once=True,
)
