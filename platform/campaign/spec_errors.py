"""A pydantic error told as one sentence: key, value, and what would be right."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

MUST_BE: Final = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "tuple_type": "a list in square brackets",
    "finite_number": "a finite number",
    "string_too_short": "text that is not empty",
    "string_too_long": "at most {max_length} letters long",
    "greater_than": "greater than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "too_short": "at least {min_length} long",
    "too_long": "at most {max_length} long",
}
MOST_LETTERS: Final = 60


def sentence(error: ValidationError, model: type[BaseModel], source: str) -> str:
    """The first mistake of `error`, in one sentence; an unknown key comes before the rest."""
    errors = error.errors()
    # a misspelt key also makes a missing one: the misspelling is the cause
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    said = f"{source}: {_clause(first, model)}"
    return said if said.endswith((".", "?")) else f"{said}."


def _clause(error: ErrorDetails, model: type[BaseModel]) -> str:
    path, kind, value = key_path(error["loc"]), error["type"], error["input"]
    if kind == "extra_forbidden":
        return _unknown_key(error["loc"], model)
    if kind == "missing" and isinstance(error["loc"][-1], int):
        return f"{key_path(error['loc'][:-1])} is too short, but must have two numbers, such as [1, 2]"
    if kind == "missing":
        return f"the key {path} is missing; it gives {_description(error['loc'], model)}"
    if kind == "value_error":
        message = str(error.get("ctx", {}).get("error", error["msg"]))
        if isinstance(value, dict) and not message.startswith("holds"):
            return message  # a check over several keys names them itself
        return f"{path}, {shown(value)}, {message}"
    wanted = MUST_BE.get(kind)
    if wanted is None:
        return f"{path} is {shown(value)}, which is invalid: {error['msg']}"
    return f"{path} is {shown(value)}, but must be {wanted.format(**error.get('ctx', {}))}"


def key_path(loc: Sequence[str | int]) -> str:
    """``("generators", 0, "name")`` as ``generators[0].name``."""
    path = ""
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.lstrip(".")


def shown(value: Any) -> str:
    """A value as the file writes it, cut where it is long."""
    plain = {True: "true", False: "false", None: "empty"}
    text = plain[value] if value is None or isinstance(value, bool) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"


def _unknown_key(loc: Sequence[str | int], model: type[BaseModel]) -> str:
    known = list(_model_at(loc[:-1], model).model_fields)
    near = difflib.get_close_matches(str(loc[-1]), known, n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]}?" if near else f"known here are {', '.join(known)}."
    return f"{key_path(loc)} is no known key; {remedy}"


def _description(loc: Sequence[str | int], model: type[BaseModel]) -> str:
    field = _model_at(loc[:-1], model).model_fields[str(loc[-1])]
    return field.description or "what it says"


def _model_at(loc: Sequence[str | int], model: type[BaseModel]) -> type[BaseModel]:
    """The model whose mapping stands at `loc`."""
    for part in loc:
        if isinstance(part, str):
            model = _model_in(model.model_fields[part].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)
