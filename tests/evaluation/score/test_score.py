"""Scores of fakes whose quality is known."""

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.evaluation.score.folders import name_systems
from pipeline.evaluation.score.pairs import find_pairs
from pipeline.evaluation.score.score import _key, _score_and_keep, score
from pipeline.media import read_frames
from pipeline.metrics import METRICS
from pipeline.runtime.errors import PipelineError
from tests.evaluation.score.videos import CLIPS, FRAMES, frames_of, sound_of, write

pytestmark = pytest.mark.slow

Rows = dict[tuple[str, str], dict[str, Any]]
SYSTEMS = ("again", "frozen", "odd")


@pytest.fixture(scope="module")
def videos(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two real clips and three systems.

    `again` encodes them once more; `frozen` repeats the first frame, without sound; `odd` has the first half of one
    clip at 30 frames per second under a flat name, a broken file for the other, and a video without a real one.
    """
    folder = tmp_path_factory.mktemp("videos")
    for clip in CLIPS:
        frames, sound = frames_of(corpora, clip), sound_of(corpora, clip)
        write(folder / "real" / f"{clip}.mp4", frames, sound)
        write(folder / "again" / f"{clip}.mp4", frames, sound, crf=26)
        write(folder / "frozen" / f"{clip}.mp4", frames[:1] * FRAMES)
    write(folder / "odd" / f"{CLIPS[0].replace('/', '_')}.mp4", frames_of(corpora, CLIPS[0])[:15], fps=30)
    for name in (f"{CLIPS[1]}.mp4", "more.mp4"):
        (folder / "odd" / name).parent.mkdir(exist_ok=True)
        (folder / "odd" / name).write_bytes(b"no video")
    return folder


@pytest.fixture(scope="module")
def scored(videos: Path) -> Path:
    score(videos / "real", {name: videos / name for name in SYSTEMS}, videos / "scored", jobs=1)
    return videos / "scored"


@pytest.fixture(scope="module")
def rows(scored: Path) -> Rows:
    table = pd.read_csv(scored / "clips.csv", keep_default_na=False, na_values={name: "" for name in METRICS})
    return {(str(row["method"]), str(row["id"])): dict(row) for _, row in table.iterrows()}


def test_the_real_videos_are_perfect_beside_themselves(rows: Rows) -> None:
    for clip in CLIPS:
        row = rows["ground_truth", clip]
        assert (row["psnr"], row["lmd"], row["f_lmd"], row["lost"]) == (100, 0, 0, 0)
        assert row["ssim"] == pytest.approx(1, abs=1e-5)
        assert row["csim"] > 0.95
        assert (row["frames"], row["aligned"], row["sound"]) == (FRAMES, "real", "own")
        assert row["speaker"] == clip[:2]


def test_each_fake_is_worse_in_the_expected_metrics(rows: Rows) -> None:
    for clip in CLIPS:
        again, frozen = rows["again", clip], rows["frozen", clip]
        assert again["psnr"] > 32
        assert again["lmd"] < min(0.5, frozen["lmd"])
        assert frozen["jitter"] < again["jitter"]
        assert (again["sound"], frozen["sound"]) == ("own", "real")


def test_odd_videos_have_notes_and_broken_ones_a_row_with_the_reason(rows: Rows) -> None:
    half = rows["odd", CLIPS[0]]
    assert half["frames"] == 13  # 15 at 30 frames per second are 12.5 at 25
    assert half["note"] == "30 frames per second, resampled to 25; 13 frames, the real video 20"
    assert rows["odd", CLIPS[1]]["reason"]
    assert ("ground_truth", "more") not in rows
    assert rows["odd", "more"]["reason"] == "there is no real video of this name for more.mp4"
    assert all(np.isnan(float(rows["odd", "more"][name])) for name in METRICS)


def test_tables_agree_and_list_absent_metrics(scored: Path) -> None:
    clips = pd.read_csv(scored / "clips.csv")
    read = json.loads((scored / "metrics.json").read_text(), parse_constant=pytest.fail)
    assert list(read) == ["odd", "frozen", "again", "ground_truth"]
    for method, means in read.items():
        measured = clips[clips["method"] == method][list(METRICS)].mean().dropna()
        assert measured.to_dict() == pytest.approx(means, abs=2e-6)
    apart = pd.read_csv(scored / "differences.csv").set_index(["method", "against", "metric"])
    assert set(zip(*[apart.index.get_level_values(level) for level in (0, 1)], strict=True)) == {
        ("frozen", "again"),
        ("odd", "again"),
        ("odd", "frozen"),
    }
    lmd = apart.xs(("frozen", "again", "lmd"))
    assert lmd["mean"] == pytest.approx(read["frozen"]["lmd"] - read["again"]["lmd"], abs=2e-6)
    absent = pd.read_csv(scored / "absent.csv")
    assert set(absent[absent["metric"] == "drawn_lmd"]["method"]) == set(read)
    counted = absent.groupby(["method", "metric"])["clips"].sum()
    present = clips.groupby("method")[list(METRICS)].count().stack()
    total = clips.groupby("method").size()
    for (method, metric), there in present.items():  # type: ignore[misc]
        assert there + counted.get((method, metric), 0) == total[method]
    info = json.loads((scored / "info.json").read_text())
    assert (info["kind"], info["clips"], info["failed"], info["size"]) == ("score", 3, 2, 128)
    assert list(info["fakes"]) == list(SYSTEMS)


def test_a_killed_score_continues_and_replaces_an_earlier_one(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(videos / "scored", out)
    (out / "pictures").mkdir()
    (out / "pictures" / "old.png").write_bytes(b"")
    fakes = {"again": videos / "again"}
    pairs = find_pairs(videos / "real", fakes)
    work = tmp_path / ".out.score"
    work.mkdir()
    kept = work / f"{_key(pairs[0], 128)}.json"
    _score_and_keep(pairs[0], kept, 128)
    content = json.loads(kept.read_text())
    content[1]["row"]["psnr"] = 12.5
    kept.write_text(json.dumps(content))
    (work / f"{_key(pairs[1], 128)}.json").write_text("torn")
    clips = score(videos / "real", fakes, out, jobs=1)
    assert capsys.readouterr().out.startswith("score: 2 clips, 1 of them measured before the interruption\n")
    assert clips.loc[clips["method"] == "again", "psnr"].tolist()[0] == 12.5
    assert clips["psnr"].notna().all()
    assert not work.exists()
    assert not (out / "pictures").exists()
    assert not (out / "differences.csv").exists()  # one system has nothing to be compared with


def test_kept_clips_count_only_for_the_same_files(videos: Path, tmp_path: Path) -> None:
    copy = tmp_path / "again"
    shutil.copytree(videos / "again", copy)
    before = _key(find_pairs(videos / "real", {"a": copy})[0], 128)
    assert _key(find_pairs(videos / "real", {"a": copy})[0], 128) == before
    assert _key(find_pairs(videos / "real", {"a": copy})[0], 256) != before
    (copy / f"{CLIPS[0]}.mp4").touch()
    assert _key(find_pairs(videos / "real", {"a": copy})[0], 128) != before


def test_without_real_videos_only_some_metrics_are_computed(videos: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    (pictures / "s1").mkdir(parents=True)
    (pictures / "s2").mkdir()
    frame = next(read_frames(videos / "real" / f"{CLIPS[0]}.mp4"))
    cv2.imwrite(str(pictures / "s1" / "bbaf3s.png"), frame[:, :, ::-1])
    cv2.imwrite(str(pictures / "s2" / "pwij3p.png"), np.full_like(frame, 127))
    clips = score(None, {"again": videos / "again"}, tmp_path / "out", jobs=1, reference=pictures).set_index("id")
    assert clips["psnr"].isna().all()
    assert clips["csim"].notna().all()
    assert clips["jitter"].notna().all()
    assert clips["note"].tolist() == ["", "the reference picture shows no face"]
    assert (clips["method"] == "again").all()
    assert "there is no real clip" in (tmp_path / "out" / "absent.csv").read_text()


def test_systems_are_named_by_folder_or_by_argument(tmp_path: Path) -> None:
    (tmp_path / "a=b").mkdir()
    assert name_systems([f"{tmp_path}/ours", f"theirs={tmp_path}/ours"]) == {
        "ours": tmp_path / "ours",
        "theirs": tmp_path / "ours",
    }
    assert name_systems([f"{tmp_path}/a=b"]) == {"a=b": tmp_path / "a=b"}
    with pytest.raises(PipelineError, match="two systems have the name 'ours'"):
        name_systems([f"{tmp_path}/ours", f"ours={tmp_path}"])
    with pytest.raises(PipelineError, match="an invalid name of a system: ''"):
        name_systems([f"={tmp_path}/ours"])
    with pytest.raises(PipelineError, match="ground_truth is the name of the real videos"):
        score(None, {"ground_truth": tmp_path}, tmp_path / "out", 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--fake nowhere --out out", "atvgnet: --fake: nowhere is not a folder."),
        ("--real nowhere --fake again --out out", "atvgnet: --real: nowhere is not a folder."),
        ("--self-test --real nowhere", "atvgnet: --real: nowhere is not a folder."),
        ("--real real --fake again --out real", "The output real lies in the input real"),
        ("--real real --fake again --out .", "what is in it is not an evaluation"),
        ("--fake broken --out out", "No clip could be scored. Of 1, most often:"),
        ("--real real --fake again", "atvgnet: score needs a folder to write. Give one with --out FOLDER."),
        ("--real real --out out", "atvgnet: score needs generated videos. Give their folder with --fake FOLDER."),
    ],
)
def test_errors_are_one_line_and_leave_no_files(
    videos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: str, said: str
) -> None:
    for name in ("real", "again"):
        (tmp_path / name).symlink_to(videos / name)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.mp4").write_bytes(b"no video")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATVGNET_JOBS", "1")
    done = CliRunner().invoke(app, ["score", *arguments.split()])
    assert done.exit_code == 1
    assert said in done.stderr
    assert not done.stdout or done.stdout.startswith("score: loading the metrics ...\n")
    assert "nowhere" not in arguments or not done.stdout  # before the imports, which take seconds
    assert not (tmp_path / "out").exists()
