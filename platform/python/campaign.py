"""A campaign, from its file to its report."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.app import campaigns as app
from fermiloop.platform.errors import InputError
from fermiloop.platform.python import candidates
from fermiloop.platform.python.connecting import connected

if TYPE_CHECKING:
    from fermiloop.platform.campaign.reported import Summary
    from fermiloop.platform.campaign.spec import CampaignSpec

Progress = Callable[[str, float], None]
LIBRARIES: Final = r"(jobflow|maggma|monty|pymatgen|atomate2|emmet|fireworks|ase|chgnet|torch|smact|sklearn)(\.|$)"


class Campaign:
    """One campaign: made of a mapping or a file, or opened by its name.

    Examples
    --------
    >>> import fermiloop
    >>> campaign = fermiloop.Campaign.from_file("pd-like.yaml")  # doctest: +SKIP
    >>> campaign.launch().candidates(stage="evaluated").to_dataframe()  # doctest: +SKIP
    """

    def __init__(self, name: str, file: app.CampaignFile | None = None) -> None:
        self.name, self._file = name, file

    def __repr__(self) -> str:
        return f"<campaign {self.name}>"

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any], folder: str | Path = ".") -> Campaign:
        """The campaign of a mapping with the keys of a campaign file, see docs/campaigns.md.

        Parameters
        ----------
        tree
            Keys and values.
        folder
            Where files lie that it names.

        Raises
        ------
        SpecError
            If it is invalid: one sentence with key, value and what would be right.
        """
        import yaml

        from fermiloop.platform.campaign.spec import parse_spec

        text = str(yaml.safe_dump(_plain(tree), sort_keys=False, allow_unicode=True))
        spec = parse_spec(text, folder=Path(folder))
        return cls(spec.name, app.CampaignFile(spec, text))

    @classmethod
    def from_file(cls, path: str | Path) -> Campaign:
        """The campaign of a YAML file.

        Raises
        ------
        SpecError
            If the file cannot be read or is invalid.
        """
        file = app.load(Path(path))
        return cls(file.spec.name, file)

    @classmethod
    def open(cls, name: str) -> Campaign:
        """A campaign that was launched, here or elsewhere.

        Raises
        ------
        NotFoundError
            If it is not in the store.
        """
        connected()
        return cls(str(app.get(name).id))

    @property
    def spec(self) -> CampaignSpec:
        """What the campaign file says, its defaults filled in."""
        if self._file is not None:
            return self._file.spec
        from fermiloop.flows.campaigns.steps import spec_of

        connected()
        return spec_of(self.name)

    @property
    def state(self) -> str:
        """``"running"``, ``"paused"``, ``"finished"``, ``"failed"`` or ``"cancelled"``.

        Raises
        ------
        NotFoundError
            If it was not launched.
        """
        connected()
        return str(app.get(self.name).state)

    def validate(self) -> list[str]:
        """Everything that stands in the way of a launch, a sentence each; empty where nothing does."""
        connected()
        return [f"{one.key}: {one.text}" for one in app.check(self.spec).problems]

    def plan(self, workers: int = 1) -> dict[str, Any]:
        """What the rounds would do and cost, by what the store has measured; core-seconds. Nothing is stored.

        Raises
        ------
        InputError
            If something stands in the way that the costs are asked by; `validate` tells everything.
        """
        connected()
        return asdict(app.plan(self.spec, workers))

    def launch(self, *, workers: int | None = None, queue: bool = False, progress: Progress | None = None) -> Campaign:
        """Run it to its end, and give it back; launched again, it goes on where it stopped.

        Parameters
        ----------
        workers
            Worker processes that compute; without a number this process does.
        queue
            Leave it to workers that run already, here or elsewhere, and return at once; `wait` stays until its end.
        progress
            Told what is done and the share of the budget that is spent.

        Raises
        ------
        UserError
            If the engine is not installed, another campaign bears the name, or this one is paused.
        InputError
            If it cannot work, or was opened by its name and so has no file.
        StoppedError
            If the keyboard or a signal ended it.
        """
        if self._file is None:
            raise InputError(f"{self.name} was opened by its name; launch it from its file or mapping.")
        if queue and workers is not None:
            raise InputError("workers and queue exclude each other; give one of them.")
        connected()
        if queue:
            app.enqueue(self._file)
        else:
            with calm():
                app.launch(self._file, workers=workers, progress=progress)
        return self

    def wait(self, timeout: float | None = None) -> str:
        """Stay until it has ended, or for so many seconds; its state then.

        Raises
        ------
        NotFoundError
            If it was not launched.
        """
        connected()
        return str(app.wait(self.name, timeout=timeout))

    def status(self) -> dict[str, Any]:
        """State, newest round and number of candidates by stage, at this moment.

        Raises
        ------
        NotFoundError
            If it was not launched.
        """
        connected()
        return dict(app.look(self.name))

    def report(self, html: str | Path | None = None) -> Summary:
        """The report as data: rounds, funnel, hits beside the baseline, cost, the best candidate.

        Parameters
        ----------
        html
            Folder that pictures and a page are written into as well.

        Raises
        ------
        NotFoundError
            If it was not launched.
        """
        connected()
        summary = app.summary(self.name)
        if html is not None:
            from fermiloop.platform.report.html import write_report

            write_report(summary, Path(html))
        return summary

    def candidates(self, **filters: Any) -> candidates.Candidates:
        """Its candidates, by the filters of `fermiloop.candidates.find`."""
        return candidates.find(campaign=self.name, **filters)

    def pause(self) -> None:
        """Take no new work; evaluations that have begun go on to their end.

        Raises
        ------
        UserError
            If it is not running.
        """
        connected()
        app.pause(self.name)

    def resume(self) -> None:
        """Let it go on where it was paused, or at the round in which it failed.

        Raises
        ------
        UserError
            If it is not paused, and has not failed so.
        """
        connected()
        app.resume(self.name)

    def cancel(self, *, wait: bool = False) -> None:
        """End it; all results are kept.

        Parameters
        ----------
        wait
            Let evaluations that run come to their end, and stay until they have.

        Raises
        ------
        UserError
            If it has ended.
        """
        connected()
        app.cancel(self.name, wait=wait)
        if wait:
            app.await_idle(self.name)

    def export(self, path: str | Path, *, progress: Progress | None = None) -> Path:
        """Write the campaign with its data, checkpoints and licences into one file; the file.

        Parameters
        ----------
        path
            Ends in ``.tar.gz``; ``fermiloop db load`` and `fermiloop.database.load` take it into another database.

        Raises
        ------
        NotFoundError
            If it was not launched.
        InputError
            If the file's name ends otherwise.
        """
        connected()
        file = Path(path)
        app.export(self.name, file, progress)
        return file

    def clone(self, name: str) -> Campaign:
        """The same campaign under another name, not launched.

        Raises
        ------
        SpecError
            If the name is invalid.
        """
        import yaml

        connected()
        return type(self).from_dict(yaml.safe_load(app.clone(self.name, name)))


@contextmanager
def calm() -> Iterator[None]:
    """Without the warnings of libraries to those who call them, which are us."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=LIBRARIES)
        yield


def _plain(value: Any) -> Any:
    """The same in YAML's own types: tuples as lists, numbers of numpy as numbers."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(inner) for inner in value]
    return value.tolist() if hasattr(value, "tolist") else value
