"""Studies of how the models bear changed inputs, a table each (docs/evaluation.md).

Pictures from inexact landmarks, and landmarks from noisy speech, follow Chen et al., CVPR 2019. The studies of speech
measure the error of AT-net's mouth points, before anything is painted (`drawn_lmd`).
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from pipeline.evaluation.baselines.base import REFERENCE_FRAME, TestClip, paint_landmarks, speech_landmarks
from pipeline.evaluation.bootstrap import intervals
from pipeline.evaluation.clips import StoredClips
from pipeline.evaluation.evaluate import choose_clips, choose_test_clips
from pipeline.faces.crop import SIZE, rescale
from pipeline.inference.talking_head import TalkingHead
from pipeline.metrics.compute import compute_metrics
from pipeline.metrics.landmarks import landmark_distance
from pipeline.metrics.observe import observe
from pipeline.runtime.clock import RATE, frames_of
from pipeline.runtime.files import replacing
from pipeline.runtime.progress import with_progress
from pipeline.speech.sound import Sound

BABBLERS = 6
"""Clips of the training split that are mixed to babble."""


@dataclass(frozen=True)
class StudyClip:
    """A test clip, and what a study may change it with."""

    clip: TestClip
    samples_N: NDArray[np.int16]
    """The clip's sound, mono at 16 kHz."""
    babble_N: NDArray[np.float64]
    """Several other speakers at once, at least as long as the clip."""
    seed: int
    """Of this clip's noise."""


@dataclass(frozen=True)
class Study:
    """A change by levels, and the metrics of a clip at each level."""

    name: str
    """The name of its table, ``studies/NAME.csv``."""
    title: str
    level: str
    """What the levels are, with the unit."""
    levels: Sequence[float]
    metrics: Sequence[str]
    compute: Callable[[TalkingHead, StudyClip, float], Mapping[str, float]]
    """Some or all of these metrics, of a clip at a level."""


def add_landmark_noise(head: TalkingHead, study_clip: StudyClip, deviation: float) -> Mapping[str, float]:
    """All metrics with Gaussian noise of ``deviation`` pixels of a 128x128 face on every point of every frame."""
    clip = study_clip.clip
    noise = np.random.default_rng(study_clip.seed).normal(size=clip.points_T68x2.shape)
    scale = deviation * clip.frames_THWC.shape[1] / SIZE
    points = clip.points_T68x2 + (scale * noise).astype(np.float32)
    landmarks_TL = head.preprocessing.normalize(points, clip.reference.points_68x2)
    judged = slice(REFERENCE_FRAME + 1, None)
    fake = paint_landmarks(head, clip, landmarks_TL).frames_THWC[judged]
    return compute_metrics(observe(clip.frames_THWC[judged]), observe(fake)).values


SoundChange = Callable[[NDArray[np.float64], StudyClip, float], NDArray[np.float64]]
"""Changes samples (N,) in [-1, 1] to a level."""


def white_noise(samples_N: NDArray[np.float64], study_clip: StudyClip, ratio: float) -> NDArray[np.float64]:
    """Add white noise at a signal-to-noise ratio in dB."""
    return _mixed(samples_N, np.random.default_rng(study_clip.seed).normal(size=len(samples_N)), ratio)


def babble(samples_N: NDArray[np.float64], study_clip: StudyClip, ratio: float) -> NDArray[np.float64]:
    """Add other speakers at a signal-to-noise ratio in dB."""
    return _mixed(samples_N, study_clip.babble_N[: len(samples_N)], ratio)


def _mixed(samples_N: NDArray[np.float64], noise_N: NDArray[np.float64], ratio: float) -> NDArray[np.float64]:
    """The sum, scaled down where it would exceed full scale."""
    power = np.mean(samples_N**2) / max(float(np.mean(noise_N**2)), 1e-12)
    mixed_N = samples_N + noise_N * np.sqrt(power / 10 ** (ratio / 10))
    return np.asarray(mixed_N / max(1.0, float(np.abs(mixed_N).max())))


def pitch(samples_N: NDArray[np.float64], study_clip: StudyClip, semitones: float) -> NDArray[np.float64]:
    """Shift the whole spectrum, vowels too, at the same length (a phase vocoder)."""
    from librosa.effects import pitch_shift

    return np.asarray(pitch_shift(samples_N, sr=RATE, n_steps=semitones))


def rate(samples_N: NDArray[np.float64], study_clip: StudyClip, times: float) -> NDArray[np.float64]:
    """Speak ``times`` as fast at the same pitch (a phase vocoder)."""
    from librosa.effects import time_stretch

    return np.asarray(time_stretch(samples_N, rate=times))


def voice(samples_N: NDArray[np.float64], study_clip: StudyClip, semitones: float) -> NDArray[np.float64]:
    """Shift the formants and keep the pitch, as another throat does.

    The spectral envelope of each frame of a short-time Fourier transform, the first 30 of 513 cepstral coefficients,
    is shifted.
    """
    from librosa import istft, stft

    spectrum_FT = stft(samples_N, n_fft=1024)
    log_FT = np.log(np.abs(spectrum_FT) + 1e-6)
    cepstrum = np.fft.irfft(log_FT, axis=0)
    cepstrum[30:-29] = 0
    envelope_FT = np.fft.rfft(cepstrum, axis=0).real
    bins = np.arange(len(log_FT))
    source = bins / 2 ** (semitones / 12)
    shifted_FT = np.stack([np.interp(source, bins, envelope) for envelope in envelope_FT.T], axis=1)
    return np.asarray(istft(spectrum_FT * np.exp(shifted_FT - envelope_FT), length=len(samples_N)))


def landmark_error(change: SoundChange, head: TalkingHead, study_clip: StudyClip, level: float) -> Mapping[str, float]:
    """The error of AT-net's landmarks on changed speech, at the times of the original speech."""
    clip, frames = study_clip.clip, len(study_clip.clip.frames_THWC)
    changed_N = change(study_clip.samples_N / 32768.0, study_clip, level)
    samples_N = np.clip(np.round(changed_N * 32768), -32768, 32767).astype(np.int16)
    changed_frames = max(1, frames_of(len(samples_N))) if change is rate else frames
    windows_TRC = np.concatenate(list(head.preprocessing.windows(Sound([samples_N]), changed_frames)))
    landmarks_TL = _stretched(speech_landmarks(head, clip, windows_TRC), frames)
    fake_T68x2 = head.preprocessing.place(landmarks_TL, clip.reference.points_68x2)
    fake, real = (
        torch.from_numpy(rescale(points, clip.frames_THWC.shape[1], SIZE)[REFERENCE_FRAME + 1 :])
        for points in (fake_T68x2, clip.points_T68x2)
    )
    return {"drawn_lmd": float(landmark_distance(fake, real).mean())}


def _stretched(landmarks_TL: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """The landmarks, linearly interpolated to this number of frames."""
    if len(landmarks_TL) == frames:
        return landmarks_TL
    times = np.linspace(0, len(landmarks_TL) - 1, frames)
    columns = [np.interp(times, np.arange(len(landmarks_TL)), column) for column in landmarks_TL.T]
    return np.stack(columns, axis=1).astype(np.float32)


def _sound_study(name: str, title: str, level: str, levels: Sequence[float], change: SoundChange) -> Study:
    return Study(name, title, level, levels, ("drawn_lmd",), partial(landmark_error, change))


_PIXELS, _DB = "deviation of the noise, px of the 128x128 face", "signal to noise, dB"
_FORMANTS = "shift of the formants, semitones"
_LEVELS_PX = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
_LEVELS_DB = (-30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0)
_PICTURES = ("psnr", "ssim", "lmd", "lost")
_ALL = (
    Study("landmark_noise", "Pictures from noisy landmarks", _PIXELS, _LEVELS_PX, _PICTURES, add_landmark_noise),
    _sound_study("white_noise", "Landmarks from speech in white noise", _DB, _LEVELS_DB, white_noise),
    _sound_study("babble", "Landmarks from speech among speakers", _DB, _LEVELS_DB, babble),
    _sound_study("pitch", "Landmarks from higher and lower speech", "semitones", (-6.0, -3.0, 0.0, 3.0, 6.0), pitch),
    _sound_study("voice", "Landmarks from another voice", _FORMANTS, (-4.0, -2.0, 0.0, 2.0, 4.0), voice),
    _sound_study("rate", "Landmarks from faster and slower speech", "times as fast", (0.7, 0.85, 1.0, 1.15, 1.3), rate),
)
STUDIES = {study.name: study for study in _ALL}
"""All studies by name."""


def run_studies(head: TalkingHead, clips: StoredClips, count: int, seed: int, out: Path) -> dict[str, pd.DataFrame]:
    """Run every study on ``count`` clips of the test split (0 for all), and write ``out/NAME.csv``.

    The seed is of the choice of clips, the noise and the intervals. Returns the tables by name, a row per level:
    ``level``, the mean over clips of every metric with its 95% interval (``lmd``, ``lmd_low``, ``lmd_high``), and the
    number of ``clips``. Raises PipelineError if the test split has no clip.
    """
    ids = choose_test_clips(clips, count, seed)
    babble_N = _mixed_speakers(clips, seed)
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in STUDIES}
    for clip in with_progress(ids, "studies", len(ids)):
        samples_N = clips.samples(clip)
        clip_seed = zlib.crc32(f"{seed}:{clip}".encode())
        study_clip = StudyClip(clips.load(clip), samples_N, np.resize(babble_N, len(samples_N)), clip_seed)
        for name, study in STUDIES.items():
            for level in study.levels:
                values = study.compute(head, study_clip, level)
                rows[name].append({"level": level, "speaker": study_clip.clip.speaker, **values})
    tables = {name: _table(study, pd.DataFrame(rows[name]), seed) for name, study in STUDIES.items()}
    out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        with replacing(out / f"{name}.csv") as unfinished:
            table.to_csv(unfinished, index=False, float_format="%.6f", lineterminator="\n")
    return tables


def _mixed_speakers(clips: StoredClips, seed: int) -> NDArray[np.float64]:
    """The sum of some training clips at equal level, as long as the shortest of them."""
    chosen = choose_clips(clips.ids("train"), BABBLERS, seed)
    voices = [clips.samples(clip) / 32768.0 for clip in chosen]
    length = min(map(len, voices))
    levels = [max(float(np.sqrt(np.mean(voice**2))), 1e-6) for voice in voices]
    return np.asarray(np.sum([voice[:length] / level for voice, level in zip(voices, levels, strict=True)], axis=0))


def _table(study: Study, rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The rows of all clips, averaged by level."""
    table = []
    for level, of_level in rows.groupby("level", sort=False):
        metrics = [name for name in study.metrics if name in of_level]
        low, high = intervals(of_level[metrics].to_numpy(float), list(of_level["speaker"]), seed)
        row = {"level": level}
        for number, name in enumerate(metrics):
            row |= {name: of_level[name].mean(), f"{name}_low": low[number], f"{name}_high": high[number]}
        table.append({**row, "clips": len(of_level)})
    return pd.DataFrame(table)
