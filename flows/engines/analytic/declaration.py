"""What must be known of the analytic engine before it is imported."""

from fermiloop.platform.plugins.engines import ELECTRONIC, EngineDeclaration

ANALYTIC = EngineDeclaration(
    name="analytic",
    title="Analytic: Lennard-Jones with a made-up density of states, for tests",
    code="fermiloop.flows.engines.analytic.engine:ENGINE",
    settings="fermiloop.flows.engines.analytic.engine:AnalyticSettings",
    gives=ELECTRONIC,
    gives_dos=True,
    at_once=True,
)
