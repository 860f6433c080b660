"""How far AT-net's lips follow the speech of people, without VG-net, against the speech of somebody else.

    dvc repro landmarks     # in one clone of this project per corpus
    python benchmarks/unseen_speakers.py --test grid=GRID/data --all newsreaders=FOLDER/data

Each clip is spoken from its frame with the most closed lips, with the mouth calibrated as in `atvgnet generate`. `own`
is the clip's speech, and `other` that of a clip of another speaker, if the set has one. A set is the test split of a
project (--test), with rows for speakers that are in its training split and for others, or all of its clips (--all).

own, other     correlation of the mouth's opening with the real one
difference     own minus other
spread         median over clips of the opening's standard deviation over the real one
LMD            of the mouth's points, px of the 128x128 face, over that of the still picture
LMD difference own minus other in px; below 0 the right speech is closer
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.evaluation.bootstrap import interval
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.points import MOUTH
from pipeline.landmarks.shape import mouth_opening
from pipeline.preprocessing.base import Reference
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.sound import Sound


class Row(NamedTuple):
    """The measures of a clip."""

    own: float
    other: float
    spread: float
    own_lmd: float
    other_lmd: float
    still_lmd: float


def mouth_distance(fake_T68x2: NDArray[np.floating], real_T68x2: NDArray[np.floating]) -> float:
    """The mean distance of the mouth's points, each set less its own mean, in px."""
    fake, real = (
        points[:, MOUTH] - points[:, MOUTH].mean(axis=1, keepdims=True) for points in (fake_T68x2, real_T68x2)
    )
    return float(np.linalg.norm(fake - real, axis=2).mean())


def measure(head: TalkingHead, store: ClipStore, clip: str, other: str) -> Row:
    """Speak a clip with its own speech and with that of the clip ``other``."""
    real_T68x2 = store.points(clip)
    opening_T = mouth_opening(real_T68x2)
    closed = int(opening_T.argmin())
    reference = Reference(store.frames(clip, [closed])[0], real_T68x2[closed])
    correlations, distances, spread = [], [], 0.0
    for heard in (clip, other):
        windows = head.preprocessing.windows(Sound([store.samples(heard)]), len(real_T68x2))
        landmarks_TL = np.concatenate(list(head.landmarks(reference, windows)))
        fake_T68x2 = head.preprocessing.place(landmarks_TL, reference.points_68x2)
        fake_opening_T = mouth_opening(fake_T68x2)
        correlations.append(float(np.corrcoef(fake_opening_T, opening_T)[0, 1]))
        distances.append(mouth_distance(fake_T68x2, real_T68x2))
        if heard == clip:
            spread = float(fake_opening_T.std() / opening_T.std())
    still = mouth_distance(np.repeat(real_T68x2[closed : closed + 1], len(real_T68x2), axis=0), real_T68x2)
    return Row(correlations[0], correlations[1], spread, distances[0], distances[1], still)


def with_interval(values: NDArray[np.float64], form: str = ".2f") -> str:
    """The mean and its interval over clips."""
    low, high = interval(values)
    return f"{np.nanmean(values):{form}} [{low:{form}}, {high:{form}}]"


def groups_of(options: argparse.Namespace) -> Iterator[tuple[str, ClipStore, list[str]]]:
    """Name, store and clips of each row."""
    for name, folder in options.test:
        store = ClipStore(folder)
        trained = {store.speaker(clip) for clip in store.ids("train")}
        for title, seen in (("seen speakers", True), ("unseen speakers", False)):
            yield f"{name}, {title}", store, [x for x in store.ids("test") if (store.speaker(x) in trained) == seen]
    for name, folder in options.all:
        store = ClipStore(folder)
        yield name, store, [clip for split in ("train", "val", "test") for clip in store.ids(split)]


def print_row(name: str, rows: Sequence[Row]) -> None:
    """One line of the table."""
    own, other, spread, own_lmd, other_lmd, still_lmd = map(np.array, zip(*rows, strict=True))
    cells = [
        *(str(len(rows)), with_interval(own), with_interval(other), with_interval(own - other)),
        f"{np.median(spread):.2f}",
        f"{np.mean(own_lmd / still_lmd):.2f}; {np.mean(other_lmd / still_lmd):.2f}",
        with_interval(own_lmd - other_lmd, ".3f"),
    ]
    print(f"| {name} |", " | ".join(cells), "|", flush=True)


def main() -> None:
    """Print a row per set of clips."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, help="bundle; the shipped one by default")
    for option in ("--test", "--all"):
        text = "a name and the data folder of a project"
        parser.add_argument(option, action="append", default=[], type=named_folder, metavar="NAME=DATA", help=text)
    parser.add_argument("--per-speaker", action="store_true", help="further rows for each speaker")
    options = parser.parse_args()
    torch.set_num_threads(1)
    head = TalkingHead.from_pretrained(options.models)
    print("| | clips | own | other | difference | spread | LMD, own; other | LMD difference, px |")
    print("|---|---|---|---|---|---|---|---|")
    for name, store, clips in groups_of(options):
        speakers: dict[str, list[Row]] = {}
        for place, clip in enumerate(clips):
            following, speaker = [*clips[place + 1 :], *clips[:place]], store.speaker(clip)
            other = next((one for one in following if store.speaker(one) != speaker), following[0])
            speakers.setdefault(speaker, []).append(measure(head, store, clip, other))
        if clips:
            print_row(name, [row for rows in speakers.values() for row in rows])
        if options.per_speaker:
            for speaker, rows in speakers.items():
                print_row(f"{name}: {speaker}", rows)


def named_folder(text: str) -> tuple[str, Path]:
    """The parts of NAME=DATA."""
    name, _, folder = text.partition("=")
    return name, Path(folder)


if __name__ == "__main__":
    main()
