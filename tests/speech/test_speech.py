from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.fft import dct

from pipeline.config.params import Normalisation, SpeechKind
from pipeline.runtime.clock import RATE
from pipeline.runtime.errors import PipelineError
from pipeline.speech.features import KINDS, SpeechFeatures, windows
from pipeline.speech.mel import HOP, embedding_mel, log_mel, mfcc
from pipeline.speech.normalisation import InitialStatistics
from pipeline.speech.sound import Sound
from pipeline.speech.streaming import stream_windows
from tests.factories import noise


def reference_bands(samples: NDArray[np.int16], row: int, window: float) -> NDArray[np.float64]:
    """The bands of one row by definition: Hann window, power, 26 Slaney mel bands, logarithm."""
    from librosa.filters import mel

    length = round(window * RATE)
    size = 512 if length <= 512 else 2048
    padded = np.pad(samples / 32768.0, size)
    middle = row * HOP + HOP // 2 + size
    piece = padded[middle - size // 2 : middle + size // 2]
    hann = np.pad(np.hanning(length + 1)[:-1], ((size - length) // 2, size - length - (size - length) // 2))
    power = np.abs(np.fft.rfft(piece * hann)) ** 2
    return np.asarray(np.log(mel(sr=RATE, n_fft=size, n_mels=26) @ power + 1e-8))


@pytest.mark.parametrize("window", [0.025, 0.04])
@pytest.mark.parametrize("row", [0, 1, 57, 99])
def test_mfcc_by_definition(row: int, window: float) -> None:
    samples = noise(1.0)
    expected = dct(reference_bands(samples, row, window), norm="ortho")[:13]
    np.testing.assert_allclose(mfcc(samples, window)[row], expected, atol=2e-3)


@pytest.mark.parametrize(("window", "size"), [(0.025, 512), (0.04, 2048)])
def test_mfcc_equal_librosas(window: float, size: int) -> None:
    """librosa gets silence at both ends of the sound."""
    import librosa

    samples = noise(1.0)
    power = librosa.feature.melspectrogram(
        y=np.pad(samples / 32768.0, ((size - HOP) // 2, size)),
        sr=RATE,
        n_fft=size,
        win_length=round(window * RATE),
        hop_length=HOP,
        center=False,
        n_mels=26,
        dtype=np.float64,
    )
    theirs = librosa.feature.mfcc(S=np.log(power + 1e-8), n_mfcc=13).T
    np.testing.assert_allclose(mfcc(samples, window), theirs[:100], atol=2**-11 + 1e-9, rtol=0)


@pytest.mark.parametrize("row", [0, 57, 99])
def test_log_mel_by_definition(row: int) -> None:
    """The level is the mean of the bands, as the first MFCC is up to a factor."""
    samples = noise(1.0)
    expected = reference_bands(samples, row, 0.025)
    np.testing.assert_allclose(log_mel(samples)[row], [expected.mean(), *expected], atol=1e-3)
    np.testing.assert_allclose(log_mel(samples)[row, 0] * np.sqrt(26), mfcc(samples)[row, 0], atol=1e-2)


def test_embedding_mel_equals_librosas() -> None:
    """librosa gets silence at both ends; its powers are of samples from -32,768 to 32,767."""
    import librosa

    samples = noise(1.0)
    power = librosa.feature.melspectrogram(
        y=np.pad(samples.astype(np.float64), ((512 - HOP) // 2, 512)),
        sr=RATE,
        n_fft=512,
        win_length=400,
        hop_length=HOP,
        center=False,
        n_mels=32,
        fmin=60,
        fmax=3800,
        dtype=np.float64,
    )[:, :100]
    bands = 2 + librosa.power_to_db(power, amin=1e-10, top_db=None).T / 10
    made = embedding_mel(samples)
    np.testing.assert_allclose(made[:, 1:], bands, atol=2e-3)
    np.testing.assert_allclose(made[:, 0], bands.mean(axis=1), atol=2e-3)


def test_mfcc_shapes() -> None:
    assert mfcc(noise(1.0)).shape == (100, 13)
    assert mfcc(noise(0.0)).shape == (0, 13)
    assert log_mel(noise(1.0)).shape == (100, 27)
    assert log_mel(noise(0.0)).shape == (0, 27)
    assert embedding_mel(noise(0.0)).shape == (0, 33)
    assert np.isfinite(mfcc(np.zeros(RATE, np.int16))).all()


def test_windows_are_centred_on_their_frame() -> None:
    """A click in the middle of frame 10 (0.42 s) is in the middle of its window, rows 13 and 14 of 28."""
    samples = np.zeros(RATE, np.int16)
    samples[int(0.42 * RATE)] = 30000
    rows = mfcc(samples)
    window = windows(rows, 25)[10]
    change = np.abs(window - window[0]).sum(axis=1)
    middle = (change * np.arange(28)).sum() / change.sum()
    assert middle == pytest.approx(13.5, abs=0.6)


def test_windows_have_the_rows_of_their_frame() -> None:
    rows = np.arange(400 * 13, dtype=np.float32).reshape(400, 13)
    cut = windows(rows, 100)
    assert cut.shape == (100, 28, 12)
    for frame in (3, 50, 95):
        np.testing.assert_array_equal(cut[frame], rows[4 * frame - 12 : 4 * frame + 16, 1:])
    np.testing.assert_array_equal(cut[0, :12], np.repeat(rows[:1, 1:], 12, axis=0))
    np.testing.assert_array_equal(cut[99, -12:], np.repeat(rows[-1:, 1:], 12, axis=0))


def test_windows_for_the_embedding_have_60_rows() -> None:
    rows = np.arange(400 * 33, dtype=np.float32).reshape(400, 33)
    np.testing.assert_array_equal(windows(rows, 100)[50], rows[4 * 50 - 28 : 4 * 50 + 32, 1:])


@given(st.integers(1, 500), st.integers(1, 130))
def test_windows_of_any_length(rows: int, frames: int) -> None:
    cut = windows(np.zeros((rows, 13), np.float32), frames)
    assert cut.shape == (frames, 28, 12)


def test_no_speech_is_an_error() -> None:
    with pytest.raises(ValueError, match="no speech"):
        windows(np.zeros((0, 13), np.float32), 5)


@settings(max_examples=40)
@given(
    st.integers(700, 80000),
    st.lists(st.integers(0, 80000), max_size=6),
    st.integers(1, 40),
    st.sampled_from([0.025, 0.1]),
    st.sampled_from(["mfcc", "log_mel", "embedding_mel"]),
    st.sampled_from(["none", "clip", "adaptive"]),
)
def test_streamed_windows_equal_all_at_once(
    samples: int, cuts: list[int], chunk: int, window: float, kind: SpeechKind, normalise: Normalisation
) -> None:
    """The blocks of the speech have no influence."""
    columns = KINDS[kind].coefficients
    initial = InitialStatistics((1.5,) * columns, (2.0,) * columns) if normalise == "adaptive" else None
    speech, features = noise(5.0)[:samples], SpeechFeatures.of(window, kind, normalise, initial)
    frames = -(-samples * 25 // RATE)
    whole = windows(features.finish(features.compute(speech)), frames)
    streamed = list(stream_windows(Sound(np.split(speech, sorted(cuts))), features, chunk=chunk))
    assert [len(part) for part in streamed[:-1]] == [chunk] * (len(streamed) - 1)
    np.testing.assert_allclose(np.concatenate(streamed), whole, atol=2**-10)


def test_frames_after_the_sound_repeat_its_end() -> None:
    features = SpeechFeatures.of(0.025)
    (streamed,) = stream_windows(Sound([noise(0.2)]), features, frames=9)
    np.testing.assert_array_equal(streamed, windows(features.compute(noise(0.2)), 9))


@pytest.mark.parametrize(
    "features",
    [
        SpeechFeatures.of(0.025),
        SpeechFeatures.of(0.025, normalise="adaptive", initial=InitialStatistics((0.0,) * 13, (1.0,) * 13)),
    ],
    ids=["none", "adaptive"],
)
def test_a_chunk_needs_no_more_sound_than_its_windows(features: SpeechFeatures) -> None:
    """0.64 s of frames, 0.12 s after the last frame, and the reach of the rows."""
    taken = 0

    def blocks() -> Iterator[NDArray[np.int16]]:
        nonlocal taken
        for taken in range(1, 301):  # noqa: B007 - counts the blocks that were read
            yield noise(0.01)

    chunks = stream_windows(Sound(blocks()), features)
    assert [(len(next(chunks)), taken) for _ in range(3)] == [(16, 78), (16, 142), (16, 206)]


def test_sound_keeps_samples_until_forget() -> None:
    sound = Sound([noise(1.0)[start : start + 1000] for start in range(0, RATE, 1000)])
    assert sound.until(2500) == 2500
    np.testing.assert_array_equal(sound.cut(900, 2500), noise(1.0)[900:2500])
    sound.forget(2100)
    np.testing.assert_array_equal(sound.cut(2000, 2500), noise(1.0)[2000:2500])
    assert sound.until() == RATE
    assert sound.until(50) == 50


def test_blocks_of_another_type_are_rejected() -> None:
    for wrong in (np.zeros(10, np.float32), np.zeros((2, 10), np.int16)):
        with pytest.raises(PipelineError, match="Give 16 kHz mono samples as int16"):
            Sound([wrong]).until(1)  # type: ignore[list-item]
