"""The settings of generated videos: names, types, defaults, ranges and help.

The command's options, the columns of `--batch` tables, the fields of the web page and the parameters of a served bundle
all derive from `Settings`.
"""

from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple, cast, get_args

from pipeline.config.params import FaceRule, WhichFace
from pipeline.runtime.errors import PipelineError

STRONGEST = 3.0
"""The highest strength. Beyond it lips leave the face."""


class SettingInfo(NamedTuple):
    """The description of a setting for user interfaces."""

    kind: Literal["face", "number", "whole number", "flag"]
    help: str
    option: str = ""
    """Name of the command's option and of the column in a batch table, if it is not the field's."""


def _info(kind: Literal["face", "number", "whole number", "flag"], text: str, option: str = "") -> dict[str, Any]:
    return {"info": SettingInfo(kind, text, option)}


@dataclass(frozen=True)
class Settings:
    """How the face of one picture speaks, and what the video shows. `SETTINGS` describes each field.

    Raises PipelineError for a value out of range, and for settings that exclude each other.
    """

    face: WhichFace | None = field(
        default=None,
        metadata=_info(
            "face",
            "Which of several faces speaks. Default: the one that the models' training would select (landmarks.face).",
        ),
    )
    strength: float = field(
        default=1.0,
        metadata=_info(
            "number",
            f"How far the mouth opens, from 0 (the picture stays as it is) to {STRONGEST:g}; 1 suits most faces.",
        ),
    )
    blink: bool | None = field(
        default=None,
        metadata=_info("flag", "Whether the eyes blink. Default: only if VG-net can close these eyes."),
    )
    sway: bool = field(default=False, metadata=_info("flag", "Move the head a little.", option="head"))
    crop: bool = field(default=False, metadata=_info("flag", "Show only the face, in the models' size."))
    panels: bool = field(
        default=False, metadata=_info("flag", "Show landmarks, attention, colour and result side by side.")
    )
    seed: int = field(default=0, metadata=_info("whole number", "Random seed for blinks and head motion, 0 or higher."))

    def __post_init__(self) -> None:
        check_strength(self.strength)
        if self.seed < 0:
            raise PipelineError(f"seed is {self.seed}. Give one from 0 on.")
        if self.crop and self.panels:
            raise PipelineError("Panels show the face alone anyway: leave out one of both (--crop, --panels).")
        if self.sway and (self.crop or self.panels):
            raise PipelineError("The face alone does not sway: leave out sway (--head), or show the whole picture.")


SETTINGS: dict[str, SettingInfo] = {
    entry.name: entry.metadata["info"]._replace(option=entry.metadata["info"].option or entry.name)
    for entry in fields(Settings)
}


def check_strength(strength: float) -> None:
    """Raise PipelineError if the strength is out of range."""
    if not 0 <= strength <= STRONGEST:
        raise PipelineError(f"strength is {strength:g}. Give one from 0 (the mouth stays as it is) to {STRONGEST:g}.")


def parse_face(text: str) -> WhichFace:
    """Parse a rule or a face's number, counted from the left. Raises PipelineError for anything else."""
    if text in get_args(FaceRule):
        return cast(FaceRule, text)
    if text.isdecimal() and int(text):
        return int(text)
    raise PipelineError(f"--face is {text}. Give one of {', '.join(get_args(FaceRule))}, or a number from the left.")
