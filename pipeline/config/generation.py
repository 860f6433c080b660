"""The settings of generated videos: names, types, defaults, ranges and help.

The command's options, the columns of `--batch` tables, the fields of the web page and the parameters of a served bundle
all derive from `Settings`.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, cast, get_args, get_type_hints

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


@dataclass(frozen=True)
class Settings:
    """How the face of one picture speaks, and what the video shows. `SETTINGS` describes each field.

    Raises PipelineError for a value out of range, and for settings that exclude each other.
    """

    face: Annotated[
        WhichFace | None,
        SettingInfo(
            "face",
            "Which of several faces speaks. Default: the one that the models' training would select (landmarks.face).",
        ),
    ] = None
    strength: Annotated[
        float,
        SettingInfo(
            "number",
            f"How far the mouth opens, from 0 (the picture stays as it is) to {STRONGEST:g}; 1 suits most faces.",
        ),
    ] = 1.0
    blink: Annotated[
        bool | None, SettingInfo("flag", "Whether the eyes blink. Default: only if VG-net can close these eyes.")
    ] = None
    sway: Annotated[bool, SettingInfo("flag", "Move the head a little.", option="head")] = False
    crop: Annotated[bool, SettingInfo("flag", "Show only the face, in the models' size.")] = False
    panels: Annotated[bool, SettingInfo("flag", "Show landmarks, attention, colour and result side by side.")] = False
    seed: Annotated[int, SettingInfo("whole number", "Random seed for blinks and head motion, 0 or higher.")] = 0

    def __post_init__(self) -> None:
        check_strength(self.strength)
        if self.seed < 0:
            raise PipelineError(f"seed is {self.seed}. Give one from 0 on.")
        if self.crop and self.panels:
            raise PipelineError("Panels show the face alone anyway: leave out one of both (--crop, --panels).")
        if self.sway and (self.crop or self.panels):
            raise PipelineError("The face alone does not sway: leave out sway (--head), or show the whole picture.")


_INFOS = {name: hint.__metadata__[0] for name, hint in get_type_hints(Settings, include_extras=True).items()}
SETTINGS: dict[str, SettingInfo] = {name: info._replace(option=info.option or name) for name, info in _INFOS.items()}


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
