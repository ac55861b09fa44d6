"""YAML as campaign files write it: a safe subset, with every mistake told in one sentence.

Beyond ``yaml.SafeLoader``: a key may stand once in a mapping, anchors and aliases are refused (they
let a short file unfold without bound), ``1e-3`` is a number, and only ``true`` and ``false`` are
truth values, so that the elements N, No and Y stay text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from fermiloop.platform.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

MOST_BYTES: Final = 1_000_000
FLOAT: Final = re.compile(r"^[-+]?(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$")
BOOLEAN: Final = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")


class _Loader(yaml.SafeLoader):
    """SafeLoader without aliases and without repeated keys."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(None, None, "aliases (*name) are not allowed", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be text", key.start_mark)
            if key.value in seen:
                problem = f"the key {key.value!r} stands twice in one mapping, keep one of them"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", BOOLEAN, list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, list("-+0123456789."))


def read_text(path: Path) -> str:
    """Text of a campaign file.

    Raises
    ------
    SpecError
        If there is no such file, it is a folder, too large, unreadable, or not UTF-8 text.
    """
    if path.is_dir():
        raise SpecError(f"{path} is a folder; name the campaign's YAML file in it.")
    if not path.exists():
        raise SpecError(f"There is no campaign file {path}; check the path, or start from one of examples/.")
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise SpecError(f"{path} has {size} bytes; a campaign file has at most {MOST_BYTES}.")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SpecError(f"{path} is no text in UTF-8; a campaign is a YAML text file.") from None
    except OSError as error:
        raise SpecError(f"{path} cannot be read ({error.strerror}); check its permissions.") from None
    if "\0" in text:
        raise SpecError(f"{path} is a binary file; a campaign is a YAML text file.")
    return text


def load_mapping(text: str, source: str) -> dict[str, Any]:
    """The mapping that a YAML text holds.

    Parameters
    ----------
    source
        What to call the text in errors.

    Raises
    ------
    SpecError
        If the text is empty, no YAML, holds a key twice, an alias, or anything but one mapping.
    """
    tree = load_value(text, source)
    if tree is None:
        raise SpecError(f"{source} is empty; a campaign needs at least name, target, space, generators and budget.")
    if not isinstance(tree, dict):
        kind = "a list" if isinstance(tree, list) else f"only {str(tree)[:40]!r}"
        raise SpecError(f"{source} holds {kind} where a mapping of keys such as name, target and budget must be.")
    return tree


def load_value(text: str, source: str) -> Any:
    """What a YAML text holds, such as the value of one key; None where it is empty.

    Parameters
    ----------
    source
        What to call the text in errors.

    Raises
    ------
    SpecError
        If the text is no YAML, holds a key twice, or an alias.
    """
    try:
        # _Loader is a SafeLoader: it constructs plain data only
        return yaml.load(text, Loader=_Loader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SpecError(f"{source} is not valid YAML{where}: {_flat(error.problem or error.context)}.") from None
    except (yaml.YAMLError, ValueError) as error:
        raise SpecError(f"{source} is not valid YAML: {_flat(str(error))}.") from None
    except RecursionError:
        raise SpecError(f"{source} is nested too deeply to be a campaign; see docs/campaigns.md.") from None


def _flat(text: str | None) -> str:
    return " ".join((text or "unknown problem").split()).rstrip(".").replace(". ", "; ")
