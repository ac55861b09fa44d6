"""What must be known of the analytic engine before it is imported."""

from fermiloop.platform.plugins.engines import ELECTRONIC, EngineDeclaration
from fermiloop.schemas.curve_kinds import other_stored_kinds

ANALYTIC = EngineDeclaration(
    name="analytic",
    title="Analytic: Lennard-Jones with a made-up density of states, for tests",
    code="fermiloop.flows.engines.analytic.engine:ENGINE",
    settings="fermiloop.flows.engines.analytic.engine:AnalyticSettings",
    gives=ELECTRONIC,
    gives_dos=True,
    gives_curves=other_stored_kinds(),
    curve_named_by="curve",
    at_once=True,
)
