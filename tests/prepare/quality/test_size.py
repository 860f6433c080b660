"""Crops of 256 pixels have rows of their own and the same verdicts."""

import logging
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.faces.crop import rescale
from pipeline.prepare.faces import build_faces, warn_of_enlargement
from pipeline.prepare.manifest import read_manifest
from pipeline.prepare.quality.contact_sheet import Sources, draw_card
from pipeline.prepare.quality.report import quality_table
from pipeline.shards.clip_store import ClipStore
from tests.prepare.quality.conftest import DEFECTS, Judged

pytestmark = pytest.mark.slow

WORDS = ("BLURRED", "SHAKING", "TWO", "STILL", "GREAT", "FAMILY", "EVERY")


@pytest.fixture(scope="module")
def large(judged: Judged, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """The stage landmarks with size 256 after a run with 128."""
    folder = tmp_path_factory.mktemp("large") / "faces"
    shutil.copytree(judged.folder / "faces", folder)
    clips = [row for row in read_manifest(judged.folder / "clips") if row.id.startswith(WORDS)]
    params = replace(judged.params.landmarks, size=256)
    return folder, build_faces(clips, judged.folder / "clips", judged.root, params, folder, 1)


def test_the_same_metrics_and_verdicts(judged: Judged, large: tuple[Path, list[dict[str, Any]]]) -> None:
    rows = [{name: cell for name, cell in row.items() if name not in ("shard", "row")} for row in large[1]]
    small = {row["id"]: row for row in judged.faces}
    assert {row["reason"] for row in rows} == {DEFECTS.get(word, ("", None, ""))[2] for word in WORDS}
    for row in rows:
        assert {name: small[row["id"]][name] for name in row} == pytest.approx(row, nan_ok=True)


def test_rows_of_another_size_are_replaced(judged: Judged, large: tuple[Path, list[dict[str, Any]]]) -> None:
    names = [{path.name for path in one.glob("shard-*")} for one in (judged.folder / "faces", large[0])]
    assert names[1]
    assert not names[0] & names[1]
    small, store = ClipStore(judged.folder), ClipStore(large[0].parent)
    assert (small.size, store.size) == (128, 256)
    clips = store.ids("train")
    assert small.digest(clips, speech=False) != store.digest(clips, speech=False)
    for clip in clips:
        assert store.frames(clip).shape == (store.length(clip), 256, 256, 3)
        np.testing.assert_array_equal(store.points(clip), rescale(small.points(clip), 128, 256))


def test_cards_show_the_same_crop(judged: Judged, large: tuple[Path, list[dict[str, Any]]]) -> None:
    clips = {row["id"]: row for row in judged.clips}
    cards = []
    for size, folder, rows in ((128, judged.folder / "faces", judged.faces), (256, *large)):
        (row,) = quality_table([clips["BLURRED/train/BLURRED_00001"]], rows).to_dict("records")
        faces = {one["id"]: one for one in rows}
        cards.append(draw_card(row, Sources(clips, faces, root=judged.root, shards=folder, size=size)))
    assert np.abs(cards[0].astype(int) - cards[1]).mean() < 0.1


def test_a_warning_about_enlarged_crops(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for sizes, size in (([90.0, 120.0, 300.0], 128), ([90.0, 175.0, 180.0], 256)):
            warn_of_enlargement(sizes, size)
        assert not caplog.messages
        warn_of_enlargement([90.0, 120.0, 300.0], 256)
    assert caplog.messages == [
        "landmarks.size is 256, and the clips have 120 pixels (median) behind a side of the crop: it only enlarges "
        "them. Set it to 128, or give videos with larger faces."
    ]
