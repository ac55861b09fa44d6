"""What the generators of one file each are; read without any of their code."""

from __future__ import annotations

from typing import Final

from fermiloop.platform.plugins.generators import GeneratorDeclaration
from fermiloop.platform.plugins.reference import Reference

DOS_COMPOSER: Final = GeneratorDeclaration(
    "dos_composer",
    "compositions for a curve by a learned inverse, decorated on structure types",
    load="fermiloop.platform.generators.dos_composer:DosComposer",
    options="fermiloop.platform.generators.dos_composer:ComposerOptions",
    presets=("paper", "regression", "factorised"),
    needs_curve=True,
    most_components=4,
    known_sizes=("paper", "regression"),  # their vectors have a block for each element of the largest composition
    tabulated_prototypes=True,
    learns=True,
    scorer="fermiloop.platform.search.gate_scores:composition_named",
    reference=Reference("bang-2024", "Bang et al.", "J. Mater. Chem. A", "12", "6004", "2024"),
)
