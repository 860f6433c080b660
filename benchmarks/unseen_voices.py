"""Which training speech helps AT-net on voices that it has never heard.

    dvc repro landmarks     # in one clone of this project per corpus
    python benchmarks/unseen_voices.py --train GRID/data --test wild=LRW/data --test people=FOLDER/data \\
        --recordings VOICES --speech none synthetic recorded --seeds 0 1

AT-net with `encoder: conv1d` trains for a minute or two on clips of --train with their landmarks, and on speech without
video. For such speech the synthesiser's lips give the opening of the mouth, from the phonemes. espeak-ng speaks
`synthetic`, and `recorded` is a folder of recordings with transcripts (docs/corpora.md). A row has the correlation of
the opening with the real one: `own` if the network hears the clip, `other` if it hears a clip of another speaker.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import resample_poly
from torch import Tensor, nn

from pipeline.bundles.location import pretrained_folder
from pipeline.config.params import Mfcc
from pipeline.landmarks.pca import LandmarkModel
from pipeline.landmarks.shape import eye_distance, lip_gap, mouth_opening
from pipeline.media.read import read_audio
from pipeline.models.atnet import AtNet
from pipeline.runtime.clock import RATE
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.espeak import Voice
from pipeline.speech.features import PER_FRAME, SpeechFeatures, windows
from pipeline.speech.forced_alignment import NotAligned, align
from pipeline.speech.normalisation import InitialStatistics, Running, Statistics
from pipeline.speech.variants import variant
from pipeline.synthetic.motion import mouth_track
from pipeline.synthetic.recordings import cut_track, find_recordings
from pipeline.synthetic.sentences import draw_words
from pipeline.synthetic.speech import RATE as TRACK_RATE
from pipeline.synthetic.speech import SoundTrack, speak

AUGMENTED = Mfcc(kind="log_mel", variants=4, gain=12.0, noise=0.3, pitch=5.0, rate=0.25, room=0.5, band=8.0)
FEATURES = SpeechFeatures.of(AUGMENTED.window, AUGMENTED.kind)
FRAMES, BATCH = 25, 16
CLOSED, WIDEST = 0.03, 0.22  # opening of the synthesiser's lips in eye distances: closed, and what "ah" adds
VARIANTS = ("m1", "f1", "m2", "f2", "m3", "f3", "m4", "f4", "m5", "m6", "m7", "f5")


@dataclass
class Example:
    """A clip, or speech without video, as windows of speech features (T, 28, 26), one entry per variant."""

    inputs: list[NDArray[np.float32]] = field(default_factory=list)
    coefficients: list[NDArray[np.float32]] = field(default_factory=list)
    openings: list[NDArray[np.float64]] = field(default_factory=list)


def normal_windows(rows_RC: NDArray[np.float32], initial: InitialStatistics, frames: int) -> NDArray[np.float32]:
    """The windows (frames, 28, 26) of normalised rows."""
    return windows(Running(initial).normalise(rows_RC), frames)


def at_speed(values_T: NDArray[np.floating], rate: float, frames: int) -> NDArray[np.float32]:
    """Values (T, ...) of a clip as they follow each other at ``rate`` times its speed."""
    time_T = np.minimum(np.arange(frames) * rate, len(values_T) - 1)
    before_T = np.floor(time_T).astype(int)
    share_T = (time_T - before_T).reshape(-1, *[1] * (values_T.ndim - 1))
    after = values_T[np.minimum(before_T + 1, len(values_T) - 1)]
    return np.asarray(values_T[before_T] * (1 - share_T) + after * share_T, np.float32)


SPEAKING = (110, 230), (25, 75), (35, 75)
"""Ranges of espeak-ng's rate, pitch and pitch range."""


def tracks(kind: str, folder: Path | None, count: int) -> Iterator[SoundTrack]:
    """Speech without video of three seconds each."""
    rng = np.random.default_rng(5)
    if kind == "synthetic":
        for _ in range(count):
            voice = Voice(f"en-us+{rng.choice(VARIANTS)}", *(int(rng.integers(*ends)) for ends in SPEAKING))
            yield speak(draw_words(rng), voice, rng)
    if kind == "recorded":
        assert folder, "give --recordings"
        found = find_recordings(folder, "--recordings", 1)
        for recording in [found[place] for place in rng.permutation(len(found))[:count]]:
            samples_N = read_audio(recording.path)
            try:
                yield cut_track(samples_N, align(samples_N, recording.text), rng)
            except NotAligned:
                continue


def examples_of_speech(kind: str, folder: Path | None, count: int, initial: InitialStatistics) -> list[Example]:
    """Each sound as it is and augmented, with the synthesiser's opening in eye distances."""
    examples = []
    for number, track in enumerate(tracks(kind, folder, count)):
        opening_T = CLOSED + WIDEST * mouth_track(track.phonemes, 1.0)["opening"]
        speech_N = np.round(resample_poly(track.samples_N.astype(np.float64), RATE, TRACK_RATE))
        samples_N = speech_N.clip(-32768, 32767).astype(np.int16)
        rows_RC, rate = variant(samples_N, FEATURES, AUGMENTED, f"{kind}{number}", 1)
        frames = int(min(len(opening_T) / rate, len(rows_RC) // PER_FRAME))
        if frames >= FRAMES:
            inputs = [
                normal_windows(FEATURES.compute(samples_N), initial, len(opening_T)),
                normal_windows(rows_RC, initial, frames),
            ]
            examples.append(Example(inputs, openings=[opening_T, at_speed(opening_T, rate, frames).astype(np.float64)]))
    return examples


def examples_of_clips(store: ClipStore, landmarks: LandmarkModel, initial: InitialStatistics) -> list[Example]:
    """Each clip's sound as it is and augmented, with its coefficients and opening."""
    examples = []
    for clip in store.ids("train"):
        points_T68x2, samples_N = store.points(clip), store.samples(clip)
        example, coefficients_TK = Example(), landmarks.project(landmarks.normalize(points_T68x2))
        sounds = [(FEATURES.compute(samples_N), 1.0)]
        sounds += [variant(samples_N, FEATURES, AUGMENTED, clip, number + 1) for number in range(AUGMENTED.variants)]
        for rows_RC, rate in sounds:
            frames = int(min(len(coefficients_TK) / rate, len(rows_RC) // PER_FRAME))
            if frames < FRAMES:
                continue
            example.inputs.append(normal_windows(rows_RC, initial, frames))
            example.coefficients.append(at_speed(coefficients_TK, rate, frames))
            example.openings.append(mouth_opening(points_T68x2))
        if example.inputs:
            examples.append(example)
    return examples


def new_network(components: int) -> AtNet:
    """An untrained AT-net for the features."""
    return AtNet(components, width=16, columns=FEATURES.coefficients - 1, encoder="conv1d")


def trained(clips: list[Example], speech: list[Example], landmarks: LandmarkModel, steps: int, seed: int) -> AtNet:
    """Train on windows of clips, and on as many of speech by the opening alone."""
    torch.manual_seed(seed)
    random, network = np.random.default_rng(seed), new_network(landmarks.components)
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps, pct_start=0.05)
    weights_KK = torch.from_numpy(landmarks.mouth_weights(4.0)).float()
    eyes = float(eye_distance(landmarks.mean.reshape(1, 68, 2))[0])
    gap_K = torch.from_numpy(lip_gap(landmarks.basis.T.reshape(-1, 68, 2)) / eyes).float()
    scale = weights_KK[0, 0] / gap_K[0] ** 2
    closed = [(one.coefficients[0][int(one.openings[0].argmin())], one.openings[0].min()) for one in clips]

    def draw(examples: list[Example], targets: str) -> tuple[Tensor, Tensor, Tensor]:
        rows, wanted, references = [], [], []
        for number in random.integers(len(examples), size=BATCH):
            example = examples[number]
            place = random.integers(len(example.inputs))
            values = getattr(example, targets)[place]
            start = random.integers(len(values) - FRAMES + 1)
            rows.append(example.inputs[place][start : start + FRAMES])
            if targets == "openings":
                reference_K, opening = closed[random.integers(len(closed))]
                wanted.append(values[start : start + FRAMES] - opening)
            else:
                reference_K = values[random.integers(len(values))]
                wanted.append(values[start : start + FRAMES])
            references.append(reference_K)
        windows_BT1RC, wanted_B, reference_BK = (
            torch.from_numpy(np.stack(x)).float() for x in (rows, wanted, references)
        )
        return windows_BT1RC.unsqueeze(2), wanted_B, reference_BK

    for _ in range(steps):
        windows_BT1RC, wanted_BTK, reference_BK = draw(clips, "coefficients")
        error_BTK = network(reference_BK, windows_BT1RC) - wanted_BTK
        loss = torch.einsum("btk,kl,btl->bt", error_BTK, weights_KK, error_BTK).mean()
        if speech:
            windows_BT1RC, wanted_BT, reference_BK = draw(speech, "openings")
            opening_BT = (network(reference_BK, windows_BT1RC) - reference_BK[:, None]) @ gap_K
            loss = loss + scale * (opening_BT - wanted_BT).square().mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return network.eval()


@dataclass
class TestSet:
    """Clips to measure."""

    store: ClipStore
    clips: list[str]


@torch.inference_mode()
def correlations(
    network: AtNet, test: TestSet, landmarks: LandmarkModel, initial: InitialStatistics
) -> tuple[float, float]:
    """The mean correlation of the opening with the real one: from the clip's own speech, and from another's."""
    store, clips = test.store, test.clips
    own: list[float] = []
    other: list[float] = []
    for place, clip in enumerate(clips):
        normal_TL, opening_T = landmarks.normalize(store.points(clip)), mouth_opening(store.points(clip))
        closed = int(opening_T.argmin())
        reference_K = landmarks.project(normal_TL[closed])
        following = [*clips[place + 1 :], *clips[:place]]
        stranger = next((one for one in following if store.speaker(one) != store.speaker(clip)), following[0])
        for heard, values in ((clip, own), (stranger, other)):
            windows_TRC = normal_windows(FEATURES.compute(store.samples(heard)), initial, len(opening_T))
            coefficients_TK = network(
                torch.from_numpy(reference_K)[None], torch.from_numpy(windows_TRC)[None, :, None]
            )[0].numpy()
            drawn_TL = landmarks.move(normal_TL[closed], reference_K, coefficients_TK)
            values.append(np.corrcoef(mouth_opening(drawn_TL.reshape(-1, 68, 2)), opening_T)[0, 1])
    return float(np.nanmean(own)), float(np.nanmean(other))


def main() -> None:
    """Train each combination and print its row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True, help="data folder of a project with clips of GRID")
    parser.add_argument("--test", action="append", default=[], metavar="NAME=DATA", help="further clips to measure")
    parser.add_argument("--recordings", type=Path, help="recordings with transcripts.tsv")
    parser.add_argument("--speech", nargs="+", choices=("none", "synthetic", "recorded"), default=["none", "synthetic"])
    parser.add_argument("--count", type=int, default=700, help="sounds without video")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    torch.set_num_threads(1)
    landmarks, store = LandmarkModel.load(pretrained_folder() / "landmarks"), ClipStore(options.train)
    statistics = Statistics(FEATURES.coefficients)
    for clip in store.ids("train"):
        statistics.add(FEATURES.compute(store.samples(clip)))
    initial = statistics.initial()
    tests = {"test": TestSet(store, store.ids("test"))}
    for name, _, folder in (one.partition("=") for one in options.test):
        other = ClipStore(folder)
        tests[name] = TestSet(other, [clip for split in ("train", "val", "test") for clip in other.ids(split)])
    clips = examples_of_clips(store, landmarks, initial)
    print("| speech without video | seed |", *(f"{name}: own | other |" for name in tests))
    for kind in options.speech:
        speech = examples_of_speech(kind, options.recordings, options.count, initial)
        for seed in options.seeds:
            network = trained(clips, speech, landmarks, options.steps, seed)
            results = [correlations(network, test, landmarks, initial) for test in tests.values()]
            cells = [f"{own:.2f} | {other:.2f} |" for own, other in results]
            print(f"| {kind} ({len(speech)}) | {seed} |", *cells, flush=True)


if __name__ == "__main__":
    main()
