"""GRID's alignments: the words of a clip with their times."""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pipeline.runtime.files import decode
from pipeline.runtime.paths import StrPath
from pipeline.speech.phonemes import Segment

ALIGNMENTS = ("alignments", "alignment", "align")
"""Names of folders that hold the alignments of all speakers or of one."""
_PAUSES = {"sil", "sp"}
_TICKS = 25000  # per second


def read_alignment(path: StrPath) -> tuple[Segment, ...]:
    """The words of an ``.align`` file in order. Pauses have an empty label; malformed lines are skipped."""
    segments = []
    for line in decode(Path(path).read_bytes(), errors="replace").splitlines():
        with suppress(ValueError, OverflowError):
            start, end, word = line.split()
            segments.append(Segment("" if word in _PAUSES else word, int(start) / _TICKS, int(end) / _TICKS))
    return tuple(segments)


def find_alignment(video: StrPath) -> Path | None:
    """The alignment of a video: the file of its name beside it, or in GRID's layout.

    In GRID's layout, ``s1/bbaf2n.mpg`` belongs to ``alignments/s1/bbaf2n.align`` or ``s1/align/bbaf2n.align``.
    """
    video = Path(video)
    name, folders = f"{video.stem}.align", list(video.absolute().parents)[:5]  # s1/video/mpg_6000/bbaf2n.mpg
    places = [video.parent]
    for number, speaker in enumerate(folders):
        places += [speaker / folder for folder in ALIGNMENTS]
        places += [above / folder / speaker.name for above in folders[number + 1 :] for folder in ALIGNMENTS]
    return next((place / name for place in places if (place / name).is_file()), None)


def pack(words: Iterable[Segment], start: float = 0.0) -> str:
    """Serialise words; their times become relative to ``start`` seconds. No words give an empty text."""
    packed = [[round(word.start - start, 5), round(word.end - start, 5), word.label] for word in words]
    return json.dumps(packed, ensure_ascii=False) if packed else ""


def unpack(text: str) -> tuple[Segment, ...]:
    """The words that `pack` serialised."""
    return tuple(Segment(label, start, end) for start, end, label in json.loads(text)) if text else ()
