"""How long `atvgnet generate` takes until the first frame, and then as a multiple of real time, by step.

Each round starts Python, as the command does, and times the calls of `generate`. `--seconds` repeats the speech up to
this length. Prints medians over the rounds and their range.

    python benchmarks/generate.py -p docs/pictures/face.jpg -i docs/speech.wav --rounds 5 --seconds 30
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STARTED = "STARTED"
BEFORE = ("imports", "models", "first frame")


def child(options: argparse.Namespace) -> None:
    """One round, timed from when the parent started it."""
    start = float(os.environ[STARTED])
    marks: dict[str, float] = {}

    def mark(name: str) -> None:
        marks.setdefault(name, time.time() - start)

    from pipeline.inference.talking_head import TalkingHead
    from pipeline.inference.video import generate_video

    mark("imports")
    head = TalkingHead.from_pretrained(options.models, options.precision)
    mark("models")
    with tempfile.TemporaryDirectory() as folder:
        video = generate_video(
            head,
            options.picture,
            options.speech,
            Path(folder) / "out.mp4",
            on_progress=lambda *_: mark("first frame"),
        )
    whole = time.time() - start
    print(json.dumps({"marks": marks, "whole": whole, **video._asdict()}))


def longer(speech: Path, seconds: float, folder: Path) -> Path:
    """The speech repeated to this length, as a WAV."""
    import numpy as np
    import soundfile  # type: ignore[import-untyped]

    from pipeline.media import read_audio

    samples = read_audio(speech)
    count = round(seconds * 16000)
    soundfile.write(folder / "speech.wav", np.resize(samples, count), 16000)
    return folder / "speech.wav"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-p", "--picture", type=Path, default=Path("docs/pictures/face.jpg"))
    parser.add_argument("-i", "--speech", type=Path, default=Path("docs/speech.wav"))
    parser.add_argument("--models", help="a bundle; default: the one that ships")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--seconds", type=float, default=0, help="length of the speech; default: as the file")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if STARTED in os.environ:
        child(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        speech = longer(options.speech, options.seconds, Path(folder)) if options.seconds else options.speech
        arguments = ["-p", str(options.picture), "-i", str(speech), "--precision", options.precision]
        arguments += ["--models", options.models] if options.models else []
        rounds = []
        for _ in range(options.rounds):
            environment = {**os.environ, STARTED: str(time.time())}
            done = subprocess.run(
                [sys.executable, __file__, *arguments], env=environment, capture_output=True, text=True
            )
            if done.returncode:
                sys.exit(done.stderr)
            rounds.append(json.loads(done.stdout.splitlines()[-1]))

    def shown(values: list[float], unit: str) -> str:
        return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f}) {unit}"

    frames, (width, height) = rounds[0]["frames"], rounds[0]["size"]
    print(f"{frames} frames of {width}x{height}, {options.rounds} rounds, medians and their range")
    for name in BEFORE:
        print(f"until {name}: {shown([times['marks'][name] for times in rounds], 's')}")
    for step in rounds[0]["seconds"]:
        once = step in ("speech", "face")
        took = [times["seconds"][step] * (1 if once else 1e3 / frames) for times in rounds]
        print(f"{step}: {shown(took, 's' if once else 'ms a frame')}")
    alone = [frames / 25 / (times["whole"] - times["marks"]["first frame"]) for times in rounds]
    print(f"from the first frame on: {shown(alone, 'times real time')}")
    print(f"the command: {shown([frames / 25 / times['whole'] for times in rounds], 'times real time')}")


if __name__ == "__main__":
    main()
