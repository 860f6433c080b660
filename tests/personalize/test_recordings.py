"""Whole recordings with late sound, other people's sound, and a second person."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.bundles.bundle import load_bundle
from pipeline.bundles.location import pretrained_folder
from pipeline.config.params import Params
from pipeline.media import read_audio, read_frames
from pipeline.personalize.footage import prepare
from pipeline.personalize.personalize import clip_params
from pipeline.runtime.clock import SAMPLES_PER_FRAME
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore
from tests.media.encode import encode, even_times
from tests.personalize.conftest import CLIPS

FRAMES = 75

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def params() -> Params:
    return clip_params(load_bundle(pretrained_folder()))


@pytest.fixture(scope="module")
def speech(video: Path) -> NDArray[np.int16]:
    """All sentences of the person in the video."""
    length = FRAMES * SAMPLES_PER_FRAME
    return np.concatenate([np.resize(read_audio(path), length) for path in sorted(video.glob("*.mpg"))])


def joined(video: Path, path: Path, sound: NDArray[np.int16]) -> Path:
    """Join the clips of the folder `video` to one file with this sound."""
    pictures = [frame for clip in sorted(video.glob("*.mpg")) for frame in list(read_frames(clip))[:FRAMES]]
    height, width = pictures[0].shape[:2]
    return encode(
        path,
        even_times(len(pictures), 25),
        size=(width, height),
        draw=lambda number: pictures[number],
        options={"preset": "ultrafast", "crf": "10"},
        audio=sound,
    )


def test_late_sound_is_shifted(
    video: Path, params: Params, speech: NDArray[np.int16], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    late = np.concatenate([np.zeros(10 * SAMPLES_PER_FRAME, np.int16), speech])[: len(speech)]
    prepare([joined(video, tmp_path / "me.mkv", late)], params, tmp_path / "work", jobs=1)
    found = re.search(r"me\.mkv: the sound is 0\.\d\d s late \((\d+) frames\) over the whole video", caplog.text)
    assert found is not None
    moved = int(found[1])
    assert abs(moved - 10) <= 1  # the lips decide, to within a frame
    store = ClipStore(tmp_path / "work")
    clip = store.ids("train")[0]
    np.testing.assert_array_equal(store.samples(clip), late[moved * SAMPLES_PER_FRAME :][: FRAMES * SAMPLES_PER_FRAME])


def test_other_peoples_sound_is_rejected(
    video: Path, params: Params, speech: NDArray[np.int16], tmp_path: Path
) -> None:
    other = np.roll(speech, len(speech) // 2 + 30 * SAMPLES_PER_FRAME)
    with pytest.raises(PipelineError, match=rf"has 0 clips .*\n  {CLIPS} x sound and lips do not go together over the"):
        prepare([joined(video, tmp_path / "me.mkv", other)], params, tmp_path / "work", jobs=1)


def test_a_second_person_is_left_out(
    corpora: Path, params: Params, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clips = [*sorted(corpora.glob("grid/s1/*.mpg"))[:5], *sorted(corpora.glob("grid/s31/*.mpg"))[:2]]
    prepare(clips, params, tmp_path, jobs=1)
    assert "The video shows 2 people. The one in 5 of 7 clips" in caplog.text
    store = ClipStore(tmp_path)
    kept = [clip for split in ("train", "val", "test") for clip in store.ids(split)]
    assert [clip.partition("-")[2].partition("#")[0] for clip in kept] == [path.stem for path in clips[:5]]
