"""The published weights in an evaluation: their clips, and their row beside the project's models."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.bundles.location import find_bundle
from pipeline.config.params import Params
from pipeline.corpora.alignment import unpack
from pipeline.corpora.registry import open_corpus
from pipeline.evaluation.baselines.base import BaselineEntry, Generated, NotGenerated, TestClip, at_vg
from pipeline.evaluation.clips import StoredClips, lengthened, other_clip
from pipeline.faces.crop import from_crop
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.similarity import apply_similarity, fit_similarity
from pipeline.media import read_frames
from pipeline.metrics.transcript import transcribe
from pipeline.preprocessing.published.faces import box_around, cut_region
from pipeline.preprocessing.published.recipe import PublishedPreprocessing
from pipeline.preprocessing.published.sound import read_clip_speech
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.sound import Sound


class SourceClips(StoredClips):
    """Regions of the corpus's own video files, cut as for the published weights, and their windows of the sound.

    The stage landmarks gives the face and its points, to fractions of a pixel, so no frame is lost.
    """

    def __init__(self, store: ClipStore, root: Path, preprocessing: PublishedPreprocessing) -> None:
        """``root`` is the corpus's folder."""
        super().__init__(store)
        self._root, self._preprocessing = root, preprocessing

    def load(self, clip: str) -> TestClip:
        """As `StoredClips`. Raises PipelineError if the file cannot be read or has changed since the stages read it."""
        source = self._store.source(clip)
        points_T68x2 = from_crop(self._store.points(clip), self._store.transform(clip))
        path = self._root / source["path"]
        frames = read_frames(path, start=source["start"], duration=len(points_T68x2) / FPS)
        template, crop = self._preprocessing.template, self._preprocessing.recipe.crop
        regions = [
            cut_region(frame, box_around(points), points, template, crop)
            for frame, points in zip(frames, points_T68x2, strict=False)
        ]
        count = len(regions)
        if count != len(points_T68x2):
            raise PipelineError(f"{path} has {count} frames where data/faces has {len(points_T68x2)}. Run `dvc repro`.")
        pictures, points_in_region = (np.stack(arrays) for arrays in zip(*regions, strict=True))
        other = other_clip(self._store, clip)
        return TestClip(
            clip,
            source["speaker"],
            pictures,
            points_in_region,
            lengthened(self._windows(clip), count),
            other_TRC=lengthened(self._windows(other), count) if other else None,
            transcript=transcribe(unpack(source["words"]), count),
        )

    def _windows(self, clip: str) -> NDArray[np.float32]:
        source, frames = self._store.source(clip), self._store.length(clip)
        samples_N = read_clip_speech(self._root / source["path"], source["start"], frames / FPS)
        return np.concatenate(list(self._preprocessing.windows(Sound([samples_N]), frames)))


def published_row(params: Params, project: StrPath, store: ClipStore) -> list[BaselineEntry]:
    """The method that the parameter `evaluate.published` names, as a list of one; empty if it names none.

    The published weights get a clip as they were trained, from the corpus's own file. Their frames are laid onto the
    crops of the other methods by the points of the reference, the only frame whose place they know. The reference
    fills the rest of the crop. Raises PipelineError if the bundle holds other networks.
    """
    name = params.evaluate.published
    bundle = find_bundle(name, param="evaluate.published") if name else None
    if bundle is None:
        return []
    head = TalkingHead.from_pretrained(bundle, params.vgnet.precision)
    if not isinstance(head.preprocessing, PublishedPreprocessing):
        raise PipelineError(
            f"evaluate.published: {bundle} holds no published weights. Name a folder that atvgnet import-upstream "
            "wrote, or leave it empty."
        )
    clips = SourceClips(store, open_corpus(params, project).root, head.preprocessing)

    def generate(_: TalkingHead, clip: TestClip) -> Generated:
        if clip.other_reference is not None:
            raise NotGenerated("the published weights are measured beside others by the protocol full alone")
        source = clips.load(clip.id)
        laid = lay_back(at_vg(head, source), source, clip)
        return replace(laid, attention_THW=None, colour_THWC=None, coefficients_2TK=None)

    return [BaselineEntry("published", "the published weights, from speech alone", generate)]


def lay_back(generated: Generated, source: TestClip, target: TestClip) -> Generated:
    """Move frames and points from the region of ``source`` to the crops of ``target``, by the reference's points."""
    assert generated.points_T68x2 is not None
    reference_HWC, side = target.reference.image_HWC, target.frames_THWC.shape[1]
    onto = fit_similarity(source.reference.points_68x2, target.reference.points_68x2)
    shown_HW = _warp(np.where(source.reference.image_HWC.any(axis=2), 255, 0).astype(np.uint8), onto, side)
    inside_HW1 = (shown_HW == 255)[:, :, None]  # pixels beyond the source picture are black
    frames = [np.where(inside_HW1, _warp(frame, onto, side), reference_HWC) for frame in generated.frames_THWC]
    points = [apply_similarity(onto, points_68x2).astype(np.float32) for points_68x2 in generated.points_T68x2]
    return replace(generated, frames_THWC=np.stack(frames), points_T68x2=np.stack(points))


def _warp(image: NDArray[np.uint8], onto_2x3: NDArray[np.float64], side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.warpAffine(image, onto_2x3, (side, side), flags=cv2.INTER_LINEAR), np.uint8)
