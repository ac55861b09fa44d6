"""The generator `command`: another program learns and proposes, in a folder of its own.

It needs no Python on the other side: `request` says what lies in the folder, `answer` what may be left in it. What the
program was is kept with every crystal. A campaign file or a checkpoint that names a program runs it, as a Makefile
does: take them from people that you trust.
"""

from __future__ import annotations

import json
import logging
import resource
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.acceptance import accept
from fermiloop.platform.generators.command import answer, lineage, model_files, request, running
from fermiloop.platform.generators.command.options import CommandOptions
from fermiloop.platform.generators.protocol import FitReport, Proposal
from fermiloop.platform.predictors.files import Arrays, Config, Packed, SavedModel
from fermiloop.platform.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet

logger = logging.getLogger("fermiloop.flows")
TRAINING: Final = "training/"
READ_PER_WANTED: Final = 10  # crystals that are read for each that is wanted, for those that lie outside of the space
SEEDS: Final = 2**32


class Command(SavedModel):
    """Proposes what another program proposes.

    Parameters
    ----------
    options
        Which program.
    """

    name = "command"

    def __init__(self, options: CommandOptions) -> None:
        self.options = options
        self.failures: Counter[str] = Counter()
        self.training: dict[str, bytes] = {}
        self.model: dict[str, bytes] = {}
        self.ids: frozenset[str] = frozenset()

    def fit(
        self,
        data: TrainingSet,
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,  # noqa: ARG002 - a program keeps no state of ours
    ) -> FitReport:
        """Keep the training set for `sample`, and let the program learn from it where the option `fit` names one.

        Raises
        ------
        InputError
            If there is no material, or the program fails, with the end of its standard error.
        """
        if not len(data):
            raise InputError("command needs at least one material; the training set is empty.")
        training, model, began = request.training_files(data), dict[str, bytes](), _processor_seconds()
        with _folder() as folder:
            words = self.options.fit or self.options.sample
            about = lineage.of(words, self.options.version, folder)
            if self.options.fit:
                request.prepare(folder, training, {}, self._request("fit", seed))
                about["seconds"] = round(self._run(self.options.fit, folder, progress), 3)
                model = model_files.collect(folder / request.MODEL, self.options.most_bytes)
        self.training, self.model, self.ids = training, model, frozenset(data.ids)
        progress(self.name, 1.0)
        about["model"] = [[name, digest] for name, digest in model_files.hashes(model).items()]
        spent = _processor_seconds() - began
        return FitReport({"model_files": float(len(model))}, (), len(data), 0, 0, spent, {"program": about})

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """At most `n` crystals of the program that lie in the space, the highest scores first.

        Raises
        ------
        InputError
            If it was not fitted, or the program fails, writes too much, or leaves files of which none is a crystal.
        """
        if not self.training:
            raise InputError("command has seen no training set; fit or load it first.")
        seed = int(rng.integers(SEEDS))
        self.failures = Counter()
        with _folder() as folder:
            request.prepare(folder, self.training, self.model, self._request("sample", seed, n))
            request.ask(folder, target, space)
            about = lineage.of(self.options.sample, self.options.version, folder)
            seconds = self._run(self.options.sample, folder)
            found = answer.read(self._out(folder), max(READ_PER_WANTED * n, READ_PER_WANTED))
        self.failures.update(found.failures)
        logger.info("%s left %d crystals in %.1f s", running.named(self.options.sample), len(found.crystals), seconds)
        if found.failures and not found.crystals:
            reasons = ", ".join(f"{number} × {reason}" for reason, number in found.failures.most_common(5))
            raise InputError(f"The command {running.named(self.options.sample)} left no crystal in out/: {reasons}.")
        if not found.crystals:
            self.failures["a program that left no crystal in out/"] += 1
        return self._proposals(found.crystals, target, space, n, {**about, "seed": seed})

    def packed(self) -> Packed:
        """What is kept of it: the training set and the program's files, as bytes."""
        if not self.training:
            raise InputError("command has seen no training set; fit or load it first.")
        config = {
            "options": asdict(self.options),
            "ids": sorted(self.ids),
            "hashes": model_files.hashes(self.model),
        }
        kept = model_files.as_arrays(self.training, TRAINING) | model_files.as_arrays(self.model, model_files.MODEL)
        return json.loads(json.dumps(config)), kept

    @classmethod
    def restored(cls, config: Config, arrays: Arrays) -> Command:
        """The same out of what `packed` gave."""
        made = cls(CommandOptions(**config["options"]))
        made.training = model_files.from_arrays(arrays, TRAINING)
        made.model = model_files.from_arrays(arrays, model_files.MODEL)
        made.ids = frozenset(map(str, config["ids"]))
        made._check(config["hashes"])
        return made

    def _check(self, hashes: dict[str, str]) -> None:
        if set(self.training) != {request.TRAINING, request.CURVES}:
            raise InputError("the training set is missing")
        if model_files.hashes(self.model) != hashes:
            raise InputError("the model's files are not those that were saved")

    def _request(self, task: str, seed: int, n: int | None = None) -> dict[str, Any]:
        return {"task": task, "n": n, "seed": seed, "time_limit": self.options.time_limit}

    def _run(self, words: tuple[str, ...], folder: Path, progress: Callable[[str, float], None] | None = None) -> float:
        bounds = running.Bounds(self.options.time_limit, self.options.most_bytes)
        tell = None if progress is None else lambda share: progress(self.name, share)
        return running.run(words, folder, bounds, tell)

    def _out(self, folder: Path) -> Path:
        """The folder of answers, which the program may have replaced.

        Raises
        ------
        InputError
            If it is a link or gone.
        """
        out = folder / request.OUT
        if out.is_symlink() or not out.is_dir():
            raise InputError(f"The command {running.named(self.options.sample)} has put something else in place of "
                             "its folder out/; leave crystals in it.")  # fmt: skip
        return out

    def _proposals(
        self, crystals: list[answer.Found], target: Target, space: Space, n: int, about: dict[str, Any]
    ) -> list[Proposal]:
        """The best crystals that may be proposed; why the others may not is counted."""
        made: list[Proposal] = []
        for one in sorted(crystals, key=lambda found: (-found.score, found.name)):
            if len(made) == n:
                break
            crystal = accept(one.structure, target, space)
            if isinstance(crystal, str):
                self.failures[crystal] += 1
                continue
            parent = one.parent if one.parent in self.ids else None
            made.append(Proposal(crystal, one.score, None, parent, {"name": one.name, "program": about}))
        return made


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of one run, in the data directory, where there is room."""
    above = settings().data_dir.expanduser() / "commands"
    above.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=above))
    try:
        yield folder.resolve()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _processor_seconds() -> float:
    """Processor time of this process and of all children that have ended."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found)
