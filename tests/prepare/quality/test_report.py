"""The table, the plots and the contact sheet, of a corpus with one clip of every defect."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from matplotlib.container import BarContainer
from numpy.typing import NDArray
from PIL import Image

from pipeline.media import read_audio, read_frames
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.prepare.manifest import ManifestRow, read_manifest
from pipeline.prepare.quality import contact_sheet
from pipeline.prepare.quality.contact_sheet import Sources, choose_rejected, draw_card, draw_sheet
from pipeline.prepare.quality.limits import LIMITS, QUALITY_METRICS
from pipeline.prepare.quality.report import (
    histograms_figure,
    quality_table,
    summary,
    write_quality,
    write_report,
)
from tests.prepare.quality.conftest import DEFECTS, Judged

pytestmark = pytest.mark.slow

GREEN = np.array([0, 255, 0])


@pytest.fixture(scope="module")
def table(judged: Judged) -> pd.DataFrame:
    return quality_table(judged.clips, judged.faces)


@pytest.fixture(scope="module")
def sources(judged: Judged) -> Sources:
    clips, faces = ({row["id"]: row for row in rows} for rows in (judged.clips, judged.faces))
    return Sources(clips, faces, root=judged.root, shards=judged.folder / "faces", size=128)


def row_of(table: pd.DataFrame, word: str) -> dict[Any, Any]:
    (row,) = table[table["id"] == f"{word}/train/{word}_00001"].to_dict("records")
    return row


@pytest.mark.parametrize("word", DEFECTS)
def test_every_defect_has_its_stage_and_reason(table: pd.DataFrame, word: str) -> None:
    stage, _, reason = DEFECTS[word]
    row = row_of(table, word)
    assert (row["status"], row["stage"], row["reason"]) == ("rejected" if stage else "ok", stage, reason)


def test_every_clip_has_a_row(judged: Judged, table: pd.DataFrame) -> None:
    assert list(table["id"]) == [row["id"] for row in judged.clips]
    assert len(table) == len(DEFECTS) + 11
    assert (table["status"] == "rejected").sum() == len(DEFECTS) - 1
    assert (table["stage"] == "extract").sum() == 5


def test_unmeasured_metrics_are_empty(table: pd.DataFrame) -> None:
    measured = {
        word: set(metric for metric in QUALITY_METRICS if not pd.isna(row_of(table, word)[metric])) for word in DEFECTS
    }
    sound, whole = {"frames", "damaged", "level", "length_difference"}, set(QUALITY_METRICS)
    assert measured["EMPTY"] == {"frames"}
    assert measured["MUTE"] == {"frames", "damaged"}
    assert measured["SILENT"] == measured["HALF"] == sound
    assert measured["NOFACE"] == {*sound, "detected", "mouth"}
    assert measured["GOOD"] == measured["BLURRED"] == whole - {"sync"}


def test_sound_by_an_independent_computation(judged: Judged, table: pd.DataFrame) -> None:
    for word in ("GOOD", "HALF", "SHORT"):
        row = row_of(table, word)
        sound = read_audio(judged.root / f"{word}/train/{word}_00001.mp4").astype(float) / 32768
        assert row["level"] == pytest.approx(20 * np.log10(np.sqrt((sound**2).mean())), abs=0.1)
        assert row["length_difference"] == pytest.approx(len(sound) / 16000 - row["frames"] / 25, abs=1e-3)
    assert row_of(table, "SILENT")["level"] == -120
    assert row_of(table, "HALF")["length_difference"] == pytest.approx(-0.58, abs=0.01)


def test_warnings_about_good_clips_stay(judged: Judged) -> None:
    clips = [{**row, "reason": "odd"} if row["status"] == "ok" else row for row in judged.clips]
    table = quality_table(clips, judged.faces)
    assert set(table.loc[table["status"] == "ok", "reason"]) == {"odd"}
    assert row_of(table, "BLURRED")["reason"] == DEFECTS["BLURRED"][2]


def test_changed_limits_of_landmarks_compute_nothing(judged: Judged, tmp_path: Path) -> None:
    shutil.copytree(judged.folder / "clips", tmp_path / "clips")
    shutil.copytree(judged.folder / "faces", tmp_path / "faces")
    shards = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/shard-*")}
    index = (tmp_path / "faces/index.parquet").read_bytes()
    clips = read_manifest(tmp_path / "clips")

    def lost(**limits: float) -> set[str]:
        params = replace(judged.params.landmarks, **limits)  # type: ignore[arg-type]
        rows = build_faces(clips, tmp_path / "clips", judged.root, params, tmp_path / "faces", 1)
        assert shards == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/shard-*")}
        return {row["id"].split("/")[0] for row in rows if row["status"] != "ok"}

    before = lost()
    assert before == {word for word, (stage, _, _) in DEFECTS.items() if stage == "landmarks"}
    assert before - lost(min_sharpness=0.01, max_jitter=3.0) == {"BLURRED", "SHAKING"}
    assert lost(min_frontal=0.3) - before == {"DURING", "EVERY", "GREAT"}
    assert lost(min_sharpness=0.019, min_face_size=63.0) == before
    assert (tmp_path / "faces/index.parquet").read_bytes() == index  # no verdict changed: nothing to train again


def test_changed_limits_of_extract_compute_nothing(judged: Judged, tmp_path: Path) -> None:
    from pipeline.corpora.registry import open_corpus

    shutil.copytree(judged.folder / "clips", tmp_path / "clips")
    shards = {path: path.stat().st_mtime_ns for path in tmp_path.glob("clips/shard-*")}
    corpus = open_corpus(judged.params, tmp_path)
    params = replace(judged.params.extract, min_level=-120.0, max_length_difference=0.6, max_damaged=0.5)
    rows: list[ManifestRow] = extract(corpus, params, tmp_path / "clips", 1)
    assert {row.id.split("/")[0] for row in rows if row.status != "ok"} == {"EMPTY", "MUTE", "SHORT"}
    assert shards == {path: path.stat().st_mtime_ns for path in tmp_path.glob("clips/shard-*")}


def digest(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def report(judged: Judged, folder: Path, root: Path) -> dict[str, str]:
    write_report(folder, judged.clips, judged.faces, root, judged.folder / "faces", judged.params)
    return digest(folder)


def test_the_bytes_depend_on_the_clips_alone(judged: Judged, tmp_path: Path) -> None:
    shutil.copytree(judged.root, tmp_path / "moved")
    first = report(judged, tmp_path / "one", judged.root)
    assert list(first) == ["clips.csv", "histograms.png", "quality.parquet", "rejected.jpg"]
    assert first == report(judged, tmp_path / "two", tmp_path / "moved")
    written = pq.read_table(tmp_path / "one/quality.parquet").to_pandas()
    assert list(written.columns) == ["id", "speaker", "split", "status", "stage", "reason", *QUALITY_METRICS]
    assert len(pd.read_csv(tmp_path / "one/clips.csv")) == len(written) == len(judged.clips)
    assert Image.open(tmp_path / "one/rejected.jpg").size == (1440, 34 + 3 * 340)


def test_summary(table: pd.DataFrame) -> None:
    numbers = summary(table)
    assert numbers["clips"] == len(table)
    assert numbers["rejected"] == 14
    assert numbers["rejected_share"] == pytest.approx(14 / len(table))
    assert numbers["rejected_by"] == {"extract": 5, "landmarks": 9}
    assert numbers["median"]["jitter"] == pytest.approx(np.nanmedian(table["jitter"]))


def test_a_large_corpus_has_a_small_csv(tmp_path: Path) -> None:
    names = [f"c{number:05d}" for number in range(5000)]
    columns = {metric: 1.0 for metric in QUALITY_METRICS if metric != "frames"}
    table = pd.DataFrame({"id": names, "status": "ok", "stage": "", "reason": "", "speaker": "", "split": "train"})
    table = table.assign(frames=75, **columns)
    write_quality(table, tmp_path / "all.parquet", tmp_path / "some.csv")
    assert len(pq.read_table(tmp_path / "all.parquet")) == 5000
    few = pd.read_csv(tmp_path / "some.csv")
    assert len(few) == 1000
    assert few["id"].iloc[[0, -1]].tolist() == ["c00000", "c04999"]


def test_histograms_hold_every_clip_and_mark_the_limits(judged: Judged, table: pd.DataFrame) -> None:
    figure = histograms_figure(table, judged.params)
    drawn = [axis for axis in figure.axes if axis.has_data()]
    assert len(drawn) == len(QUALITY_METRICS)
    for axis, limit in zip(drawn, LIMITS, strict=True):
        bars = [bar for group in axis.containers if isinstance(group, BarContainer) for bar in group]
        assert sum(bar.get_height() for bar in bars) == table[limit.metric].notna().sum()
        section = getattr(judged.params, limit.section)
        lines = {float(line.get_xdata()[0]) for line in axis.lines if line.get_linestyle() == "--"}
        assert limit.value(section) in lines
        assert len(lines) == (2 if limit.metric == "length_difference" else 1)


def picture_of(card: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return card[4:180, 4:236]


def green(card: NDArray[np.uint8]) -> int:
    """Pixels as green as the points."""
    return int((np.abs(picture_of(card).astype(int) - GREEN).max(axis=2) < 60).sum())


def test_cards_show_the_landmarks(table: pd.DataFrame, sources: Sources) -> None:
    cards = {word: draw_card(row_of(table, word), sources) for word in ("BLURRED", "NOFACE", "SILENT", "EMPTY")}
    assert {card.shape for card in cards.values()} == {(340, 240, 3)}
    assert green(cards["BLURRED"]) > 150
    assert green(cards["NOFACE"]) == green(cards["SILENT"]) == green(cards["EMPTY"]) == 0
    assert (picture_of(cards["EMPTY"]) == 150).all()
    assert (cards["EMPTY"][180:] < 100).any()  # the reason is below
    frame = list(read_frames(sources.root / "SILENT/train/SILENT_00001.mp4"))[14]
    shown = picture_of(cards["SILENT"])[:, 6:226]  # 360x288 fitted into a height of 176
    plain = np.asarray(Image.fromarray(frame).resize((220, 176), Image.Resampling.BOX), int)
    assert np.abs(shown.astype(int) - plain).mean() < 2


def test_points_lie_on_the_face(table: pd.DataFrame, judged: Judged, sources: Sources) -> None:
    """In the card of ABSENT, which has no face in its middle frame, the nearest frame that has one is shown."""
    card = picture_of(draw_card(row_of(table, "ABSENT"), sources)).astype(int)
    marked = np.argwhere(np.abs(card - GREEN).max(axis=2) < 60)
    frame = list(read_frames(sources.root / "ABSENT/train/ABSENT_00001.mp4"))[14]
    plain = np.asarray(Image.fromarray(frame).resize((220, 176), Image.Resampling.BOX), int)
    away = np.abs(card[:, 6:226] - plain).max(axis=2) > 60
    assert away.any()
    (top, left), (bottom, right) = marked.min(axis=0), marked.max(axis=0)
    face = next(row for row in judged.faces if row["id"].startswith("ABSENT"))
    side = face["face_size"] * 176 / 288
    assert 0.5 * side < bottom - top < side
    assert 0.5 * side < right - left < side


def test_missing_files_are_grey(table: pd.DataFrame, sources: Sources, tmp_path: Path) -> None:
    card = draw_card(row_of(table, "SILENT"), replace(sources, root=tmp_path))
    assert (picture_of(card) == 150).all()


def test_the_sheet_samples_the_reasons_evenly(
    table: pd.DataFrame, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = pd.DataFrame(
        {"id": [f"c{n:03d}" for n in range(103)], "status": "rejected", "reason": ["blurred"] * 100 + ["dark"] * 3}
    )
    assert choose_rejected(lost, 8) == ["c000", "c100", "c001", "c101", "c002", "c102", "c003", "c004"]
    assert choose_rejected(lost.assign(status="ok"), 8) == []
    monkeypatch.setattr(contact_sheet, "COLUMNS", 4)
    whole = draw_sheet(table, sources)
    assert whole.shape == (34 + 4 * 340, 4 * 240, 3)
    cells = whole[34:].reshape(4, 340, 4, 240, 3).transpose(0, 2, 1, 3, 4).reshape(16, 340, 240, 3)
    assert len({cell.tobytes() for cell in cells[:14]}) == 14


def test_the_sheet_without_rejected_clips(table: pd.DataFrame, sources: Sources) -> None:
    none = draw_sheet(table.assign(status="ok"), sources)
    assert none.shape == (34, 1440, 3)
    assert (none < 100).any()
