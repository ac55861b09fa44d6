"""What iMatGen is; read without its code."""

from __future__ import annotations

from typing import Final

from fermiloop.platform.plugins.generators import GeneratorDeclaration
from fermiloop.platform.plugins.reference import Reference

IMATGEN: Final = GeneratorDeclaration(
    "imatgen",
    "crystals of two elements from voxel images of one pair",
    load="fermiloop.platform.generators.imatgen.generator:Imatgen",
    options="fermiloop.platform.generators.imatgen.options:ImatgenOptions",
    presets=("paper",),
    preset_options="fermiloop.platform.generators.imatgen.options:PRESET_OPTIONS",
    default_unnamed=True,
    most_components=2,
    learns=True,
    scorer="fermiloop.platform.search.gate_scores:crystal_approached",
    reference=Reference(
        "noh-2019",
        "Noh et al.",
        "Matter",
        "1",
        "1370",
        "2019",
        "Inverse design of solid-state materials via a continuous representation",
    ),
)
