"""The params of all corpora with their defaults."""

from dataclasses import fields
from typing import Any

import pipeline.corpora.registry  # noqa: F401 - registers them
from pipeline.corpora.base import CORPORA


def default_sections() -> dict[str, dict[str, Any]]:
    """Every corpus's section of params.yaml."""
    return {name: {field.name: field.default for field in fields(entry.params)} for name, entry in CORPORA.items()}
