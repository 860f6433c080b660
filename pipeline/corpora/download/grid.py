"""Fetch GRID from its Zenodo record: a video archive per speaker, and one archive with all alignments."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from rich import get_console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from pipeline.corpora.download.disk import clear_disk_errors, need_room, one_at_a_time, read_receipt, write_receipt
from pipeline.corpora.download.download import download, part_of, size_of
from pipeline.corpora.download.unpack import SafeZip
from pipeline.corpora.download.web import Archive, Retries, Web, read_record
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

RECORD = "https://zenodo.org/api/records/3625687"
_ALIGNMENTS = "alignments.zip"
_VIDEOS = re.compile(r"s\d+\.zip")
_GROWTH = 1.1
"""Disk space per byte of an archive: 1.02 for a speaker of GRID, plus a margin for the file system's blocks."""


def fetch_grid(
    folder: StrPath,
    speakers: Sequence[str] = (),
    record: str = RECORD,
    retries: Retries | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Download, check and unpack speakers as ``folder/sN/NAME.mpg`` and ``folder/alignments/sN/NAME.align``.

    Complete speakers are skipped; if all named speakers are complete, no request is made. Archives are deleted after
    unpacking. After an error or a kill, the same call continues.

    Args:
        folder: The folder to write.
        speakers: Their names; none means all.
        record: Address of the Zenodo record.
        retries: How often to retry.
        say: Called with a line per complete speaker.

    Raises:
        PipelineError: A speaker is unknown, or network, server, archive or disk fail.
    """
    folder, retries = Path(folder), retries or Retries()
    speakers = list(dict.fromkeys(speakers))
    if speakers and all(_clips(folder, name) is not None and _texts(folder, name) is not None for name in speakers):
        for speaker in speakers:
            say(_summary(folder, speaker))
        return
    # A missing network is reported soon at the start; later it may be away for longer.
    archives = read_record(record, Web(replace(retries, count=retries.count // 2)))
    known = sorted((name[:-4] for name in archives if _VIDEOS.fullmatch(name)), key=lambda name: int(name[1:]))
    if not known or _ALIGNMENTS not in archives:
        raise PipelineError(f"{record} is not GRID: it has no s1.zip, or no {_ALIGNMENTS}. Is the address right?")
    for speaker in speakers:
        if speaker not in known:
            raise PipelineError(f"--speakers: {record} has no {speaker!r}. It has {', '.join(known)}.")
    with clear_disk_errors(folder), one_at_a_time(folder) as hidden:
        _fetch_missing(folder, hidden, speakers or known, archives, Web(retries), say)


def _fetch_missing(
    folder: Path, hidden: Path, speakers: list[str], archives: dict[str, Archive], web: Web, say: Callable[[str], None]
) -> None:
    videos = [speaker for speaker in speakers if _clips(folder, speaker) is None]
    texts = [speaker for speaker in speakers if _texts(folder, speaker) is None]
    wanted = [archives[f"{speaker}.zip"] for speaker in videos] + ([archives[_ALIGNMENTS]] if texts else [])
    sizes = {archive.name: size_of(part_of(archive, hidden)) for archive in wanted}  # downloaded so far
    rest = [archive for archive in wanted if sizes[archive.name] < archive.size]
    if rest:
        # An archive exists beside its files until it is unpacked.
        needed = round(_GROWTH * sum(archive.size for archive in rest)) + max(archive.size for archive in rest)
        need_room(folder, needed - sum(sizes[archive.name] for archive in rest), f"fetching {len(rest)} archives")
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    shown = get_console().is_terminal
    with Progress("{task.description}", *columns, transient=True, disable=not shown) as progress:
        bar = progress.add_task("", total=sum(archive.size for archive in wanted), completed=sum(sizes.values()))

        def get(name: str) -> Path:
            def show(size: int) -> None:
                sizes[name] = size
                progress.update(bar, completed=sum(sizes.values()))

            progress.update(bar, description=name)
            part = download(archives[name], hidden, web, show)
            progress.update(bar, description=f"unpacking {name}")
            return part

        for speaker in speakers:
            if speaker in videos:
                part = get(f"{speaker}.zip")
                with SafeZip(part, part.stem) as archive:
                    write_receipt(folder, speaker, archive.unpack(_videos_in(archive, speaker), folder))
                part.unlink()
            if speaker in texts:
                part = get(_ALIGNMENTS)
                with SafeZip(part, part.stem) as archive:
                    members = _texts_in(archive, speaker, _clips(folder, speaker) or set())
                    write_receipt(folder, f"{speaker}.alignments", archive.unpack(members, folder))
            say(_summary(folder, speaker))
    if texts:
        part_of(archives[_ALIGNMENTS], hidden).unlink()


def _videos_in(archive: SafeZip, speaker: str) -> dict[str, PurePosixPath]:
    """The member of each video file; the archive may have folders or not."""
    videos = {f"{speaker}/{path.name}": path for path in archive.files if path.suffix == ".mpg"}
    if not videos:
        raise archive.refused("it has no .mpg")
    return videos


def _texts_in(archive: SafeZip, speaker: str, clips: set[str]) -> dict[str, PurePosixPath]:
    """The member of each alignment of the speaker.

    Some folders in the archive have the wrong speaker's number (s6 has those of s5: lhotse-speech/lhotse#1502), so the
    folder is found by its sentences: two speakers share only some 20 of 1000.
    """
    folders: dict[str, dict[str, PurePosixPath]] = defaultdict(dict)
    for path in archive.files:
        if path.suffix == ".align":
            folders[path.parent.name][path.stem] = path
    best = max(folders, key=lambda name: (len(clips & folders[name].keys()), name == speaker), default="")
    if 2 * len(clips & folders[best].keys()) < len(clips):
        return {}
    return {f"alignments/{speaker}/{path.name}": path for path in folders[best].values()}


def _clips(folder: Path, name: str) -> set[str] | None:
    """The names of a speaker's clips; None unless complete."""
    files = read_receipt(folder, name)
    return None if files is None else {PurePosixPath(path).stem for path in files}


def _texts(folder: Path, speaker: str) -> set[str] | None:
    """The names of the speaker's alignments; None unless complete."""
    return _clips(folder, f"{speaker}.alignments")


def _summary(folder: Path, speaker: str) -> str:
    clips, texts = _clips(folder, speaker) or set(), _texts(folder, speaker) or set()
    without = len(clips - texts)
    return f"{speaker}: {len(clips)} clips, {f'{without} of them without alignment' if without else 'all with text'}"
