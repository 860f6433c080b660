"""An evaluation of real clips of two speakers by small untrained networks."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.config.params import Evaluate, Params, Protocol
from pipeline.corpora.base import Opening
from pipeline.corpora.grid import Grid, GridParams
from pipeline.evaluation.baselines import BASELINES
from pipeline.evaluation.baselines.base import Generated, NotGenerated, TestClip
from pipeline.evaluation.clips import StoredClips, lengthened, other_clip, other_speaker
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.protocols import WINDOW, arrange, join
from pipeline.evaluation.tables import headline
from pipeline.inference.talking_head import TalkingHead
from pipeline.metrics import METRICS
from pipeline.metrics.observe import describe_face
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.prepare.manifest import read_manifest
from pipeline.prepare.speech_features import build_mfcc
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore
from tests.factories import write_bundle

pytestmark = pytest.mark.slow

LENGTH = 34
"""Two windows and two frames."""
PROTOCOLS: tuple[Protocol, ...] = ("full", "paper", "cross")


class ShortClips(StoredClips):
    """The first frames of two clips."""

    def ids(self, split: str) -> list[str]:
        return ["s1/bbaf3s", "s2/pwij3p"]

    def load(self, clip: str) -> TestClip:
        whole = super().load(clip)
        assert whole.other_TRC is not None
        return replace(
            whole,
            frames_THWC=whole.frames_THWC[:LENGTH],
            points_T68x2=whole.points_T68x2[:LENGTH],
            windows_TRC=whole.windows_TRC[:LENGTH],
            other_TRC=whole.other_TRC[:LENGTH],
            transcript=whole.transcript.cut(slice(LENGTH)),
        )


@pytest.fixture(scope="module")
def store(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> ClipStore:
    root, data = tmp_path_factory.mktemp("grid"), tmp_path_factory.mktemp("data")
    for name in ("s1/bbaf3s", "s1/bbaf4p", "s2/pwij3p", "s2/" + _another(corpora), "s31/bgiq6p"):
        for path in (f"{name}.mpg", f"alignments/{name}.align"):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).symlink_to(corpora / "grid" / path)
    params = replace(Params(), extract=replace(Params().extract, max_lost=1.0))
    corpus = Grid(GridParams(val=0.2, test=0.4, test_speakers=("s2",)), Opening(root, "corpora.grid"))
    extract(corpus, params.extract, data / "clips", jobs=1)
    build_faces(read_manifest(data / "clips"), data / "clips", root, params.landmarks, data / "faces", jobs=1)
    build_mfcc(data / "clips", params.mfcc, data / "mfcc", jobs=1)
    return ClipStore(data)


def _another(corpora: Path) -> str:
    return next(path.stem for path in sorted((corpora / "grid/s2").glob("*.mpg")) if path.stem != "pwij3p")


@pytest.fixture(scope="module")
def clips(store: ClipStore) -> ShortClips:
    return ShortClips(store, trained=True)


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> TalkingHead:
    return TalkingHead.from_pretrained(write_bundle(tmp_path_factory.mktemp("models")))


@pytest.fixture(scope="module")
def reports(clips: ShortClips, head: TalkingHead, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for protocol in PROTOCOLS:
        found[protocol] = tmp_path_factory.mktemp(protocol)
        params = Evaluate(videos=1 if protocol == "paper" else 0, protocol=protocol)
        evaluate(head, clips, params, 0, found[protocol], jobs=1)
    return found


def read(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "clips.csv", keep_default_na=False, na_values={name: "" for name in METRICS})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_method_has_a_row_per_clip_and_files_agree(reports: dict[str, Path], protocol: str) -> None:
    folder = reports[protocol]
    table = read(folder)
    assert list(zip(table["id"], table["method"], strict=True)) == [
        (clip, method) for clip in ("s1/bbaf3s", "s2/pwij3p") for method in BASELINES
    ]
    means = json.loads((folder / "means.json").read_text(), parse_constant=pytest.fail)
    assert list(means) == list(reversed(BASELINES))
    short = json.loads((folder / "metrics.json").read_text())
    assert short == headline(means)
    assert list(short) == (["at_vg"] if protocol == "cross" else ["at_vg", "static"])
    for method, row in means.items():
        measured = table[table["method"] == method][list(METRICS)].mean().dropna()
        assert measured.to_dict() == pytest.approx(row, abs=2e-6)
    info = json.loads((folder / "info.json").read_text())
    assert (info["kind"], info["protocol"], info["clips"]) == ("evaluation", protocol, 2)
    assert list(info["methods"]) == list(BASELINES)
    assert "made" not in info  # the stage's bytes depend on data and parameters only
    absent = pd.read_csv(folder / "absent.csv")
    lacking = absent.groupby(["method", "metric"])["clips"].sum()
    for (method, metric), there in table.groupby("method")[list(METRICS)].count().stack().items():  # type: ignore[misc]
        assert there + lacking.get((method, metric), 0) == 2


def test_the_system_is_compared_with_the_speech_of_another_clip(reports: dict[str, Path]) -> None:
    for protocol in PROTOCOLS:
        apart = pd.read_csv(reports[protocol] / "differences.csv").set_index("metric")
        assert set(apart["method"] + " " + apart["against"]) == {"at_vg mismatched"}
        clips = read(reports[protocol]).set_index(["method", "id"])[list(METRICS)]
        system, control = (pd.DataFrame(clips.loc[name]) for name in ("at_vg", "mismatched"))
        expected = (system - control).mean().dropna()
        assert apart["mean"].to_dict() == pytest.approx(expected.to_dict(), abs=2e-6)


def test_real_frames_are_perfect_and_only_the_system_predicts(reports: dict[str, Path]) -> None:
    means = json.loads((reports["full"] / "means.json").read_text())
    truth = means["ground_truth"]
    assert (truth["psnr"], truth["lmd"], truth["f_lmd"], truth["lost"]) == (100, 0, 0, 0)
    assert means["static"]["lmd"] > 0.2
    assert [name for name in means if "drawn_lmd" in means[name]] == ["at_vg"]
    assert means["at_vg"]["coefficient_mse"] > 0


def test_seen_and_unseen_speakers_have_groups(reports: dict[str, Path], store: ClipStore) -> None:
    table = read(reports["full"])
    assert dict(zip(table["speaker"], table["seen"], strict=True)) == {"s1": "yes", "s2": "no"}
    summary = pd.read_csv(reports["full"] / "metrics.csv")
    whole = summary[~summary["group"].str.contains("word:|phoneme:")]
    assert set(whole["group"]) == {"all", "seen", "unseen", "speaker:s1", "speaker:s2"}
    assert StoredClips(store).load("s1/bbaf3s").seen is None


def test_words_and_phonemes_have_groups(reports: dict[str, Path], clips: ShortClips) -> None:
    table = pd.read_csv(reports["full"] / "metrics.csv")
    summary = {(row["group"], row["method"], row["metric"]): row for row in table.to_dict("records")}
    said = clips.load("s1/bbaf3s").transcript
    assert said.words_T is not None
    assert list(dict.fromkeys(said.words_T[said.words_T != ""]))[:3] == ["bin", "blue", "at"]
    for group in ("word:bin", "phoneme:BILABIAL", "phoneme:SILENCE"):
        static = summary[group, "static", "lmd"]
        if static["clips"] > 1:
            assert static["low"] <= static["mean"] <= static["high"]
        assert summary[group, "ground_truth", "lmd"]["mean"] == 0
    assert summary["phoneme:SILENCE", "static", "lmd"]["clips"] == 2
    assert summary["word:bin", "static", "lmd"]["clips"] == 1
    parts = [one for one in summary if ":" in one[0] and not one[0].startswith("speaker")]
    assert {metric for *_, metric in parts} == {"lmd"}
    assert not pd.read_csv(reports["cross"] / "metrics.csv")["group"].str.contains("word:|phoneme:").any()


def test_cross_has_only_metrics_that_hold_across_faces(reports: dict[str, Path]) -> None:
    table = read(reports["cross"])
    fake = table[table["method"] != "ground_truth"]
    compared = {name for name, entry in METRICS.items() if entry.real and not entry.across}
    assert fake[sorted(compared)].isna().all(axis=None)
    assert table[table["method"] == "ground_truth"]["psnr"].eq(100).all()
    assert fake["lost"].notna().all()
    still = fake[fake["method"] == "static"]
    assert (still["csim"] > 0.999).all()  # the picture itself
    assert "the real clip is of another person" in (reports["cross"] / "absent.csv").read_text()


def test_windows_do_not_contain_their_reference(clips: ShortClips) -> None:
    whole, parts = arrange("paper", clips, "s1/bbaf3s")
    clip = clips.load("s1/bbaf3s")
    assert [len(part.frames_THWC) for part in parts] == [WINDOW, WINDOW]
    assert whole.measured == slice(0, None)
    np.testing.assert_array_equal(whole.frames_THWC, clip.frames_THWC[: 2 * WINDOW])
    for part, outside in zip(parts, (WINDOW, 0), strict=True):
        np.testing.assert_array_equal(part.reference.image_HWC, clip.frames_THWC[outside])
        np.testing.assert_array_equal(part.reference.points_68x2, clip.points_T68x2[outside])
    np.testing.assert_array_equal(np.concatenate([part.windows_TRC for part in parts]), whole.windows_TRC)


def test_parts_are_joined_in_time() -> None:
    frames = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)
    coefficients = np.arange(8, dtype=np.float32).reshape(2, 4, 1)
    parts = [Generated(frames[at], coefficients_2TK=coefficients[:, at]) for at in (slice(0, 2), slice(2, 4))]
    joined = join(parts)
    np.testing.assert_array_equal(joined.frames_THWC, frames)
    np.testing.assert_array_equal(joined.coefficients_2TK, coefficients)
    assert joined.points_T68x2 is None


def test_cross_takes_another_speakers_picture(clips: ShortClips) -> None:
    clip, parts = arrange("cross", clips, "s1/bbaf3s")
    assert parts == [clip]
    np.testing.assert_array_equal(clip.reference.image_HWC, clips.load("s2/pwij3p").frames_THWC[0])
    own, other = (
        describe_face(one.reference.image_HWC, one.reference.points_68x2) for one in (clips.load(clip.id), clip)
    )
    assert np.linalg.norm(own - other) > 0.5


def test_other_clips_are_of_the_same_split(store: ClipStore) -> None:
    test = store.ids("test")
    assert len(test) >= 3
    for clip in test:
        other = other_clip(store, clip)
        assert other in test
        assert other is not None
        assert store.source(other)["text"] != store.source(clip)["text"]
        speaker = other_speaker(store, clip)
        assert speaker is None or store.speaker(speaker) != store.speaker(clip)
    assert [other_clip(store, clip) for clip in test] == [*test[1:], test[0]]


def test_mismatched_and_cross_need_another_clip(store: ClipStore, head: TalkingHead) -> None:
    (alone,) = store.ids("val")
    assert other_clip(store, alone) is None
    assert other_speaker(store, alone) is None
    clip = StoredClips(store).load(alone)
    with pytest.raises(NotGenerated, match="no other clip says something else"):
        BASELINES["mismatched"].generate(head, clip)
    with pytest.raises(PipelineError, match="cross takes another speaker's picture for"):
        arrange("cross", StoredClips(store), alone)


def test_methods_depend_on_the_sound_alone(clips: ShortClips, head: TalkingHead) -> None:
    """`silent` ignores the clip's speech, and `mismatched` equals `at_vg` on the other clip's speech."""
    clip = clips.load("s1/bbaf3s")
    deaf = replace(clip, windows_TRC=np.zeros_like(clip.windows_TRC))
    for method, alike in (("silent", True), ("at_vg", False)):
        one, other = (BASELINES[method].generate(head, given).points_T68x2 for given in (clip, deaf))
        assert one is not None
        assert other is not None
        assert np.array_equal(one, other) == alike
    assert clip.other_TRC is not None
    swapped = replace(clip, windows_TRC=clip.other_TRC)
    mismatched, spoken = BASELINES["mismatched"].generate(head, clip), BASELINES["at_vg"].generate(head, swapped)
    np.testing.assert_array_equal(mismatched.frames_THWC, spoken.frames_THWC)


def test_short_speech_is_repeated() -> None:
    windows = np.arange(3, dtype=np.float32)[:, None, None]
    assert lengthened(windows, 7).ravel().tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert lengthened(windows, 2).ravel().tolist() == [0, 1]
