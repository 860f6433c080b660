"""The published weights as a row of the evaluation, on a real clip."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.config.params import Evaluate, Params
from pipeline.corpora.registry import open_corpus
from pipeline.evaluation.baselines import BASELINES
from pipeline.evaluation.baselines.base import Generated, NotGenerated
from pipeline.evaluation.clips import StoredClips
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.published import SourceClips, lay_back, published_row
from pipeline.inference.talking_head import TalkingHead
from pipeline.preprocessing.published.recipe import PublishedPreprocessing
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore

CLIP = "FAMILY/test/FAMILY_00001"


@pytest.mark.slow
def test_the_region_is_placed_in_the_crop(prepared: tuple[Params, Path], preprocessing: PublishedPreprocessing) -> None:
    params, folder = prepared
    store = ClipStore(folder)
    ours = StoredClips(store).load(CLIP)
    theirs = SourceClips(store, open_corpus(params, folder).root, preprocessing).load(CLIP)
    laid = lay_back(Generated(theirs.frames_THWC, theirs.points_T68x2), theirs, ours)
    assert laid.points_T68x2 is not None
    np.testing.assert_allclose(laid.points_T68x2[0], ours.points_T68x2[0], atol=0.1)
    # The same picture, once more interpolated; where the region ends, above the chin, the reference goes on.
    apart = np.abs(laid.frames_THWC[0].astype(int) - ours.frames_THWC[0])
    assert apart[20:108, 20:108].mean() < 6
    assert apart.mean() < 5
    shifted = np.roll(ours.frames_THWC[0], 2, axis=1)
    assert np.abs(laid.frames_THWC[0].astype(int) - shifted)[20:108, 20:108].mean() > apart[20:108, 20:108].mean()


@pytest.mark.slow
def test_the_row_is_measured_like_the_others(prepared: tuple[Params, Path], imported: Path, tmp_path: Path) -> None:
    params, folder = prepared
    store, head = ClipStore(folder), TalkingHead.from_pretrained()
    params = replace(params, evaluate=replace(params.evaluate, published=str(imported)))
    (row,) = published_row(params, folder, store)
    summary = evaluate(head, StoredClips(store), params.evaluate, 0, tmp_path / "with", 1, extra_methods=[row])
    # All clips say the same word, so that no other one's sound can be lent.
    assert list(summary) == ["published", *(name for name in BASELINES if name != "mismatched")]
    # Its weights are drawn by a rule, so it paints nothing like a face: what counts is that it is measured alike.
    assert {"psnr", "ssim", "lost"} <= set(summary["published"])
    evaluate(head, StoredClips(store), params.evaluate, 0, tmp_path / "without", 1)
    table, before = (pd.read_csv(tmp_path / name / "clips.csv") for name in ("with", "without"))
    pd.testing.assert_frame_equal(table[table["method"] != "published"].reset_index(drop=True), before)

    given = StoredClips(store).load(CLIP)
    with pytest.raises(NotGenerated, match="by the protocol full alone"):
        row.generate(head, replace(given, other_reference=given.reference))


@pytest.mark.slow
def test_other_bundles_are_rejected(prepared: tuple[Params, Path], tmp_path: Path) -> None:
    params, folder = prepared
    store = ClipStore(folder)
    assert published_row(params, folder, store) == []
    for value, message in (
        (str(tmp_path / "none"), r"^evaluate.published: .*none is not a folder"),
        (str(Path("models/pretrained").absolute()), "holds no published weights"),
    ):
        with pytest.raises(PipelineError, match=message):
            published_row(replace(params, evaluate=Evaluate(published=value)), folder, store)
