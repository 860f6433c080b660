"""Photographs that speak recordings in place of the synthesiser's sentences."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import soundfile  # type: ignore[import-untyped]
from PIL import Image
from skimage import data

from pipeline.corpora.portraits import TABLE
from pipeline.media.read import read_audio
from pipeline.runtime.clock import RATE
from pipeline.runtime.errors import PipelineError
from pipeline.speech.forced_alignment import Alignment
from pipeline.speech.phonemes import Segment
from pipeline.synthetic.build_portraits import RECORDINGS, Recipe, build_portraits
from pipeline.synthetic.recordings import TRANSCRIPTS, choose_recordings, cut_track, find_recordings
from pipeline.synthetic.speech import FRAMES, SECONDS
from pipeline.synthetic.speech import RATE as TRACK_RATE
from tests.speech.spoken import say

KEY = "corpora.portraits.voices"


def write_recordings(folder: Path, rows: dict[str, tuple[str, str, str]]) -> None:
    """Write sound files that say "place red in zed two soon", and the transcripts ``rows``."""
    samples_N, _ = say("place red in zed two soon")
    folder.mkdir(parents=True)
    for name in rows:
        (folder / name).parent.mkdir(exist_ok=True)
        soundfile.write(folder / name, samples_N, RATE)
    lines = ["\t".join((name, *cells)) for name, cells in rows.items()]
    (folder / TRANSCRIPTS).write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def voices(tmp_path: Path) -> Path:
    folder = tmp_path / "voices"
    write_recordings(
        folder / "source",
        {
            "a/1.wav": ("a", "en", "Place red in zed two soon."),
            "a/2.wav": ("a", "en (US)", "completely different words are here now"),
            "b/1.wav": ("b", "en", "place red in zed two soon"),
            "c/1.wav": ("c", "de", "Guten Morgen"),
        },
    )
    return folder


def test_english_recordings_are_found_in_every_subfolder(voices: Path) -> None:
    found = find_recordings(voices, KEY, jobs=1)
    assert [(one.name, one.speaker) for one in found] == [
        ("source/a/1.wav", "a"),
        ("source/a/2.wav", "a"),
        ("source/b/1.wav", "b"),
    ]


def test_candidates_of_a_clip_are_different_speakers_and_depend_on_the_photograph(voices: Path) -> None:
    found = find_recordings(voices, KEY, jobs=1)
    chosen = choose_recordings(found, "photograph", clips=20)
    assert all(sorted(one.speaker for one in candidates) == ["a", "b"] for candidates in chosen)
    assert len({tuple(one.name for one in candidates) for candidates in chosen}) > 1
    assert chosen != choose_recordings(found, "another", clips=20)


def test_a_track_shows_the_words_where_they_are_heard() -> None:
    """A click marks the start of each word."""
    starts = [0.5, 1.1, 1.7, 2.6, 3.4, 4.1, 4.9]
    samples_N = np.zeros(round(5.5 * RATE), np.int16)
    samples_N[np.round(np.array(starts) * RATE).astype(int)] = 20_000
    words = tuple(Segment(f"w{number}", start, start + 0.3) for number, start in enumerate(starts))
    for seed in range(8):
        track = cut_track(samples_N, Alignment(words, words), np.random.default_rng(seed))
        assert len(track.samples_N) == round(SECONDS * TRACK_RATE)
        assert track.words
        for word in track.words:
            middle = round(word.start * TRACK_RATE)
            heard = np.abs(track.samples_N[max(0, middle - 200) : middle + 200].astype(int))
            assert heard.max() > 10 * np.median(np.abs(track.samples_N.astype(int)))


@pytest.mark.slow
def test_a_photograph_speaks_a_recording_and_unusable_recordings_have_reasons(voices: Path, tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    Image.fromarray(data.astronaut()[:300]).save(photos / "one.png")
    recipe = Recipe(2, 0)
    table = build_portraits(photos, "corpora.portraits", recipe, out, jobs=1, voices=voices, synthetic=1)
    assert table["status"].tolist() == ["ok"]
    rows = pd.read_csv(out / RECORDINGS, keep_default_na=False)
    good = rows[rows["status"] == "ok"]
    assert good["text"].tolist() == ["place red in zed two soon"]
    assert rows[rows["status"] != "ok"]["reason"].isin(["the transcript does not fit the recording"]).all()
    texts = pq.read_table(out / TABLE)["text"].to_pylist()
    assert texts[0] == "place red in zed two soon"
    assert texts[1] not in ("", texts[0]), "the synthesiser speaks the last clip"
    video, _ = sorted(out.rglob("*.mpg"))
    assert len(read_audio(video)) == pytest.approx(FRAMES / 25 * RATE, abs=RATE / 20)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    build_portraits(photos, "corpora.portraits", recipe, out, jobs=1, voices=voices, synthetic=1)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, f"no {TRANSCRIPTS} with English recordings"),
        ("", f"no {TRANSCRIPTS} with English recordings"),
        ("1.wav\tspeaker\n", "has 2 columns"),
        ("gone.wav\ta\ten\thello\n", "cannot be read. Restore it or remove its line"),
    ],
)
def test_a_folder_without_usable_transcripts_is_refused(tmp_path: Path, table: str | None, message: str) -> None:
    if table is not None:
        (tmp_path / TRANSCRIPTS).write_text(table, encoding="utf-8")
    with pytest.raises(PipelineError, match=message):
        find_recordings(tmp_path, KEY, jobs=1)
