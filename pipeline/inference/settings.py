"""The public import path of the generation settings."""

from pipeline.config.generation import SETTINGS, STRONGEST, Settings, parse_face

__all__ = ["SETTINGS", "STRONGEST", "Settings", "parse_face"]
