"""Generators by name: what each is, what it needs, and how one is made or read."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.catalogue import Catalogue
from fermiloop.platform.plugins.declaration import CodeDeclaration, check_place
from fermiloop.platform.plugins.declaration import load as code_at
from fermiloop.platform.plugins.provenance import entry_of
from fermiloop.platform.plugins.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class GeneratorDeclaration(CodeDeclaration):
    """What a generator is, without its code.

    Parameters
    ----------
    load
        Place of its class, which keeps the protocol `Generator`. It is made as ``Class(preset, options)``, without
        the preset where there are none, and without the options where it takes none.
    options
        Place of the dataclass of its options; empty where it takes none.
    presets
        Names of its presets, the default last.
    preset_options
        Place of a mapping of presets to the options that they take in place of the defaults, by name; empty where
        none does.
    default_unnamed
        Whether it has settings of its own beside the presets, which are taken where no preset is asked for.
    needs_curve
        Whether it learns from curves like the target's, so that the target must have one.
    most_components
        Most distinct elements of the crystals that it makes; None where there is no such limit. Its option of that
        name, where it has one, makes them fewer.
    known_sizes
        Presets by which a crystal has no more distinct elements than the largest that it learns from, and at least two.
    tabulated_prototypes
        Whether it decorates `PROTOTYPES` alone, so that one of them must fit into the space.
    shapes_of_known
        Whether its crystals have the crystal system, number of elements and number of sites of one that it learns from.
    unanswered
        Whether it is also given the store's materials inside the space that have no answer yet, unless it has an
        option ``file``.
    learns
        Whether a model is trained, rather than a rule or a search that reads off what is known.
    scorer
        Place of a `Scorer`, by which a gate compares two trained ones; empty where there is nothing to compare.
    reference
        The paper that it comes from.
    """

    options: str = ""
    presets: tuple[str, ...] = ()
    preset_options: str = ""
    default_unnamed: bool = False
    needs_curve: bool = False
    most_components: int | None = None
    known_sizes: tuple[str, ...] = ()
    tabulated_prototypes: bool = False
    shapes_of_known: bool = False
    unanswered: bool = False
    learns: bool = False
    scorer: str = ""
    reference: Reference | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for place in (self.options, self.scorer, self.preset_options):
            if place:
                check_place(place)

    def build(self, preset: str | None = None, options: Mapping[str, Any] | None = None) -> Any:
        """An untrained `Generator`.

        Raises
        ------
        InputError
            If it has no such preset or option.
        PluginError
            If its code cannot be imported.
        """
        given = dict(options or {})
        if preset is not None and preset not in self.presets:
            known = f"choose one of {', '.join(self.presets)}" if self.presets else "it has none, leave it out"
            raise InputError(f"{preset} is no preset of {self.name}; {known}.")
        known_options = self.option_names()
        for option in given:
            if option not in known_options:
                takes = f"known are {', '.join(known_options)}" if known_options else "it takes none"
                raise InputError(f"{option} is no option of this generator; {takes}.")
        make = self.code()
        preset = preset or self.default_preset
        first = (preset,) if self.presets else ()
        if self.preset_options:
            given = dict(code_at(self.preset_options).get(preset, {})) | given
        try:
            second = (code_at(self.options)(**given),) if self.options else ()
            return make(*first, *second)
        except TypeError as error:
            raise InputError(f"The options {dict(options or {})} of {self.name} cannot be used: {error}.") from None

    def load_trained(self, folder: Path) -> Any:
        """The trained `Generator` that `folder` holds.

        Raises
        ------
        InputError
            If the files are not what this generator writes.
        PluginError
            If its code cannot be imported.
        """
        return self.code().load(folder)

    @property
    def default_preset(self) -> str | None:
        """The preset that is taken where none is asked for; None where it has none."""
        return self.presets[-1] if self.presets and not self.default_unnamed else None

    def option_names(self) -> tuple[str, ...]:
        """Names of its options."""
        return tuple(field.name for field in fields(code_at(self.options))) if self.options else ()


GENERATORS: Final = Catalogue(
    "generators",
    GeneratorDeclaration,
    (
        "fermiloop.platform.generators.declarations",
        "fermiloop.platform.generators.ftcp.declaration",
        "fermiloop.platform.generators.imatgen.declaration",
        "fermiloop.platform.generators.ccdcgan.declaration",
        "fermiloop.platform.generators.command.declaration",
        "fermiloop.platform.search.declarations",
        "fermiloop.platform.generators.*.declaration",
    ),
)


def generator(name: str, config: Mapping[str, Any] | None = None) -> GeneratorDeclaration:
    """The declaration of a generator; see `entry_of`."""
    return entry_of(GENERATORS, name, "generator", config)
