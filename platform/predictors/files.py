"""Weights and settings of a model on disk: ``weights.safetensors`` and ``config.json``."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from fermiloop.platform.errors import FermiloopError, InputError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    import torch

V = TypeVar("V")
WEIGHTS: Final = "weights.safetensors"
CONFIG: Final = "config.json"
Config = dict[str, Any]
Arrays = dict[str, NDArray[Any]]
Packed = tuple[Config, Arrays]
MISFITS: Final = (
    FermiloopError, AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What files raise that do not fit each other."""


def to_arrays(module: torch.nn.Module, prefix: str) -> dict[str, NDArray[Any]]:
    """Parameters of a network by name."""
    return {prefix + name: value.detach().numpy() for name, value in module.state_dict().items()}


def from_arrays(module: torch.nn.Module, arrays: Mapping[str, NDArray[Any]], prefix: str) -> None:
    """Put parameters back into a network."""
    import torch  # seconds, for what has no network

    chosen = under(prefix, arrays)
    module.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in chosen.items()})


def under(prefix: str, arrays: Mapping[str, V]) -> dict[str, V]:
    """Those whose names begin with a prefix, by the rest of the name."""
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}


def write_model(folder: Path, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write both files into an existing folder."""
    save_file({name: np.ascontiguousarray(value) for name, value in arrays.items()}, folder / WEIGHTS)
    (folder / CONFIG).write_text(json.dumps(config, sort_keys=True), encoding="utf-8")


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """Config alone of what `write_model` wrote for the model `name`.

    Raises
    ------
    InputError
        If it is missing, broken, or of another model.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no readable model ({error}); train it again.") from None
    if not isinstance(config, dict) or config.get("name") != name:
        raise InputError(f"{folder} holds no model of {name}; choose the folder that {name} was saved to.")
    return config


def read_model(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Config and arrays that `write_model` wrote for the model `name`.

    Raises
    ------
    InputError
        If a file is missing, broken, or of another model.
    """
    config = read_config(folder, name)
    try:
        arrays = load_file(folder / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{folder} holds no readable model ({error}); train it again.") from None
    return config, arrays


def broken_model(folder: Path, error: Exception) -> InputError:
    """The error for files that can be read but do not fit each other."""
    return InputError(f"The model files in {folder} do not fit each other ({error}); train it again.")


class SavedModel(ABC):
    """A model that is kept as numbers and a config: a subclass says which, this writes and reads them.

    It has a `name`, by which the files are known as its own.
    """

    name: str

    @abstractmethod
    def packed(self) -> Packed:
        """Config, JSON-ready, and arrays, of which `restored` makes the same again."""

    @classmethod
    @abstractmethod
    def restored(cls, config: Config, arrays: Arrays) -> Self:
        """The model of a config and arrays; what does not fit may raise any of `MISFITS`."""

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` and ``config.json`` into an existing folder."""
        write_model(folder, *self.named())

    def named(self) -> Packed:
        """As `packed`, with the name in the config: what is written, also as a part of another model."""
        config, arrays = self.packed()
        return {"name": self.name, **config}, arrays

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; nothing in it is run or unpickled by that.

        Raises
        ------
        InputError
            If a file is missing or is not what `save` writes.
        """
        config, arrays = read_model(folder, cls.name)
        try:
            return cls.restored(config, arrays)
        except MISFITS as error:
            raise broken_model(folder, error) from None
