"""What the page takes: files that hold what they show, and speech that is not too long."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from PIL import Image

from pipeline.app.uploads import check_format, check_length
from pipeline.media import VideoWriter, read_audio
from pipeline.runtime.errors import PipelineError


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """AAC of one second, which lies elsewhere on the machine."""
    path = tmp_path / "elsewhere" / "secret.aac"
    path.parent.mkdir()
    with av.open(str(path), "w", format="adts") as file:
        stream = file.add_stream("aac", 16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.int16), "s16", "mono")
        frame.rate = 16000
        file.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def test_a_playlist_of_other_files_is_refused(tmp_path: Path, sound: Path) -> None:
    upload = tmp_path / "speech.m3u8"
    upload.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\nfile://{sound}\n#EXT-X-ENDLIST\n")
    assert len(read_audio(upload)) > 15000  # libav itself reads them
    with pytest.raises(PipelineError, match=r"speech.m3u8 is of a format that this page does not take"):
        check_format(upload)


@pytest.mark.parametrize(
    "text", ["ffconcat version 1.0\nfile secret.aac\n", "v=0\nm=audio 5004 RTP/AVP 0\nc=IN IP4 1.1.1.1\n"]
)
def test_other_formats_that_name_files_and_hosts_are_refused(tmp_path: Path, text: str) -> None:
    upload = tmp_path / "speech.wav"
    upload.write_text(text)
    with pytest.raises(PipelineError, match="is of a format that this page does not take"):
        check_format(upload)


def test_what_people_have_is_taken(tmp_path: Path, sound: Path) -> None:
    check_format(sound)
    picture = np.zeros((64, 64, 3), np.uint8)
    for name in ("face.jpg", "face.png", "face.webp", "face.bmp", "face.tiff", "face.gif", "face.avif"):
        Image.fromarray(picture).save(tmp_path / name)
        check_format(tmp_path / name)
    for name in ("speech.wav", "speech.mp3", "speech.ogg", "speech.flac", "speech.aiff"):
        soundfile.write(tmp_path / name, np.zeros(16000), 16000)
        check_format(tmp_path / name)
    with VideoWriter(tmp_path / "face.mp4", size=(64, 64), fps=25) as video:
        video.write(picture)
    check_format(tmp_path / "face.mp4")
    (tmp_path / "damaged.wav").write_bytes(b"RIFF")
    check_format(tmp_path / "damaged.wav")  # which whoever reads it says


def test_the_length_is_that_of_the_sound_itself(tmp_path: Path) -> None:
    path = tmp_path / "speech.flac"
    soundfile.write(path, np.zeros(2 * 16000 + 1), 16000)
    check_length(path, 2.1)
    with pytest.raises(
        PipelineError, match=r"The speech is longer than 2 seconds, which this page takes at most. Cut it."
    ):
        check_length(path, 2)
