"""Test clips from the files of the corpus, compared with the original's crops on real clips."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.config.params import Params
from pipeline.evaluation.published import SourceClips
from pipeline.media import VideoWriter, read_audio, read_frames
from pipeline.preprocessing.published.recipe import PublishedPreprocessing
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.sound import Sound


@pytest.fixture
def clips(prepared: tuple[Params, Path], preprocessing: PublishedPreprocessing) -> SourceClips:
    _, folder = prepared
    return SourceClips(ClipStore(folder), folder / "corpus" / "lipread_mp4", preprocessing)


@pytest.mark.slow
def test_regions_are_nearly_those_of_the_original(
    clips: SourceClips, prepared: tuple[Params, Path], preprocessing: PublishedPreprocessing
) -> None:
    """The original detects the face again in every frame, and rounds its points to whole pixels."""
    (name,) = clips.ids("test")
    clip = clips.load(name)
    frames = list(read_frames(next(prepared[1].glob("corpus/*/*/test/*.mp4"))))
    assert len(clip.frames_THWC) == len(clip.points_T68x2) == len(frames) == 29
    for number in (0, 14, 28):
        reference = preprocessing.reference(frames[number])
        assert reference is not None
        assert np.abs(reference.image_HWC.astype(int) - clip.frames_THWC[number]).mean() < 4
        assert np.abs(reference.points_68x2 - clip.points_T68x2[number]).mean() < 1
    (heard,) = preprocessing.windows(Sound([clips.samples(name)]), 29, chunk=29)
    np.testing.assert_array_equal(clip.windows_TRC, heard)


@pytest.mark.slow
def test_a_changed_file_is_named(clips: SourceClips, prepared: tuple[Params, Path]) -> None:
    (name,) = clips.ids("test")
    path = next(prepared[1].glob("corpus/*/*/test/*.mp4"))
    frames, sound = list(read_frames(path)), read_audio(path)
    kept = path.read_bytes()
    with VideoWriter(path, size=(256, 256), audio=sound[: 20 * 640]) as video:
        for frame in frames[:20]:
            video.write(frame)
    with pytest.raises(PipelineError, match=r"\.mp4 has 20 frames where data/faces has 29\. Run `dvc repro`"):
        clips.load(name)
    path.write_bytes(kept)
