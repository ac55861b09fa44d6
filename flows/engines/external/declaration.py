"""The engine of numbers that were computed elsewhere and imported."""

from fermiloop.platform.plugins.engines import EngineDeclaration

EXTERNAL = EngineDeclaration(name="external", title="Computed elsewhere, imported with its numbers", chosen=False)
