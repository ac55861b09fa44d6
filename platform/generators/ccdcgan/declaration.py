"""What CCDCGAN is; read without its code."""

from __future__ import annotations

from typing import Final

from fermiloop.platform.plugins.generators import GeneratorDeclaration
from fermiloop.platform.plugins.reference import Reference

CCDCGAN: Final = GeneratorDeclaration(
    "ccdcgan",
    "crystal graphs from noise, pulled towards properties",
    load="fermiloop.platform.generators.ccdcgan.generator:Ccdcgan",
    options="fermiloop.platform.generators.ccdcgan.options:CcdcganOptions",
    presets=("paper", "graph", "compact"),
    preset_options="fermiloop.platform.generators.ccdcgan.options:PRESET_OPTIONS",
    learns=True,
    scorer="fermiloop.platform.search.gate_scores:crystal_approached",
    reference=Reference(
        "long-2021",
        "Long et al.",
        "npj Comput. Mater.",
        "7",
        "66",
        "2021",
        "Constrained crystals deep convolutional generative adversarial network for the inverse design of crystal "
        "structures",
    ),
)
