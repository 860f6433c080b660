"""Sound files for tests, with any channels and tracks."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

RATE = 48000


def speech(seconds: float = 1.0, seed: int = 0) -> NDArray[np.float32]:
    """Noise in syllables, peak 0.5, at 48 kHz."""
    draw = np.random.default_rng(seed)
    count = round(seconds * 20)
    noise = np.convolve(draw.standard_normal(count * RATE // 20), np.ones(20) / 20, "same")
    values = noise * np.repeat(draw.uniform(0.1, 1, count), RATE // 20)
    return np.asarray(values / np.abs(values).max() / 2, np.float32)


def level(samples_N: NDArray[Any]) -> float:
    """Root mean square, dB below full scale of int16."""
    return float(10 * np.log10(np.mean(np.square(samples_N, dtype=np.float64)) / 32768**2 + 1e-12))


def write_sound(
    path: Path, channels_CN: NDArray[np.float32], layout: str = "stereo", codec: str = "pcm_s16le", default: int = 0
) -> Path:
    """A file with one track at 48 kHz, or with several for (tracks, C, N), of which one is marked default."""
    tracks = channels_CN if channels_CN.ndim == 3 else channels_CN[None]
    with av.open(str(path), "w") as container:
        streams: list[Any] = [container.add_stream(codec, rate=RATE, layout=layout) for _ in tracks]
        packets = []
        for number, (stream, track) in enumerate(zip(streams, tracks, strict=True)):
            stream.disposition = Disposition.default if number == default else Disposition(0)
            fit = av.AudioResampler(format=stream.codec_context.format.name, layout=layout, rate=RATE)
            for offset in range(0, track.shape[1], 4096):
                packed = np.ascontiguousarray(track[:, offset : offset + 4096].T, np.float32).reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
                frame.sample_rate, frame.pts, frame.time_base = RATE, offset, Fraction(1, RATE)
                packets += [
                    (offset, packet) for resampled in fit.resample(frame) for packet in stream.encode(resampled)
                ]
            packets += [
                (track.shape[1], packet) for resampled in fit.resample(None) for packet in stream.encode(resampled)
            ]
            packets += [(track.shape[1], packet) for packet in stream.encode(None)]
        for _, packet in sorted(packets, key=lambda one: one[0]):
            container.mux(packet)
    return path


SPEECH = speech()
SILENCE = np.zeros_like(SPEECH)
LOUD = level(SPEECH * 32768)
HALF = len(SPEECH) // 2

PAIRS: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {
    "the same": (SPEECH, SPEECH),
    "left alone": (SPEECH, SILENCE),
    "right alone": (SILENCE, SPEECH),
    "right beside noise": (np.random.default_rng(1).normal(0, 0.002, SPEECH.shape), SPEECH),
    "opposite": (SPEECH, -SPEECH),
    "opposite, half as loud": (SPEECH, -SPEECH / 2),
    "opposite, twice as loud": (SPEECH / 2, -SPEECH),
    "opposite and late": (SPEECH, -np.roll(SPEECH, 10)),
    "opposite from the middle on": (SPEECH, np.where(np.arange(len(SPEECH)) < HALF, SPEECH, -SPEECH)),
    "opposite at the end": (SPEECH, np.where(np.arange(len(SPEECH)) < 1.6 * HALF, SPEECH, -SPEECH)),
}
