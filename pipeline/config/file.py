"""Read params.yaml into `pipeline.config.params.Params`, with errors that name the key."""

import contextlib
import dataclasses
import json
import math
import sys
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pipeline.config.params import Params
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

RENAMED = {f"{network}.patience": f"{network}.early_stopping" for network in ("atnet", "vgnet")}
"""Present names of keys by their earlier names, which are still read."""


def load_params(path: StrPath) -> Params:
    """Read and check params.yaml, or its ``.json`` form by `dump_params`, for machines without PyYAML.

    Raises PipelineError naming the file or the key if the file is missing or invalid, or if a key is unknown (with the
    nearest known one), missing, of a wrong type or out of its range.
    """
    path = Path(path)
    parse: Callable[[str], object] = json.loads
    faults: type[Exception] = ValueError
    if path.suffix == ".json":
        kind, repair = "JSON", "Write it again with `atvgnet params`."
        source = f"Write it with `atvgnet params > {path.name}` where the whole environment is installed"
        restore = f"{source}, and copy it into the project's folder here."
    else:
        import yaml

        kind, parse, faults, repair = "YAML", yaml.safe_load, yaml.YAMLError, "Fix that line."
        restore = f"Run from the project's folder, or restore it with `git checkout {path}`."
    try:
        tree = parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PipelineError("is missing", subject=path, advice=restore) from error
    except (UnicodeDecodeError, faults) as error:
        raise PipelineError(f"is not valid {kind}: {error}", subject=path, advice=repair) from error
    return build(Params, tree, "")


def dump_params(params: Params) -> str:
    """All params as JSON, which `load_params` reads back."""
    return json.dumps(dataclasses.asdict(params), indent=2)


T = TypeVar("T")


def _section(tree: object, where: str) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise PipelineError(f"{where or 'params.yaml'} must be a section of keys, not {tree!r}. Restore its keys.")
    return tree


def build(kind: type[T], tree: object, where: str) -> T:
    """The dataclass ``kind`` with the values of the section ``tree``; ``where`` is its name in the file, for errors."""
    tree = _section(tree, where)
    hints = typing.get_type_hints(kind)
    tree = {_renamed(str(key), tree, where): value for key, value in tree.items()}
    for key in tree:
        if key not in hints:
            raise PipelineError(f"{_join(where, key)} is not a param. {advice(str(key), list(hints))}")
    values = {}
    for name, hint in hints.items():
        if name not in tree:
            raise PipelineError(f"{_join(where, name)} is missing from params.yaml. Add it; {_described(hint)}.")
        values[name] = _value(hint, tree[name], _join(where, name))
    try:
        return kind(**values)
    except ValueError as error:
        raise PipelineError(f"{_join(where, error)}. Change it in params.yaml or with -S.") from error


def _renamed(key: str, tree: Mapping[Any, object], where: str) -> str:
    """The present name of a key; prints a message if the file has the earlier name."""
    old = _join(where, key)
    new = RENAMED.get(old)
    if new is None or new.rpartition(".")[2] in tree:
        return key
    print(f"params: {old} is now called {new}; its value is read. Rename it in params.yaml.", file=sys.stderr)
    return new.rpartition(".")[2]


def _join(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def advice(key: str, known: list[str]) -> str:
    """Advice about an unknown name: the nearest known one, or all."""
    return guess(key, known) or f"Known here: {', '.join(known)}."


def guess(key: str, known: list[str]) -> str:
    """The nearest known name, as a question; empty if none is near."""
    import difflib

    near = difflib.get_close_matches(key, known, n=1)
    return f"Did you mean {near[0]}?" if near else ""


def _value(hint: Any, value: object, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return build(typing.cast(type, hint), value, where)
    origin = typing.get_origin(hint)
    if origin is Literal:
        if value not in (known := typing.get_args(hint)):
            fault = f"{where} is {value!r}; it must be one of {', '.join(map(str, known))}"
            raise PipelineError(f"{fault}. {guess(str(value), [*map(str, known)])}".rstrip())
        return value
    if origin is Mapping:  # the sections of corpora, which `pipeline.corpora.registry` checks
        return {name: _section(section, f"{where}.{name}") for name, section in _section(value, where).items()}
    if origin is tuple:
        (inner, _) = typing.get_args(hint)
        if not isinstance(value, list | tuple):
            raise PipelineError(f"{where} is {value!r}; it must be a list, such as [a, b] or [].")
        return tuple(_value(inner, item, f"{where}[{number}]") for number, item in enumerate(value))
    if origin is types.UnionType or origin is typing.Union:
        if value is None:
            return None
        (hint,) = (choice for choice in typing.get_args(hint) if choice is not type(None))
        return _value(hint, value, where)
    return _scalar(hint, value, where)


def _scalar(hint: type, value: object, where: str) -> object:
    if hint is float and isinstance(value, str):
        # PyYAML (YAML 1.1) reads 2e-4 as text; DVC's own loader (YAML 1.2) reads it as a number, and so do we.
        with contextlib.suppress(ValueError):
            value = float(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not hint or (isinstance(value, float) and not math.isfinite(value)):
        raise PipelineError(f"{where} is {value!r}; it must be {_described(hint)}.")
    return value


def _described(hint: Any) -> str:
    names = {int: "a whole number", float: "a number, such as 0.5 or 2e-4", str: "a text", bool: "true or false"}
    return names.get(hint, "see params.yaml in the repository's last commit")
