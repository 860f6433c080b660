"""The page of an evaluation or a score: one file, with clips of any name."""

import base64
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.evaluation.folder import file_stems
from pipeline.evaluation.results import difference_text, extremes, interval_text, read_results, rows_of, title_of
from pipeline.evaluation.tables import ClipResult, differences, write_tables
from pipeline.metrics import FIRST, METRICS
from pipeline.reports.embed import Embedder
from pipeline.reports.page import write_page
from pipeline.reports.terminal import print_report
from pipeline.runtime.errors import PipelineError
from tests.browser import browser
from tests.evaluation.small import INFO, drawn_clips, write_evaluation, write_video
from tests.reports.parsed_page import Read

IDS = ["s0/plain", '"><script>alert(1)</script>', "NA", "007", "張三#0 it's", *(f"s{n % 3}/c{n:02}" for n in range(7))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evaluation with an absent metric, and pictures and videos of some clips."""
    folder = tmp_path_factory.mktemp("reports")
    clips = drawn_clips(IDS)
    clips.loc[clips["id"] == "007", "lmd"] = np.nan
    write_evaluation(folder, clips, (ClipResult({"method": "at_vg"}, {"lmd": "no face in the <reference>"}),))
    worst = extremes(clips, "at_vg", "lmd")["worst"]
    stems = file_stems(IDS)
    (folder / "pictures").mkdir()
    for name in dict.fromkeys([IDS[1], worst, "NA"]):
        write_video(folder / f"videos/{stems[name]}.mp4")
        noise = np.random.default_rng(1).integers(0, 256, (300, 1024, 3)).astype(np.uint8)
        Image.fromarray(noise).save(folder / f"pictures/{stems[name]}.png")
    write_page(folder)
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> Read:
    return Read((folder / "index.html").read_text(encoding="utf-8"))


def test_the_page_loads_nothing_from_outside(folder: Path, page: Read) -> None:
    addresses = [
        (tag, value)
        for tag, attributes in page.tags
        for name, value in attributes.items()
        if name in ("src", "href", "poster", "xlink:href", "action", "data") and value
    ]
    assert addresses
    assert {value.split(":")[0] if tag != "a" else value[0] for tag, value in addresses if value[0] != "#"} == {"data"}
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"@import|url\((?!#)|<script|<iframe|<object", text)


def test_the_page_shows_the_means_of_the_tables(folder: Path, page: Read) -> None:
    results = read_results(folder)
    for group in ("all", "seen", "unseen"):
        for metric, cells in results.group(group).items():
            shown = [interval_text(cells[method]) for method in ("at_vg", "static", "vg_gt")]
            assert any(row[1:] == shown for row in page.rows if row[0].startswith(METRICS[metric].title)), metric
    speakers = [row for row in page.rows if row[0] in ("s0", "s1", "s2")]
    assert len(speakers) == 3 * len(results.group("speaker:s0"))


def test_clips_of_any_name_are_shown_best_median_and_worst_first(folder: Path, page: Read) -> None:
    clips = read_results(folder).clips
    found = extremes(clips, "at_vg", "lmd")
    places = [row for row in page.rows if len(row) == 4 and row[1] in ("best", "median", "worst")]
    assert {row[1]: row[0] for row in places} == found
    lmd = clips[clips["method"] == "at_vg"].set_index("id")["lmd"]
    assert lmd[found["best"]] == lmd.min()
    assert lmd[found["worst"]] == lmd.max()
    assert (lmd < lmd[found["median"]]).sum() == (lmd.count() - 1) // 2
    videos = page.all("video")
    stems = file_stems(IDS)
    shown = [one for one in dict.fromkeys([*found.values(), *IDS]) if (folder / f"videos/{stems[one]}.mp4").exists()]
    assert [one["aria-label"] for one in videos] == [f"Video of {one}, panels side by side" for one in shown]
    assert IDS[1] in shown
    data = base64.b64decode(str(videos[0]["src"]).split(",")[1])
    assert data in [path.read_bytes() for path in (folder / "videos").iterdir()]


def test_the_page_is_accessible(page: Read) -> None:
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    assert all(one.get("alt") for one in page.all("img"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(one.get("scope") for one in page.all("th"))
    assert all(one.get("aria-label") for one in page.all("video"))
    charts = [one for one in page.all("div") if one.get("class") == "chart"]
    assert all(one.get("aria-label") and one.get("role") == "img" for one in charts)
    assert [str(one["aria-label"]).split(" per clip")[0] for one in charts] == [METRICS[name].title for name in FIRST]
    ids = [one["id"] for _, one in page.tags if "id" in one]
    assert len(ids) == len(set(ids))
    anchors = [str(one["href"])[1:] for one in page.all("a") if one.get("href")]
    assert anchors
    assert set(anchors) <= set(ids)


def test_the_system_and_the_first_metrics_come_first(page: Read) -> None:
    heads = [row for row in page.rows if row[0] == "metric" and "static" in row]
    assert all(row[1] == "at_vg" for row in heads)
    shown = [row[0].rstrip(" ↑↓") for row in page.rows]
    first = [METRICS[name].title for name in FIRST]
    assert shown[1 : 1 + len(first)] == first
    assert METRICS["psnr"].title in shown[1 + len(first) :]


def test_metrics_and_methods_without_values_have_no_chart(tmp_path: Path) -> None:
    clips = drawn_clips(["a", "b"])
    clips["closed"] = np.nan
    write_evaluation(tmp_path, clips)
    page = Read(write_page(tmp_path).read_text(encoding="utf-8"))
    charts = [str(one["aria-label"]) for one in page.all("div") if one.get("class") == "chart"]
    assert [one.split(" per clip")[0] for one in charts] == [METRICS[name].title for name in FIRST if name != "closed"]
    assert "Videos have the clip's sound" not in " ".join(page.texts)


def test_classes_of_phonemes_are_shown_as_words(tmp_path: Path) -> None:
    parts = {"phoneme:OPEN_VOWEL": 1.0, "phoneme:VOWEL": 1.0}
    results = [ClipResult({"id": name, "speaker": "s0", "method": "at_vg"}, {}, parts) for name in ("a", "b")]
    write_tables(tmp_path, drawn_clips(["a", "b"]), 0, results, INFO)
    page = Read(write_page(tmp_path).read_text(encoding="utf-8"))
    assert {"open vowel", "vowel"} <= {row[0] for row in page.rows}
    assert "OPEN_VOWEL" not in " ".join(page.texts)


def test_failures_have_their_reason(page: Read) -> None:
    assert ["LMD ↓", "at_vg", "no face in the <reference>", "1"] in page.rows


def test_the_same_inputs_give_the_same_bytes(folder: Path) -> None:
    before = (folder / "index.html").read_bytes()
    write_page(folder)
    assert (folder / "index.html").read_bytes() == before


def test_files_that_do_not_fit_are_listed(folder: Path) -> None:
    videos = sorted((folder / "videos").iterdir())
    media = Embedder(videos[0].stat().st_size)
    assert media.video(videos[0])
    assert media.video(videos[1]) == ""
    assert media.picture(folder / "nowhere.png") == ""
    assert media.left_out == [f"videos/{videos[1].name}"]


@pytest.mark.slow
def test_the_page_of_a_large_evaluation_stays_small(tmp_path: Path) -> None:
    clips = drawn_clips([f"c{number}" for number in range(20)])
    write_evaluation(tmp_path, clips)
    write_video(tmp_path / "videos/c0.mp4")
    data = (tmp_path / "videos/c0.mp4").read_bytes()
    for number in range(1, 20):
        (tmp_path / f"videos/c{number}.mp4").write_bytes(data + bytes(800_000))
    page = write_page(tmp_path)
    assert 5_000_000 < page.stat().st_size < 15_000_000
    assert "Not embedded, because the page would be too large" in page.read_text(encoding="utf-8")


def test_a_score_of_two_systems_shows_their_differences(tmp_path: Path) -> None:
    clips = drawn_clips(["a", "b", "c"], methods=("ours", "theirs"))
    clips["reason"] = ["", "", "", "the video <b>ends early", "", ""]
    write = {"kind": "score", "methods": {"ours": "a folder"}, "made": {"commit": "0123456789abcdef"}}
    (tmp_path / "score").mkdir()
    write_tables(tmp_path / "score", clips, 0, (), write, [("ours", "theirs")])
    page = Read(write_page(tmp_path / "score").read_text(encoding="utf-8"))
    expected = differences(clips, [("ours", "theirs")], 0)
    assert len([row for row in page.rows if row[:2] == ["ours", "theirs"]]) == len(expected)
    assert ["b", "theirs", "the video <b>ends early"] in page.rows
    assert "0123456789" in page.texts
    assert "Training" not in page.texts


def test_an_evaluation_shows_the_difference_from_the_control(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    clips = drawn_clips(["a", "b", "c"], methods=("mismatched", "at_vg"))
    clips.loc[clips["method"] == "mismatched", "closed"] = np.nan
    write_evaluation(tmp_path, clips)
    print_report(tmp_path)
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["metric", "at_vg", "minus", "mismatched", "mismatched"] in printed
    page = Read(write_page(tmp_path).read_text(encoding="utf-8"))
    for row in rows_of(read_results(tmp_path).differences):
        text = difference_text(row)
        line = next(line for line in printed if line[:1] == [row.metric])
        assert " ".join(line).count(text) == 1
        assert ["at_vg", "mismatched", title_of(row.metric), text, "3"] in page.rows
    assert next(line for line in printed if line[:1] == ["closed"])[-2:] == ["-", "-"]


def test_a_score_explains_its_metrics_and_marks_the_best_system(tmp_path: Path) -> None:
    """References come last, and the page does not mention videos."""
    clips = drawn_clips(["a", "b", "c"], methods=("ground_truth", "static", "ours", "theirs"))
    write_tables(tmp_path, clips, 0, (), {"kind": "score"}, [("theirs", "ours")])
    text = write_page(tmp_path).read_text(encoding="utf-8")
    page = Read(text)
    assert page.rows[0] == ["metric", "ours", "theirs", "ground_truth", "static"]
    assert [row[0] for row in page.rows[1:5]] == [
        "LMD ↓",
        "Correlation of the mouth opening ↑",
        "Lips closed on p, b, m ↑",
        "Offset from the real lips",
    ]
    means = read_results(tmp_path).group("all")
    lmd = min((means["lmd"][one].mean, interval_text(means["lmd"][one])) for one in ("ours", "theirs"))[1]
    marked = re.findall(r"<strong>\s*([-0-9.]+)", text)
    assert marked[0] == lmd.split(" ")[0]
    assert len(marked) >= len(means)
    assert "Videos have" not in text
    for entry in METRICS.values():
        assert any(row[:2] == [entry.title, entry.about] for row in page.rows), entry.name
        assert not entry.url or entry.url in [one.get("href") for one in page.all("a")]


def test_a_folder_without_tables_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"metrics\.csv is missing\. Run `dvc repro` first\."):
        write_page(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (360, "dark")])
def test_in_a_browser(folder: Path, width: int, scheme: str) -> None:
    """The page has no errors, videos play, and wide tables scroll in their own box."""
    with browser() as opened:
        page = opened.page
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.goto((folder / "index.html").as_uri())
        page.wait_for_function("[...document.querySelectorAll('video')].every(one => one.readyState >= 1)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("[...document.images].every(one => one.naturalWidth > 0)")
        assert page.evaluate("[...document.querySelectorAll('video')].every(one => one.videoWidth > 0 && !one.error)")
        wide = page.evaluate("[...document.querySelectorAll('.scroll')].some(one => one.scrollWidth > one.clientWidth)")
        assert wide == (width < 1000)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor").strip("rgb()").split(",")
        assert (int(dark[0]) < 128) == (scheme == "dark")
        page.evaluate("document.querySelector('video').play()")
        page.wait_for_function("document.querySelector('video').currentTime > 0")
        assert opened.complaints == []
