"""What the generator `command` is: read without any of its code."""

from __future__ import annotations

from typing import Final

from fermiloop.platform.plugins.generators import GeneratorDeclaration

COMMAND: Final = GeneratorDeclaration(
    "command",
    "another program, given a folder with target, space and training crystals, leaves crystals in it",
    load="fermiloop.platform.generators.command.generator:Command",
    options="fermiloop.platform.generators.command.options:CommandOptions",
)
