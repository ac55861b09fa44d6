"""Every benchmark by name: the one table of them."""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fermiloop.platform.bench.splits import Parts
    from fermiloop.platform.representations.training import TrainingSet


@dataclass(frozen=True)
class Bench:
    """One benchmark.

    Parameters
    ----------
    title
        What its table shows.
    source
        The paper whose figures stand in it.
    module
        Where its ``run_bench(data, quick, seed, progress)`` lies; imported when it is run, since torch and the
        packages of the searches take seconds. Where something is learned and tested, there is a ``held_out`` as well.
    no_test_part
        Why nothing of it is measured on crystals that were held out, where that is so.
    of_library
        Whether it is measured on curves, which a file of crystals has not: run with all others, it takes the library
        that is shipped.
    of_curves
        Whether it is measured on curves alone, and so takes those of every Method that is shipped; their energies
        would not go together.
    """

    title: str
    source: str
    module: str
    no_test_part: str = ""
    of_library: bool = False
    of_curves: bool = False

    def held_out(self, crystals: TrainingSet, *, quick: bool, seed: int) -> list[Parts]:
        """What its figures of held-out crystals are learned from and measured on; empty where there are none.

        Raises
        ------
        InputError
            If the crystals do not suit.
        """
        if self.no_test_part:
            return []
        found: list[Parts] = importlib.import_module(self.module).held_out(crystals, quick, seed)
        return found

    def run(
        self, data: Path | Sequence[Path], *, quick: bool, seed: int, progress: Callable[[str, float], None]
    ) -> dict[str, Any]:
        """Rows of its table, what they were measured on and how long it took.

        Raises
        ------
        InputError
            If the file does not suit, or it takes one and several are given.
        """
        began = time.perf_counter()
        found: dict[str, Any] = importlib.import_module(self.module).run_bench(data, quick, seed, progress)
        return {"title": self.title, "source": self.source, "seconds": time.perf_counter() - began} | found


BENCHES: Final[dict[str, Bench]] = {
    "dos": Bench(
        "Composition from a density of states",
        "Bang et al., J. Mater. Chem. A 12, 6004 (2024)",
        "fermiloop.platform.bench.dos",
        of_curves=True,
    ),
    "ftcp": Bench(
        "FTCP: representation, reconstruction, designs",
        "Ren et al., Matter 5, 314 (2022)",
        "fermiloop.platform.bench.ftcp",
    ),
    "imatgen": Bench(
        "iMatGen: images, autoencoder, V-O", "Noh et al., Matter 1, 1370 (2019)", "fermiloop.platform.bench.imatgen"
    ),
    "rediscovery": Bench(
        "iMatGen: held-out compounds found again, relaxed, beside the simplest methods",
        "Noh et al., Matter 1, 1370 (2019)",
        "fermiloop.platform.bench.imatgen_rediscovery",
    ),
    "ccdcgan": Bench(
        "CCDCGAN: reproduction, constraint", "Long et al., multicomponent CCDCGAN", "fermiloop.platform.bench.ccdcgan"
    ),
    "ccdcgan-systems": Bench(
        "CCDCGAN on binary systems: relaxed, hull",
        "Long et al., multicomponent CCDCGAN",
        "fermiloop.platform.bench.ccdcgan_systems",
        "what is made is judged by a potential; the systems' own compounds are kept from the network",
    ),
    "search": Bench(
        "Global optimisation at equal oracle calls",
        "Noh et al., Chem. Sci. 11, 4871 (2020)",
        "fermiloop.platform.bench.search",
        "nothing is learned",
    ),
    "systems": Bench(
        "Chemical systems at equal oracle calls, and under pressure",
        "Noh et al., Chem. Sci. 11, 4871 (2020)",
        "fermiloop.platform.bench.systems",
        "systems are searched; their compounds are left out of what the generator learns from",
        of_library=True,
    ),
    "featurise": Bench(
        "Representations: invertible? invariant? how fast?",
        "Noh et al., Chem. Sci. 11, 4871 (2020), Table 1",
        "fermiloop.platform.bench.featurise",
        "nothing is learned",
    ),
    "predictors": Bench(
        "Predictors and their uncertainty",
        "Noh et al., Chem. Sci. 11, 4871 (2020)",
        "fermiloop.platform.bench.predictors",
    ),
    "curves": Bench(
        "The composer on another curve",
        "Bang et al., J. Mater. Chem. A 12, 6004 (2024)",
        "fermiloop.platform.bench.curves",
    ),
    "funnel": Bench(
        "Virtual screening: recall and enrichment",
        "Noh et al., Chem. Sci. 11, 4871 (2020)",
        "fermiloop.platform.bench.funnel",
    ),
    "synthesizability": Bench(
        "Synthesizability learned from ICSD labels",
        "Elkan and Noto, KDD (2008); the classifier after Ren et al., Matter 5, 314 (2022)",
        "fermiloop.platform.bench.synthesizability",
    ),
    "cross": Bench(
        "All strategies, one target, one budget",
        "Noh et al., Chem. Sci. 11, 4871 (2020)",
        "fermiloop.platform.bench.cross",
        "what is proposed is judged by the oracle; formulas of the training set do not count",
    ),
    "replay": Bench(
        "Replay: hits of every strategy beside chance",
        "plain baselines measured before, 3 seeds on 5,000 of these crystals",
        "fermiloop.platform.bench.replay",
        "a pool is searched, and every answer is known once it has been asked for",
    ),
    "potentials": Bench(
        "Potentials: stability, volumes, core-seconds",
        "the protocol is that of Matbench Discovery, Riebesell et al., Nat. Mach. Intell. 7, 836 (2025)",
        "fermiloop.platform.bench.potentials",
        "potentials come trained, on crystals of the Materials Project: its crystals are not held out",
    ),
    "loop": Bench(
        "The closed loop on recorded curves and labels",
        "median acceleration of autonomous laboratories: 6, Adesiji et al., Digital Discovery (2025)",
        "fermiloop.platform.bench.loop",
        "a pool is searched, and every answer is known once it has been asked for",
    ),
}
