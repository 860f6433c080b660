"""Entries stand in the registry's order, whichever module a test imports first."""

import pipeline.evaluation.registry  # noqa: F401
