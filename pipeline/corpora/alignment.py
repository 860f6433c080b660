"""GRID's alignments: when each word of a clip is said."""

import json
from collections.abc import Iterable
from pathlib import Path

from pipeline.runtime.files import decode
from pipeline.runtime.paths import StrPath
from pipeline.speech.phonemes import Segment

ALIGNMENTS = ("alignments", "alignment", "align")
"""What the folders are called that hold them, of all speakers or of one."""
_PAUSES = {"sil", "sp"}
_TICKS = 25000  # of a second


def read_alignment(path: StrPath) -> tuple[Segment, ...]:
    """The words of an ``.align`` file in order, with an empty label for pauses; lines of another form are left out."""
    segments = []
    for line in decode(Path(path).read_bytes(), errors="replace").splitlines():
        match line.split():
            case [start, end, word]:
                try:
                    times = int(start) / _TICKS, int(end) / _TICKS
                except ValueError:
                    continue
                segments.append(Segment("" if word in _PAUSES else word, *times))
    return tuple(segments)


def find_alignment(video: StrPath) -> Path | None:
    """The alignment of a video in GRID's layout, such as ``alignments/s1/bbaf2n.align`` of ``s1/bbaf2n.mpg``; or one of
    the video's name beside it.
    """
    video = Path(video)
    name, folders = f"{video.stem}.align", list(video.absolute().parents)[:5]  # s1/video/mpg_6000/bbaf2n.mpg
    places = [video.parent]
    for number, speaker in enumerate(folders):
        places += [speaker / one for one in ALIGNMENTS]
        places += [above / one / speaker.name for above in folders[number + 1 :] for one in ALIGNMENTS]
    return next((place / name for place in places if (place / name).is_file()), None)


def pack(words: Iterable[Segment], start: float = 0.0) -> str:
    """Words with their times in seconds, from ``start`` on, as a text; empty for none."""
    packed = [[round(one.start - start, 5), round(one.end - start, 5), one.label] for one in words]
    return json.dumps(packed, ensure_ascii=False) if packed else ""


def unpack(text: str) -> tuple[Segment, ...]:
    """What `pack` made a text of."""
    return tuple(Segment(label, start, end) for start, end, label in json.loads(text)) if text else ()
