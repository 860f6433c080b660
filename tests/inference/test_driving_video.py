"""Driving: the face moves like that of another video."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.faces.crop import CROP
from pipeline.inference.generator import Generator
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.inference.tracked import track
from pipeline.inference.video import generate_video
from pipeline.landmarks.shape import mouth_opening
from pipeline.media import read_audio, read_frames
from pipeline.runtime.errors import PipelineError


@pytest.mark.slow
def test_the_mouth_follows_the_other_video(shipped: TalkingHead, face_file: Path, clip: Path, tmp_path: Path) -> None:
    """The mouth of VG-net's landmarks opens like the other mouth. The sound is that of the other video."""
    out = tmp_path / "out.mp4"
    assert generate_video(shipped, face_file, None, out, drive=clip)[:2] == (75, (360, 288))
    points_T68x2 = track(clip, read_frames(clip), "prominent", CROP).crop_points_T68x2
    other = mouth_opening(points_T68x2)

    def opening(strength: float) -> np.ndarray:
        generator = Generator(shipped, face_file, Settings(strength=strength))
        return mouth_opening(np.concatenate([painted.points_T68x2 for painted in generator.follow(points_T68x2)]))

    assert np.corrcoef(opening(1.0), other)[0, 1] > 0.95
    assert opening(0.5).std() == pytest.approx(opening(1.0).std() / 2, rel=0.2)
    written, original = read_audio(out), read_audio(clip)
    assert abs(len(written) - len(original)) <= 16
    assert np.corrcoef(written[: len(original)], original[: len(written)])[0, 1] > 0.98
    assert len(list(read_frames(out))) == 75


def test_inputs_that_exclude_each_other(
    shipped: TalkingHead, face_file: Path, speech_file: Path, clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    for speech, drive in ((speech_file, clip), (None, None)):
        with pytest.raises(PipelineError, match="with --video a video that moves the face, and not both"):
            generate_video(shipped, face_file, speech, out, drive=drive)
    with pytest.raises(PipelineError, match="--video moves a still picture"):
        generate_video(shipped, clip, None, out, drive=clip)
    assert not list(tmp_path.iterdir())
