"""Ranges of parameters, declared on the fields of params.yaml's dataclasses and checked by their base class `Section`.

steps: Annotated[int, Range(1)] = 600
dropout: Share = 0.0
"""

import typing
from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class Range:
    """The numbers from ``low`` to ``high``, both included unless ``above`` or ``below`` exclude them."""

    low: float
    high: float | None = None
    above: bool = False
    """Excludes ``low``."""
    below: bool = False
    """Excludes ``high``."""
    multiple: int | None = None
    unit: str = ""
    note: str = ""
    """What a limit means, such as ``0: all``; for the message."""

    def holds(self, value: float) -> bool:
        """Whether ``value`` is in the range."""
        high = float("inf") if self.high is None else self.high
        low_holds = value > self.low if self.above else value >= self.low
        high_holds = value < high if self.below else value <= high
        return low_holds and high_holds and (self.multiple is None or value % self.multiple == 0)

    def __str__(self) -> str:
        """For example ``0 to 40 dB``, ``at least 1`` or ``above 0 and below 1``."""
        text = f"above {self.low}" if self.above else f"at least {self.low}"
        if self.high is not None and not (self.above or self.below):
            text = f"{self.low} to {self.high}"
        elif self.high is not None:
            text += f" and {'below' if self.below else 'at most'} {self.high}"
        multiple = f"a multiple of {self.multiple}, " if self.multiple else ""
        return f"{multiple}{text}{self.unit and ' ' + self.unit}{self.note and f' ({self.note})'}"


Share = Annotated[float, Range(0, 1)]
"""0 to 1."""
Positive = Annotated[float, Range(0, above=True)]
NotNegative = Annotated[float, Range(0)]
Count = Annotated[int, Range(0)]
"""A whole number that may be 0."""
AtLeastOne = Annotated[int, Range(1)]


class Section:
    """Base of the dataclasses of params.yaml: checks the ranges that are declared on their fields."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the key, its range and its value, for a value out of its range."""
        for name, limits in _ranges(type(self)).items():
            value = getattr(self, name)
            require(limits.holds(value), f"{name} must be {limits}; it is {value!r}")


def require(condition: bool, message: str) -> None:
    """Raise the ValueError that `pipeline.config.file` turns into a message with the section in front."""
    if not condition:
        raise ValueError(message)


def _ranges(kind: type) -> dict[str, Range]:
    hints = typing.get_type_hints(kind, include_extras=True)
    found = {name: getattr(hint, "__metadata__", ()) for name, hint in hints.items()}
    return {name: extra[0] for name, extra in found.items() if extra and isinstance(extra[0], Range)}
