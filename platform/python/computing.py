"""Computing what is handed over: crystals in, energies and densities of states out, without a campaign."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from pymatgen.core import Structure

from fermiloop.platform.app import computing as app
from fermiloop.platform.errors import InputError
from fermiloop.platform.python.connecting import connected

if TYPE_CHECKING:
    import pandas as pd

    from fermiloop.flows.evaluations.asking import Given
    from fermiloop.flows.evaluations.outcomes import Outcome

__all__ = ["Computed", "compute"]

Crystal = str | Path | Structure


class Computed(Sequence["Outcome"]):
    """What came of each crystal, in the order in which they were handed over.

    Each has ``formula``, ``handed_over``, ``state``, ``material``, ``calculation``, ``energy_per_atom`` (eV),
    ``formation_energy_per_atom`` (eV), ``gap`` (eV), ``core_seconds``, ``has_curve``, ``reason``, and ``missing``: why
    a property could not be computed, by its name.
    """

    def __init__(self, ids: Sequence[str], outcomes: Sequence[Outcome]) -> None:
        self.ids, self._outcomes = list(ids), tuple(outcomes)

    @overload
    def __getitem__(self, place: int) -> Outcome: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Outcome]: ...
    def __getitem__(self, place: int | slice) -> Outcome | Sequence[Outcome]:
        return self._outcomes[place]

    def __len__(self) -> int:
        return len(self._outcomes)

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self._outcomes)

    def __repr__(self) -> str:
        return f"<{len(self)} computed: {', '.join(f'{one.formula} {one.state}' for one in self._outcomes[:5])}>"

    def wait(self, timeout: float | None = None) -> Computed:
        """Stay until workers elsewhere have computed all, or for so many seconds; what came of each so far."""
        connected()
        return Computed(self.ids, app.wait(self.ids, timeout=timeout))

    def to_dataframe(self) -> pd.DataFrame:
        """A table with one row a crystal."""
        import pandas as pd

        return pd.DataFrame([asdict(one) for one in self._outcomes])


def compute(
    crystals: Crystal | Iterable[Crystal],
    *,
    engine: str,
    settings: Mapping[str, Any] | None = None,
    relax: bool = True,
    workers: int | None = 1,
    queue: bool = False,
    time_limit: float = app.TIME_LIMIT,
) -> Computed:
    """Compute crystals by an engine; a repeat goes on where it stopped, and pays nothing twice.

    Parameters
    ----------
    crystals
        Structure files, folders of them, ids of materials or candidates, formulas that name one stored material,
        pymatgen's crystals; one or several.
    engine
        What computes, such as ``"gpaw"``.
    settings
        Of the engine.
    relax
        Whether cell and positions are relaxed first.
    workers
        How many worker processes compute; None computes in this process.
    queue
        Whether to leave it to workers that run elsewhere, and return at once.
    time_limit
        Seconds that each step may take.

    Raises
    ------
    InputError
        If something handed over is no crystal, a setting is wrong, or the engine refuses a crystal; nothing is queued.
    UserError
        If the engine is not installed.
    StoppedError
        If the keyboard or a signal ended it; what ran was given back.
    """
    if workers is not None and workers < 1:
        raise InputError(f"{workers} workers compute nothing; ask for at least 1.")
    connected()
    if not queue:
        app.check_engine(engine)
    given = _given(crystals)
    ids = app.launch(given, engine, settings, relax=relax, time_limit=time_limit)
    return Computed(ids, app.outcomes(ids) if queue else app.run(ids, workers))


def _given(crystals: Crystal | Iterable[Crystal]) -> list[Given]:
    from fermiloop.flows.evaluations.asking import Given

    several = [crystals] if isinstance(crystals, str | Path | Structure) else list(crystals)
    found: list[Given] = []
    for one in several:
        if isinstance(one, Structure):
            found.append(Given(one, one.composition.reduced_formula))
        else:
            found += app.crystals([str(one)])
    return found
