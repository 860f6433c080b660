"""Nested params and metrics as MLflow keeps them: flat, with dotted names."""

import re
from collections.abc import Mapping
from numbers import Real
from typing import Any

REFUSED = re.compile(r"[^\w\-. :/]", re.ASCII)
"""Characters that MLflow takes in no name; one such name would cost the whole request."""


def flatten(nested: Mapping[str, Any]) -> dict[str, Any]:
    """`{"vgnet": {"lr": 1}}` as `{"vgnet.lr": 1}`; characters that MLflow refuses in names become `_`."""
    flat: dict[str, Any] = {}
    for name, value in nested.items():
        key = clean(str(name))
        if isinstance(value, Mapping):
            flat.update({f"{key}.{inner}": leaf for inner, leaf in flatten(value).items()})
        else:
            flat[key] = list(value) if isinstance(value, tuple) else value
    return flat


def numbers(nested: Mapping[str, Any]) -> dict[str, float]:
    """The numbers among nested metrics, flat; text, lists and None are left out."""
    return {name: float(value) for name, value in flatten(nested).items() if isinstance(value, Real)}


def clean(name: str) -> str:
    """`name` with `_` for what MLflow refuses."""
    return REFUSED.sub("_", name)
