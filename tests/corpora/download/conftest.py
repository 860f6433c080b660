"""A small GRID record: real videos in zips, on a real web server."""

import io
import zipfile
from collections.abc import Iterator
from fractions import Fraction

import pytest

from pipeline.corpora.download.web import Retries, Web
from tests.corpora.download.server import Zenodo
from tests.media.encode import encode, even_times

CLIPS = {
    "s1": ["bbaf2n", "bbaf3s", "bbaf4p", "lgwm5n"],
    "s5": ["lbax4n", "lbbc2a", "pwij3p"],
    "s6": ["swwp2s", "brbk7n", "lbax4n"],
    "s29": ["bgiq6p", "bgix8n"],
}
FOLDER_OF = {"s1": "s1", "s5": "s6", "s6": "s5", "s29": "s28"}
"""The folders of the record's alignments; some have the wrong number."""
WORDS = "0 9500 sil\n9500 17500 bin\n17500 26000 blue\n26000 74500 sil\n"


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with these files."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return memory.getvalue()


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """MPEG-1 videos of some ten thousand bytes."""
    folder = tmp_path_factory.mktemp("videos")
    names = {name for clips in CLIPS.values() for name in clips}
    return {
        name: encode(
            folder / f"{name}.mpg",
            even_times(4 + number, 25),
            codec="mpeg1video",
            time_base=Fraction(1, 25),
            size=(128, 96),
        ).read_bytes()
        for number, name in enumerate(sorted(names))
    }


@pytest.fixture(scope="session")
def files(videos: dict[str, bytes]) -> dict[str, bytes]:
    """The record's files."""
    found = {}
    for speaker, clips in CLIPS.items():
        members = {f"{speaker}/": b"", f"{speaker}/.DS_Store": b"x", f"__MACOSX/{speaker}/._{clips[0]}.mpg": b"x"}
        found[f"{speaker}.zip"] = zipped(members | {f"{speaker}/{name}.mpg": videos[name] for name in clips})
    found["alignments.zip"] = zipped(
        {
            f"alignments/{FOLDER_OF[speaker]}/{name}.align": WORDS.encode()
            for speaker, clips in CLIPS.items()
            for name in clips
        }
        | {"__MACOSX/alignments/s1/._bbaf2n.align": b"x"}
    )
    found["audio_25k.zip"] = zipped({"audio_25k/s1/bbaf2n.wav": b"RIFF"})
    found["jasagrid.pdf"] = b"%PDF"
    return found


@pytest.fixture
def zenodo(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Zenodo]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Zenodo(dict(files)) as server:
        yield server


@pytest.fixture
def retries() -> Retries:
    """No pauses."""
    return Retries(count=3, pause=0.0, timeout=5.0)


@pytest.fixture
def web(retries: Retries) -> Web:
    return Web(retries)
