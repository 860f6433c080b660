"""Rejects requests to a served bundle that have unknown params, columns or keys.

MLflow ignores unknown names and only logs them on the server. It has no setting for this, so the three functions that
read and check a request are wrapped, for bundles only.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import wraps
from typing import Any, NoReturn

import pandas as pd

from pipeline.config.generation import Settings

COLUMNS = ("picture", "speech")
PARAMS = tuple(field.name for field in fields(Settings))


def refuse_unknown_names(loader: str) -> None:
    """Make MLflow reject unknown names in requests to models of the module ``loader``, in this process."""
    import mlflow.pyfunc
    from mlflow.exceptions import MlflowException
    from mlflow.pyfunc import scoring_server as server

    scoring_server: Any = server  # has no types

    def ours(arguments: Mapping[str, Any]) -> bool:
        return bool(arguments["metadata"].flavors.get("python_function", {}).get("loader_module") == loader)

    def before_json(arguments: Mapping[str, Any]) -> None:
        if ours(arguments):
            try:
                body = scoring_server._decode_json_input(arguments["data"])
            except MlflowException as error:
                error.message = error.message.partition("\nInput:")[0]  # not the whole body
                raise
            _check("key", body, (*sorted(scoring_server.SUPPORTED_FORMATS), "params"))
            split = body.get("dataframe_split")
            _check_once(split.get("columns") if isinstance(split, Mapping) else None)

    def in_json(arguments: Mapping[str, Any], parsed: Any) -> None:
        if ours(arguments):
            _check_request(parsed.data, parsed.params)

    def in_csv(arguments: Mapping[str, Any], parsed: pd.DataFrame) -> None:
        schema = arguments["schema"]
        if schema is not None and tuple(schema.input_names()) == COLUMNS:
            _check_request(parsed, None)

    def in_prediction(arguments: Mapping[str, Any], checked: Any) -> None:
        if arguments["flavor"] == loader:
            _check_request(arguments["data"], arguments["params"])

    _wrap(scoring_server, "_parse_json_data", in_json, before_json)
    _wrap(scoring_server, "parse_csv_input", in_csv)
    _wrap(scoring_server, "parse_parquet_input", lambda arguments, parsed: None)  # `in_prediction` checks the columns
    _wrap(mlflow.pyfunc, "_validate_prediction_input", in_prediction)


def _wrap(
    module: Any,
    name: str,
    check: Callable[[Mapping[str, Any], Any], None],
    before: Callable[[Mapping[str, Any]], None] = lambda arguments: None,
) -> None:
    """Call ``before`` with the arguments of a function of MLflow, and ``check`` also with its result."""
    from mlflow.exceptions import MlflowException

    function = getattr(module, name)
    if hasattr(function, "__wrapped__"):  # wrapped already
        return
    signature = inspect.signature(function)

    @wraps(function)
    def checked(*args: Any, **named: Any) -> Any:
        bound = signature.bind(*args, **named)
        bound.apply_defaults()
        before(bound.arguments)
        try:
            result = function(*args, **named)
        except MlflowException as error:
            error.json_kwargs.pop("stack_trace", None)  # not for the client
            raise
        check(bound.arguments, result)
        return result

    setattr(module, name, checked)


def _check_request(data: Any, params: Mapping[str, Any] | None) -> None:
    try:
        table = data if hasattr(data, "columns") or isinstance(data, Mapping) else pd.DataFrame(data)
    except (TypeError, ValueError):  # such as a text
        _refuse(f"The request has no table. Give {' and '.join(COLUMNS)}.")
    columns = list(table.columns if hasattr(table, "columns") else table)
    _check("column", columns, COLUMNS)
    if missing := [name for name in COLUMNS if name not in columns]:
        _refuse(f"The column {', '.join(missing)} is missing. Give {' and '.join(COLUMNS)}.")
    _check_once(columns)
    if isinstance(params, Mapping):
        _check("param", params, PARAMS)


def _check_once(columns: Any) -> None:
    if isinstance(columns, list) and len(columns) > len(set(map(str, columns))):
        _refuse(f"A column is there twice. Give {' and '.join(COLUMNS)} once each.")


def _check(kind: str, names: Iterable[Any], known: tuple[str, ...]) -> None:
    if unknown := [str(name)[:100] for name in names if name not in known]:
        _refuse(f"Unknown {kind}: {', '.join(unknown)}. Allowed are {', '.join(known)}.")


def _refuse(message: str) -> NoReturn:
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

    raise MlflowException(message, INVALID_PARAMETER_VALUE)
