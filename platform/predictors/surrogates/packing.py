"""Models that save themselves to a folder, as a part of a greater one: config and arrays in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from fermiloop.platform.predictors.files import read_model, write_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Saved(Protocol):
    """A model that `files.write_model` wrote."""

    name: str

    def save(self, folder: Path) -> None:
        """Write it into a folder."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Any:
        """Read it from a folder."""
        ...


Model = TypeVar("Model", bound=Saved)


def packed(model: Saved) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Config and arrays of a model."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder))
        return read_model(Path(folder), model.name)


def unpacked(kind: type[Model], config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Model:
    """The model of a config and arrays."""
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder), config, arrays)
        model: Model = kind.load(Path(folder))
        return model
