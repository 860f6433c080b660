"""Test clips cut from the corpus's own files, against what the original would have cut, on real ones."""

import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.params import Extract, Landmarks, Params
from pipeline.corpora.lrw import LrwParams
from pipeline.corpora.registry import open_corpus
from pipeline.evaluation.published_clips import SourceClips
from pipeline.inference.published.preprocessing import PublishedPreprocessing
from pipeline.media import VideoWriter, read_audio, read_frames
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore


@pytest.fixture(scope="module")
def prepared(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus of one real clip in each split, and what the stages make of it."""
    folder = tmp_path_factory.mktemp("clips")
    for split in ("train", "val", "test"):
        path = folder / f"corpus/lipread_mp4/FAMILY/{split}/FAMILY_00001.mp4"
        path.parent.mkdir(parents=True)
        shutil.copyfile(corpora / "lrw_like/lipread_mp4/FAMILY/val/FAMILY_00003.mp4", path)
    params = Params(corpus="lrw", corpora={"lrw": asdict(LrwParams(root=str(folder / "corpus")))})
    corpus = open_corpus(params, folder)
    clips = extract(corpus, Extract(), folder / "clips", 1)
    build_faces(clips, folder / "clips", corpus.root, Landmarks(), folder / "faces", 1)
    return folder


@pytest.fixture
def clips(prepared: Path, preprocessing: PublishedPreprocessing) -> SourceClips:
    return SourceClips(ClipStore(prepared), prepared / "corpus" / "lipread_mp4", preprocessing)


def test_regions_are_nearly_those_of_the_original(
    clips: SourceClips, prepared: Path, preprocessing: PublishedPreprocessing
) -> None:
    """Which searches for the face in every frame again, and for its points in whole pixels."""
    (name,) = clips.ids("test")
    clip = clips.load(name)
    frames = list(read_frames(next(prepared.glob("corpus/*/*/test/*.mp4"))))
    assert len(clip.frames_THWC) == len(clip.points_T68x2) == len(frames) == 29
    for number in (0, 14, 28):
        reference = preprocessing.reference(frames[number])
        assert reference is not None
        assert np.abs(reference.image_HWC.astype(int) - clip.frames_THWC[number]).mean() < 4
        assert np.abs(reference.points_68x2 - clip.points_T68x2[number]).mean() < 1
    (heard,) = preprocessing.windows(clips.samples(name), 29)
    np.testing.assert_array_equal(clip.windows_TRC, heard)


def test_a_file_that_has_changed_is_named(clips: SourceClips, prepared: Path) -> None:
    (name,) = clips.ids("test")
    path = next(prepared.glob("corpus/*/*/test/*.mp4"))
    frames, sound = list(read_frames(path)), read_audio(path)
    kept = path.read_bytes()
    with VideoWriter(path, size=(256, 256), audio=sound[: 20 * 640]) as video:
        for frame in frames[:20]:
            video.write(frame)
    with pytest.raises(PipelineError, match=r"\.mp4 has 20 frames where data/faces has 29\. Run `dvc repro`"):
        clips.load(name)
    path.write_bytes(kept)
