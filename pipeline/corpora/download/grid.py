"""GRID from its Zenodo record: a video archive for each speaker, and one archive with everybody's alignments."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from rich import get_console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from pipeline.corpora.download.disk import clear_disk_errors, need_room, one_at_a_time
from pipeline.corpora.download.download import download, part_of, size_of
from pipeline.corpora.download.receipts import read_receipt, write_receipt
from pipeline.corpora.download.record import Archive, read_record
from pipeline.corpora.download.unpack import SafeZip, open_zip
from pipeline.corpora.download.web import Retries, Web
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

RECORD = "https://zenodo.org/api/records/3625687"
_ALIGNMENTS = "alignments.zip"
_VIDEOS = re.compile(r"s\d+\.zip")
_GROWTH = 1.1
"""Bytes on the disk for a byte of an archive: 1.02 for a speaker of GRID, and the blocks of a file system."""


def fetch_grid(
    folder: StrPath,
    speakers: Sequence[str] = (),
    record: str = RECORD,
    retries: Retries | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Download, check and unpack ``speakers`` (none: all of the record) as ``folder``/sN/NAME.mpg and
    ``folder``/alignments/sN/NAME.align.

    What is there whole is left alone; when that is all that was asked for by name, no request is made. An archive is
    deleted when it is unpacked. Says a line about each speaker that is there. Raises PipelineError for an unknown
    speaker, and when network, server, archive or disk fail; the same call then goes on where it was, also after a kill.
    """
    folder = Path(folder)
    retries = retries or Retries()
    speakers = list(dict.fromkeys(speakers))
    if speakers and all(_is_whole(folder, one) for one in speakers):
        for one in speakers:
            say(_summary(folder, one))
        return
    # Who starts without a network wants to know it soon; later it may be away for longer.
    archives = read_record(record, Web(replace(retries, count=retries.count // 2)))
    speakers = _known(speakers, archives, record)
    with clear_disk_errors(folder), one_at_a_time(_hidden(folder)):
        _fetch_missing(folder, speakers, archives, Web(retries), say)


def _known(asked: list[str], archives: dict[str, Archive], record: str) -> list[str]:
    """The speakers asked for, or all of them, by number."""
    there = sorted((name[:-4] for name in archives if _VIDEOS.fullmatch(name)), key=lambda name: int(name[1:]))
    if not there or _ALIGNMENTS not in archives:
        raise PipelineError(f"{record} is not GRID: it has no s1.zip, or no {_ALIGNMENTS}. Is the address right?")
    for one in asked:
        if one not in there:
            raise PipelineError(f"--speakers: {record} has no {one!r}. It has {', '.join(there)}.")
    return asked or there


def _fetch_missing(
    folder: Path, speakers: list[str], archives: dict[str, Archive], web: Web, say: Callable[[str], None]
) -> None:
    hidden = _hidden(folder)
    videos = [one for one in speakers if _clips(folder, one) is None]
    texts = [one for one in speakers if _texts(folder, one) is None]
    wanted = [archives[f"{one}.zip"] for one in videos] + ([archives[_ALIGNMENTS]] if texts else [])
    _need_room_for([one for one in wanted if size_of(part_of(one, hidden)) < one.size], folder)
    with _bar() as progress:
        downloads = _Downloads(wanted, hidden, web, progress)
        for one in speakers:
            if one in videos:
                part = downloads.get(archives[f"{one}.zip"])
                with open_zip(part, part.stem) as archive:
                    write_receipt(hidden, one, archive.unpack(_videos_in(archive, one), folder))
                part.unlink()
            if one in texts:
                part = downloads.get(archives[_ALIGNMENTS])
                clips = _clips(folder, one) or set()
                with open_zip(part, part.stem) as archive:
                    write_receipt(hidden, _texts_of(one), archive.unpack(_texts_in(archive, one, clips), folder))
            say(_summary(folder, one))
    if texts:
        part_of(archives[_ALIGNMENTS], hidden).unlink()


def _need_room_for(archives: list[Archive], folder: Path) -> None:
    if archives:
        there = sum(size_of(part_of(one, _hidden(folder))) for one in archives)
        # An archive lies beside what comes out of it until it is unpacked.
        needed = round(_GROWTH * sum(one.size for one in archives)) + max(one.size for one in archives) - there
        need_room(folder, needed, f"fetching {len(archives)} archives")


def _bar() -> Progress:
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    return Progress("{task.description}", *columns, transient=True, disable=not get_console().is_terminal)


class _Downloads:
    """Downloads ``archives``, with one progress bar over all of them."""

    def __init__(self, archives: list[Archive], hidden: Path, web: Web, progress: Progress) -> None:
        self._hidden, self._web, self._progress = hidden, web, progress
        self._there = {one.name: size_of(part_of(one, hidden)) for one in archives}
        total = sum(one.size for one in archives)
        self._task = progress.add_task("", total=total, completed=sum(self._there.values()))

    def get(self, archive: Archive) -> Path:
        """The archive, whole and checked."""

        def show(size: int) -> None:
            self._there[archive.name] = size
            self._progress.update(self._task, completed=sum(self._there.values()))

        self._progress.update(self._task, description=archive.name)
        part = download(archive, self._hidden, self._web, show)
        self._progress.update(self._task, description=f"unpacking {archive.name}")
        return part


def _videos_in(archive: SafeZip, speaker: str) -> dict[str, PurePosixPath]:
    """Where each video goes; the archive may have them in folders or not."""
    videos = {f"{speaker}/{path.name}": path for path in archive.files if path.suffix == ".mpg"}
    if not videos:
        raise archive.refused("it has no .mpg")
    return videos


def _texts_in(archive: SafeZip, speaker: str, clips: set[str]) -> dict[str, PurePosixPath]:
    """Where each alignment of the speaker goes.

    Some folders in the record's archive bear another speaker's number (s6 has those of s5: lhotse-speech/lhotse#1502).
    The sentences tell whose they are: two speakers share some 20 of 1000, so the right folder has most of the clips'.
    """
    folders: dict[str, dict[str, PurePosixPath]] = defaultdict(dict)
    for path in archive.files:
        if path.suffix == ".align":
            folders[path.parent.name][path.stem] = path
    best = max(folders, key=lambda name: (len(clips & folders[name].keys()), name == speaker), default="")
    if 2 * len(clips & folders[best].keys()) < len(clips):
        return {}
    return {f"alignments/{speaker}/{path.name}": path for path in folders[best].values()}


def _clips(folder: Path, speaker: str) -> set[str] | None:
    """The names of the speaker's clips; None unless all of them are there."""
    files = read_receipt(folder, _hidden(folder), speaker)
    return None if files is None else {PurePosixPath(path).stem for path in files}


def _texts(folder: Path, speaker: str) -> set[str] | None:
    """The names of the speaker's alignments; None unless all of them are there."""
    return _clips(folder, _texts_of(speaker))


def _is_whole(folder: Path, speaker: str) -> bool:
    return _clips(folder, speaker) is not None and _texts(folder, speaker) is not None


def _texts_of(speaker: str) -> str:
    return f"{speaker}.alignments"


def _hidden(folder: Path) -> Path:
    """Where downloads and receipts lie."""
    return folder / ".fetch"


def _summary(folder: Path, speaker: str) -> str:
    clips, texts = _clips(folder, speaker) or set(), _texts(folder, speaker) or set()
    without = len(clips - texts)
    return f"{speaker}: {len(clips)} clips, {f'{without} of them without alignment' if without else 'all with text'}"
