"""What FTCP is; read without its code."""

from __future__ import annotations

from typing import Final

from fermiloop.platform.plugins.generators import GeneratorDeclaration
from fermiloop.platform.plugins.reference import Reference

FTCP: Final = GeneratorDeclaration(
    "ftcp",
    "crystals from a latent space that is learned together with their properties",
    load="fermiloop.platform.generators.ftcp.generator:Ftcp",
    options="fermiloop.platform.generators.ftcp.options:FtcpOptions",
    presets=("paper", "convolutional", "structured"),
    preset_options="fermiloop.platform.generators.ftcp.options:PRESET_OPTIONS",
    learns=True,
    scorer="fermiloop.platform.search.gate_scores:crystal_approached",
    reference=Reference(
        "ren-2022",
        "Ren et al.",
        "Matter",
        "5",
        "314",
        "2022",
        "An invertible crystallographic representation for general inverse design of inorganic crystals with "
        "targeted properties",
    ),
)
