"""How a face speaks, and what is shown of it."""

from dataclasses import dataclass
from typing import cast, get_args

from pipeline.config.params import FaceRule, WhichFace
from pipeline.runtime.errors import PipelineError

STRONGEST = 3.0
"""The highest strength: beyond it lips leave the face."""


@dataclass(frozen=True)
class Settings:
    """Of one picture's videos; raises PipelineError for those that do not go together."""

    face: WhichFace | None = None
    """Whose, where several are seen; the rule of the training without it."""
    strength: float = 1.0
    """How far the mouth opens, from 0 (not at all) to `STRONGEST`; lips that close still close."""
    blink: bool | None = None
    """Whether it blinks; without it, where the networks have learnt to close this face's eyes."""
    sway: bool = False
    """Whether the head moves a little in the photograph."""
    crop: bool = False
    """Show the face alone, as large as the networks make it."""
    panels: bool = False
    """Show landmarks, attention, paint and result side by side."""
    seed: int = 0
    """By which it blinks and sways: the same, the same."""

    def __post_init__(self) -> None:
        check_strength(self.strength)
        if self.seed < 0:
            raise PipelineError(f"seed is {self.seed}. Give one from 0 on.")
        if self.crop and self.panels:
            raise PipelineError("Panels show the face alone anyway: leave out one of both (--crop, --panels).")
        if self.sway and (self.crop or self.panels):
            raise PipelineError("The face alone does not sway: leave out sway (--head), or show the whole picture.")


def check_strength(strength: float) -> None:
    """PipelineError for a strength that is out of range."""
    if not 0 <= strength <= STRONGEST:
        raise PipelineError(f"strength is {strength:g}. Give one from 0 (the mouth stays as it is) to {STRONGEST:g}.")


def parse_face(text: str) -> WhichFace:
    """A rule, or a number from the left; PipelineError for anything else."""
    if text in get_args(FaceRule):
        return cast(FaceRule, text)
    if text.isdecimal() and int(text):
        return int(text)
    raise PipelineError(f"--face is {text}. Give one of {', '.join(get_args(FaceRule))}, or a number from the left.")
