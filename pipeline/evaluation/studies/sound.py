"""How AT-net bears sound that is not what it learnt from: noise (as Chen et al., CVPR 2019), another voice or rate.

Each curve is the error of the mouth's points before anything is painted (`drawn_lmd`).
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.evaluation.baselines.base import REFERENCE_FRAME, speech_landmarks
from pipeline.evaluation.studies.base import Material, Study, register
from pipeline.faces.crop import SIZE, rescale
from pipeline.inference.talking_head import TalkingHead
from pipeline.metrics.landmarks import landmark_distance
from pipeline.runtime.clock import RATE, frames_of
from pipeline.speech.sound import Sound

NOISE_DB = (-30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0)
METRIC = "drawn_lmd"

Change = Callable[[NDArray[np.float64], Material, float], NDArray[np.float64]]
"""Samples (N,) in [-1, 1] at a level."""


def white(samples_N: NDArray[np.float64], material: Material, ratio: float) -> NDArray[np.float64]:
    """With white noise, at a ratio of signal to noise in dB."""
    return _with(samples_N, np.random.default_rng(material.seed).normal(size=len(samples_N)), ratio)


def babble(samples_N: NDArray[np.float64], material: Material, ratio: float) -> NDArray[np.float64]:
    """With others who speak at once, at a ratio of signal to noise in dB."""
    return _with(samples_N, material.babble_N[: len(samples_N)], ratio)


def pitch(samples_N: NDArray[np.float64], material: Material, semitones: float) -> NDArray[np.float64]:
    """Higher or lower as a whole, vowels too, and as long as before (a phase vocoder)."""
    from librosa.effects import pitch_shift

    return np.asarray(pitch_shift(samples_N, sr=RATE, n_steps=semitones))


def rate(samples_N: NDArray[np.float64], material: Material, times: float) -> NDArray[np.float64]:
    """So many times as fast, at the same pitch (a phase vocoder)."""
    from librosa.effects import time_stretch

    return np.asarray(time_stretch(samples_N, rate=times))


def voice(samples_N: NDArray[np.float64], material: Material, strength: float) -> NDArray[np.float64]:
    """Another voice: the spectrum's envelope, which the throat makes, shifted by ``strength`` semitones while the pitch
    stays. Of each frame of a short-time Fourier transform the envelope is the cepstrum's first 30 of 513.
    """
    from librosa import istft, stft

    spectrum_FT = stft(samples_N, n_fft=1024)
    log_FT = np.log(np.abs(spectrum_FT) + 1e-6)
    cepstrum = np.fft.irfft(log_FT, axis=0)
    cepstrum[30:-29] = 0
    envelope_FT = np.fft.rfft(cepstrum, axis=0).real
    bins = np.arange(len(log_FT))
    read = bins / 2 ** (strength / 12)
    moved_FT = np.stack([np.interp(read, bins, envelope) for envelope in envelope_FT.T], axis=1)
    return np.asarray(istft(spectrum_FT * np.exp(moved_FT - envelope_FT), length=len(samples_N)))


def _with(samples_N: NDArray[np.float64], noise_N: NDArray[np.float64], ratio: float) -> NDArray[np.float64]:
    """The loudest sample is at most full scale, as any recorder sees to it."""
    power = np.mean(samples_N**2) / max(float(np.mean(noise_N**2)), 1e-12)
    mixed_N = samples_N + noise_N * np.sqrt(power / 10 ** (ratio / 10))
    return np.asarray(mixed_N / max(1.0, float(np.abs(mixed_N).max())))


def measured(change: Change) -> Callable[[TalkingHead, Material, float], Mapping[str, float]]:
    """The error of AT-net's landmarks on changed speech, at the times of the speech as it was."""

    def measure(head: TalkingHead, material: Material, level: float) -> Mapping[str, float]:
        clip, frames = material.clip, len(material.clip.frames_THWC)
        changed_N = change(material.samples_N / 32768.0, material, level)
        samples_N = np.clip(np.round(changed_N * 32768), -32768, 32767).astype(np.int16)
        heard = max(1, frames_of(len(samples_N))) if change is rate else frames
        windows_TRC = np.concatenate(list(head.preprocessing.windows(Sound([samples_N]), heard)))
        landmarks_TL = _at_times_of(speech_landmarks(head, clip, windows_TRC), frames)
        fake_T68x2 = head.preprocessing.place(landmarks_TL, clip.reference.points_68x2)
        size, judged = clip.frames_THWC.shape[1], slice(REFERENCE_FRAME + 1, None)
        fake, real = (torch.from_numpy(rescale(one, size, SIZE)[judged]) for one in (fake_T68x2, clip.points_T68x2))
        return {METRIC: float(landmark_distance(fake, real).mean())}

    return measure


def _at_times_of(landmarks_TL: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """As many ``frames`` by linear interpolation, first and last at first and last."""
    if len(landmarks_TL) == frames:
        return landmarks_TL
    read = np.linspace(0, len(landmarks_TL) - 1, frames)
    columns = [np.interp(read, np.arange(len(landmarks_TL)), column) for column in landmarks_TL.T]
    return np.stack(columns, axis=1).astype(np.float32)


def _register(name: str, title: str, level: str, levels: tuple[float, ...], change: Change) -> None:
    register(Study(name, title, level, levels, measured(change), (METRIC,)))


_register("white_noise", "Landmarks from speech in white noise", "signal to noise, dB", NOISE_DB, white)
_register("babble", "Landmarks from speech among speakers", "signal to noise, dB", NOISE_DB, babble)
_register("pitch", "Landmarks from higher and lower speech", "semitones", (-6.0, -3.0, 0.0, 3.0, 6.0), pitch)
_register(
    "voice", "Landmarks from another voice", "shift of the formants, semitones", (-4.0, -2.0, 0.0, 2.0, 4.0), voice
)
_register("rate", "Landmarks from faster and slower speech", "times as fast", (0.7, 0.85, 1.0, 1.15, 1.3), rate)
