"""The delay of frames behind their sound in live use, with a microphone at one end and a screen at the other.

The speech arrives in blocks of 20 ms, as if it were recorded. A frame's delay is the time from the recording of its
last sample until the frame is ready. Prints percentiles over the frames of the whole photograph.

    python benchmarks/streaming.py -p docs/pictures/face.jpg -i docs/speech.wav --seconds 30
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.inference.generator import Generator
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.media import read_audio
from pipeline.runtime.clock import FPS, RATE

BLOCK = RATE // 50


def recorded(samples_N: NDArray[np.int16], begun: float) -> Iterator[NDArray[np.int16]]:
    """The samples in blocks, none before its time."""
    for start in range(0, len(samples_N), BLOCK):
        time.sleep(max(0.0, begun + (start + BLOCK) / RATE - time.perf_counter()))
        yield samples_N[start : start + BLOCK]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-p", "--picture", type=Path, default=Path("docs/pictures/face.jpg"))
    parser.add_argument("-i", "--input", type=Path, default=Path("docs/speech.wav"))
    parser.add_argument("--models", help="a bundle; default: the one that ships")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    head = TalkingHead.from_pretrained(options.models, options.precision)
    generator = Generator(head, options.picture, Settings(blink=False))
    samples_N = np.resize(read_audio(options.input), round(options.seconds * RATE))
    for _ in generator.stream([samples_N[:RATE]]):  # warm up
        pass
    begun = time.perf_counter()
    delays = [
        time.perf_counter() - begun - number / FPS
        for number, _ in enumerate(generator.stream(recorded(samples_N, begun)), 1)
    ]
    print(f"first frame {delays[0] + 1 / FPS:.2f} s after the sound began")
    named = ((5, "5th"), (50, "50th"), (95, "95th"), (100, "100th"))
    print("delay, s: " + ", ".join(f"{np.percentile(delays, share):.2f} ({name} percentile)" for share, name in named))


if __name__ == "__main__":
    main()
