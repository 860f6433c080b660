"""The sample corpus as built by `build_synthetic`."""

import hashlib
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
import pytest
from scipy.signal import correlate

from pipeline.corpora.sample import SyntheticParams
from pipeline.media import read_audio
from pipeline.synthetic.build_sample import build_synthetic, plan_clips
from pipeline.synthetic.sentences import COLOURS, COMMANDS
from pipeline.synthetic.speech import speak

pytestmark = pytest.mark.slow

PARAMS = SyntheticParams(speakers=2, sentences=3, seed=5)


def _tree(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("sample") / "data" / "sample"
    build_synthetic(PARAMS, folder, jobs=1)
    return folder


def test_bytes_do_not_depend_on_jobs_or_on_an_older_corpus(corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    (folder / "s9").mkdir(parents=True)
    (folder / "s9" / "old.mpg").write_bytes(b"old")
    unfinished = tmp_path / ".sample.unfinished" / "s1"
    unfinished.mkdir(parents=True)
    (unfinished / "half.mpg").write_bytes(b"half")
    build_synthetic(PARAMS, folder, jobs=2)
    assert _tree(folder) == _tree(corpus)
    assert not unfinished.parent.exists()


def test_the_layout_is_grids(corpus: Path) -> None:
    videos = sorted(path.relative_to(corpus).with_suffix("").as_posix() for path in corpus.glob("s*/*.mpg"))
    aligned = sorted(
        path.relative_to(corpus / "alignments").with_suffix("").as_posix()
        for path in corpus.glob("alignments/s*/*.align")
    )
    assert len(videos) == 6
    assert videos == aligned
    assert {path.name for path in corpus.iterdir()} == {"s1", "s2", "alignments", "script.parquet", "contact_sheet.png"}
    assert [path.name for path in corpus.parent.iterdir()] == ["sample"]


def test_the_format_is_grids(corpus: Path) -> None:
    path = next(corpus.glob("s1/*.mpg"))
    with av.open(str(path)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert video.codec_context.name == "mpeg1video"
        assert (video.width, video.height) == (360, 288)
        assert float(video.average_rate or 0) == 25
        assert (sound.codec_context.name, sound.rate, sound.layout.name) == ("mp2", 44100, "stereo")
        frames = list(container.decode(video=0))
    with av.open(str(path)) as container:
        chunks = list(container.decode(audio=0))
    assert len(frames) == 75
    assert sum(chunk.samples for chunk in chunks) / 44100 == pytest.approx(3.0, abs=0.06)
    assert frames[0].time is not None
    assert chunks[0].time == pytest.approx(frames[0].time, abs=0.02)
    assert path.stat().st_size > 200_000


def test_sound_and_picture_are_in_time(corpus: Path) -> None:
    plan = plan_clips(PARAMS)[0]
    spoken = speak(plan.sentence, plan.appearance.voice, np.random.default_rng(plan.seed)).samples_N
    heard = read_audio(corpus / plan.appearance.speaker / f"{plan.sentence.name}.mpg", rate=44100)
    length = min(len(spoken), len(heard))
    overlap = correlate(heard[:length].astype(float), spoken[:length].astype(float), method="fft")
    assert abs(int(np.argmax(overlap)) - (length - 1)) < 0.001 * 44100


def test_alignments_have_the_sentence(corpus: Path) -> None:
    for path in corpus.glob("alignments/s*/*.align"):
        rows = [line.split() for line in path.read_text().splitlines()]
        assert [rows[0][2], rows[-1][2]] == ["sil", "sil"]
        assert rows[1][2] in COMMANDS
        assert rows[2][2] in COLOURS
        assert len(rows) == 8
        assert (rows[0][0], rows[-1][1]) == ("0", "75000")
        assert all(a[1] == b[0] for a, b in pairwise(rows))


def test_the_script_has_a_row_per_frame(corpus: Path) -> None:
    script = pd.read_parquet(corpus / "script.parquet")
    assert list(script.columns) == ["speaker", "name", "frame", "opening", "width", "closed"]
    assert len(script) == 6 * 75
    assert script["opening"].between(0, 20).all()
    assert 0.1 < script["closed"].mean() < 0.8
    assert (script.groupby(["speaker", "name"])["opening"].max() > 6).all()


def test_the_contact_sheet_has_a_row_per_speaker(corpus: Path) -> None:
    path = corpus / "contact_sheet.png"
    assert path.stat().st_size < 400_000
    sheet = cv2.imread(str(path))
    assert sheet is not None
    assert sheet.shape[1] / sheet.shape[0] == pytest.approx(5 / 2, rel=0.1)


def test_speakers_look_different(corpus: Path) -> None:
    def first_frame(speaker: str) -> np.ndarray:
        with av.open(str(next(corpus.glob(f"{speaker}/*.mpg")))) as container:
            return next(container.decode(video=0)).to_ndarray(format="rgb24").astype(float)

    assert np.abs(first_frame("s1") - first_frame("s2")).mean() > 15
