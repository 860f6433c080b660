"""Uploads must hold their sound and pictures themselves. Formats that name other files are rejected."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from PIL import Image

from pipeline.media import MediaError, VideoWriter, read_audio
from pipeline.media.probe import check_self_contained


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """One second of AAC elsewhere on the machine."""
    path = tmp_path / "elsewhere" / "secret.aac"
    path.parent.mkdir()
    with av.open(str(path), "w", format="adts") as file:
        stream = file.add_stream("aac", 16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.int16), "s16", "mono")
        frame.rate = 16000
        file.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def test_a_playlist_of_other_files_is_rejected(tmp_path: Path, sound: Path) -> None:
    upload = tmp_path / "speech.m3u8"
    upload.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\nfile://{sound}\n#EXT-X-ENDLIST\n")
    assert len(read_audio(upload)) > 15000  # libav itself reads them
    with pytest.raises(MediaError, match=r"speech\.m3u8: of a format that may name other files\. Give one that holds"):
        check_self_contained(upload)


@pytest.mark.parametrize(
    "text", ["ffconcat version 1.0\nfile secret.aac\n", "v=0\nm=audio 5004 RTP/AVP 0\nc=IN IP4 1.1.1.1\n"]
)
def test_other_formats_that_name_files_and_hosts_are_rejected(tmp_path: Path, text: str) -> None:
    upload = tmp_path / "speech.wav"
    upload.write_text(text)
    with pytest.raises(MediaError, match="of a format that may name other files"):
        check_self_contained(upload)


def test_common_formats_are_accepted(tmp_path: Path, sound: Path) -> None:
    check_self_contained(sound)
    picture = np.zeros((64, 64, 3), np.uint8)
    for name in ("face.jpg", "face.png", "face.webp", "face.bmp", "face.tiff", "face.gif", "face.avif"):
        Image.fromarray(picture).save(tmp_path / name)
        check_self_contained(tmp_path / name)
    for name in ("speech.wav", "speech.mp3", "speech.ogg", "speech.flac", "speech.aiff", "speech.caf", "speech.w64"):
        soundfile.write(tmp_path / name, np.zeros(16000), 16000)
        check_self_contained(tmp_path / name)
    with VideoWriter(tmp_path / "face.mp4", size=(64, 64), fps=25) as video:
        video.write(picture)
    check_self_contained(tmp_path / "face.mp4")
    (tmp_path / "damaged.wav").write_bytes(b"RIFF")
    check_self_contained(tmp_path / "damaged.wav")  # its reader raises the error
