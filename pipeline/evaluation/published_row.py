"""The published weights beside the models of an evaluation, on the same frames."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import Params
from pipeline.corpora.registry import open_corpus
from pipeline.evaluation.baselines.at_vg import at_vg
from pipeline.evaluation.baselines.base import BaselineEntry, Generated, NotGenerated, TestClip
from pipeline.evaluation.published_clips import SourceClips
from pipeline.inference.published.preprocessing import PublishedPreprocessing
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.similarity import apply_similarity, fit_similarity
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath, bundle_folder
from pipeline.shards.clip_store import ClipStore


def published_row(params: Params, project: StrPath, store: ClipStore) -> list[BaselineEntry]:
    """The row of `evaluate.published`; none where it is empty.

    They see and hear a clip as they were trained to, from the corpus's own file, and what they paint is laid onto the
    crops of the other rows by the points of the reference, the only frame whose place they know. What their region
    does not show, the reference shows. Raises PipelineError when the bundle holds other networks.
    """
    bundle = bundle_folder(params.evaluate.published, "evaluate.published")
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
        if clip.given is not None:
            raise NotGenerated("the published weights are measured beside others by the protocol full alone")
        theirs = clips.load(clip.id)
        made = at_vg(head, theirs)
        assert made.points_T68x2 is not None
        return replace(lay_back(made, theirs, clip), attention_THW=None, colour_THWC=None, coefficients_2TK=None)

    return [BaselineEntry("published", "the published weights, from speech alone", generate)]


def lay_back(made: Generated, theirs: TestClip, ours: TestClip) -> Generated:
    """Frames and points of the region that ``theirs`` shows as frames and points of ``ours``, by the reference's points
    in both.
    """
    assert made.points_T68x2 is not None
    reference_HWC, side = ours.reference.image_HWC, ours.frames_THWC.shape[1]
    onto = fit_similarity(theirs.reference.points_68x2, ours.reference.points_68x2)
    shown_HW = _laid(np.where(theirs.reference.image_HWC.any(axis=2), 255, 0).astype(np.uint8), onto, side)
    inside_HW1 = (shown_HW == 255)[:, :, None]  # black is what lies beyond the square that the region was cut from
    frames = [np.where(inside_HW1, _laid(frame, onto, side), reference_HWC) for frame in made.frames_THWC]
    points = [apply_similarity(onto, one).astype(np.float32) for one in made.points_T68x2]
    return replace(made, frames_THWC=np.stack(frames), points_T68x2=np.stack(points))


def _laid(image: NDArray[np.uint8], onto_2x3: NDArray[np.float64], side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.warpAffine(image, onto_2x3, (side, side), flags=cv2.INTER_LINEAR), np.uint8)
