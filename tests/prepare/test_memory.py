"""A worker's memory: below 700 MB, and equal for short and long videos."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.media.encode import encode, even_times

pytestmark = pytest.mark.slow

FPS, PIECE = 25, 10  # seconds of video that are encoded; longer videos repeat them


@pytest.fixture(scope="module")
def piece(photograph: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real face, 320x240, that moves a little."""

    def draw(number: int) -> NDArray[np.uint8]:
        shift = round(8 * np.sin(number / 9))
        return np.ascontiguousarray(photograph[:240, 64 + shift : 384 + shift])

    sound = np.random.default_rng(0).normal(0, 3000, PIECE * 16000).astype(np.int16)
    path = tmp_path_factory.mktemp("piece") / "piece.mkv"
    how: dict[str, Any] = {"size": (320, 240), "options": {"preset": "ultrafast", "tune": "zerolatency"}}
    return encode(path, even_times(PIECE * FPS, FPS), draw=draw, audio=sound, **how)


def repeated(piece: Path, path: Path, times: int) -> None:
    """Write a video that repeats ``piece``, without encoding it again."""
    path.parent.mkdir()
    with av.open(str(path), "w") as target:
        streams: dict[int, Any] = {}
        for turn in range(times):
            with av.open(str(piece)) as source:
                streams = streams or {
                    stream.index: target.add_stream_from_template(stream) for stream in source.streams
                }
                for packet in source.demux():
                    if packet.dts is not None and packet.pts is not None:
                        shift = round(turn * PIECE / packet.time_base)
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = streams[packet.stream.index]
                        target.mux(packet)


def test_a_worker_of_long_videos(piece: Path, tmp_path: Path) -> None:
    """Three minutes take no more than one; clips of a minute, the longest possible, stay below the limit."""
    repeated(piece, tmp_path / "short/video.mkv", 6)
    repeated(piece, tmp_path / "long/video.mkv", 18)
    command = [
        sys.executable,
        "-m",
        "tests.prepare.memory",
        *(str(tmp_path / name) for name in ("short", "long", "out")),
    ]
    peaks = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
    assert peaks["long"] < peaks["short"] + 40
    assert peaks["clips of a minute"] < 700
