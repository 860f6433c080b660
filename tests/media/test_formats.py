"""Files that hold their sound and pictures themselves are read; those that name others are not."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]

from pipeline.media import MediaError, read_audio


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
    with av.open(str(upload)) as libav:
        assert len(list(libav.decode(audio=0))) > 10  # which would read them
    with pytest.raises(MediaError, match=r"speech\.m3u8: of a format that names other files, such as a playlist"):
        read_audio(upload)


@pytest.mark.parametrize(
    "text", ["ffconcat version 1.0\nfile secret.aac\n", "v=0\nm=audio 5004 RTP/AVP 0\nc=IN IP4 1.1.1.1\n"]
)
def test_other_formats_that_name_files_and_hosts_are_refused(tmp_path: Path, text: str) -> None:
    upload = tmp_path / "speech.wav"
    upload.write_text(text)
    with pytest.raises(MediaError, match="of a format that names other files, such as a playlist, or damaged"):
        read_audio(upload)


@pytest.mark.parametrize("kind", ["wav", "mp3", "ogg", "flac", "aiff", "caf", "au", "w64"])
def test_what_people_have_is_read(tmp_path: Path, sound: Path, kind: str) -> None:
    assert len(read_audio(sound)) > 15000
    soundfile.write(tmp_path / f"speech.{kind}", np.zeros(16000), 16000)
    assert len(read_audio(tmp_path / f"speech.{kind}")) > 15000
