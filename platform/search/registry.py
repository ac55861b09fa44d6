"""All proposers by name: the one table of generators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.generators.ccdcgan.generator import PRESETS as CCDCGAN_PRESETS
from fermiloop.platform.generators.ccdcgan.generator import Ccdcgan
from fermiloop.platform.generators.ccdcgan.options import CcdcganOptions
from fermiloop.platform.generators.command.generator import Command
from fermiloop.platform.generators.command.options import CommandOptions
from fermiloop.platform.generators.dos_composer import ComposerOptions, DosComposer
from fermiloop.platform.generators.ftcp.generator import Ftcp
from fermiloop.platform.generators.ftcp.options import PRESETS as FTCP_PRESETS
from fermiloop.platform.generators.ftcp.options import FtcpOptions
from fermiloop.platform.generators.imatgen.generator import Imatgen
from fermiloop.platform.generators.imatgen.options import ImatgenOptions
from fermiloop.platform.generators.inverse import PRESETS, check_options
from fermiloop.platform.search.enumeration import PrototypeEnumeration, PrototypeEnumerationOptions
from fermiloop.platform.search.global_search import (
    AnnealingSearch,
    BayesianSearch,
    GeneticSearch,
    GlobalSearchOptions,
    HoppingSearch,
    RandomSymmetricSearch,
    SwarmSearch,
)
from fermiloop.platform.search.pool import Pool, PoolOptions
from fermiloop.platform.search.random_pick import RandomPick, RandomPickOptions
from fermiloop.platform.search.substitution import Substitution, SubstitutionOptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fermiloop.platform.generators.protocol import Generator


@dataclass(frozen=True)
class GeneratorEntry:
    """How one generator is made.

    Parameters
    ----------
    kind
        Its class.
    options
        The dataclass of its options.
    presets
        Names of its presets, the default last; empty where there is none.
    """

    kind: type[Generator]
    options: type[Any]
    presets: tuple[str, ...] = ()

    def build(self, preset: str | None = None, options: Mapping[str, Any] | None = None) -> Generator:
        """An untrained generator.

        Raises
        ------
        InputError
            If it has no such preset or option.
        """
        options = dict(options or {})
        if preset is not None and preset not in self.presets:
            known = f"choose one of {', '.join(self.presets)}" if self.presets else "it has none, leave it out"
            raise InputError(f"{preset} is no preset of {self.kind.name}; {known}.")
        check_options(options, self.options)
        make: Any = self.kind  # the protocol says nothing of constructors
        try:
            chosen = self.options(**options)
            made: Generator = make(preset or self.presets[-1], chosen) if self.presets else make(chosen)
        except TypeError as error:
            raise InputError(f"The options {options} of {self.kind.name} do not hold: {error}.") from None
        return made


GENERATORS: Final[dict[str, GeneratorEntry]] = {
    "dos_composer": GeneratorEntry(DosComposer, ComposerOptions, tuple(PRESETS)),
    "ftcp": GeneratorEntry(Ftcp, FtcpOptions, FTCP_PRESETS),
    "imatgen": GeneratorEntry(Imatgen, ImatgenOptions),
    "ccdcgan": GeneratorEntry(Ccdcgan, CcdcganOptions, CCDCGAN_PRESETS),
    "substitution": GeneratorEntry(Substitution, SubstitutionOptions),
    "prototype_enumeration": GeneratorEntry(PrototypeEnumeration, PrototypeEnumerationOptions),
    "random_pick": GeneratorEntry(RandomPick, RandomPickOptions),
    "pool": GeneratorEntry(Pool, PoolOptions),
    "command": GeneratorEntry(Command, CommandOptions),
    "random_symmetric": GeneratorEntry(RandomSymmetricSearch, GlobalSearchOptions),
    "genetic": GeneratorEntry(GeneticSearch, GlobalSearchOptions),
    "particle_swarm": GeneratorEntry(SwarmSearch, GlobalSearchOptions),
    "annealing": GeneratorEntry(AnnealingSearch, GlobalSearchOptions),
    "minima_hopping": GeneratorEntry(HoppingSearch, GlobalSearchOptions),
    "bayesian": GeneratorEntry(BayesianSearch, GlobalSearchOptions),
}


def load_generator(name: str, folder: Path) -> Generator:
    """The trained generator that `folder` holds.

    Raises
    ------
    NotFoundError
        If there is no generator of that name.
    InputError
        If the files are not what that generator writes.
    """
    if name not in GENERATORS:
        raise NotFoundError(f"{name} is no generator; choose one of {', '.join(GENERATORS)}.")
    return GENERATORS[name].kind.load(folder)
