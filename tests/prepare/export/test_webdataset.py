"""The webdataset library reads from the tars what the shards hold."""

import hashlib
import io
import json
import os
import subprocess
import wave
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import torch
import webdataset  # type: ignore[import-untyped]

from pipeline.faces.crop import decode_jpeg
from pipeline.prepare.webdataset import export_webdataset, sample_key
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore
from pipeline.shards.read import MANIFEST, ShardReader
from tests.commands import run_forked
from tests.prepare.export.conftest import FACELESS, NAMES

SPLITS = ("train", "val", "test")


def prepared(project: Path) -> ClipStore:
    return ClipStore(project / "data")


def tars(folder: Path, split: str = "*") -> list[str]:
    return [str(path) for path in sorted(folder.glob(f"atvgnet-{split}-*.tar"))]


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def exported(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All splits, two clips per tar."""
    folder = tmp_path_factory.mktemp("exported") / "tars"
    export_webdataset(prepared(project), folder, SPLITS, per_tar=2)
    return folder


def read(folder: Path, split: str) -> list[dict[str, Any]]:
    dataset = webdataset.WebDataset(tars(folder, split), shardshuffle=False, empty_check=False).decode("rgb8")
    return list(dataset)


def test_every_good_clip_is_exported_once_in_order(project: Path, exported: Path) -> None:
    reader = ShardReader(project / "data/faces")
    seen = []
    for split in SPLITS:
        ids = [sample["json"]["id"] for sample in read(exported, split)]
        assert ids == reader.ids(split=split, status="ok")
        seen += ids
    assert sorted(seen) == sorted(f"{name}#0000" for name in NAMES)
    assert f"{FACELESS}#0000" in reader
    assert [Path(path).name for path in tars(exported)] == [
        "atvgnet-test-000000.tar",
        "atvgnet-train-000000.tar",
        "atvgnet-train-000001.tar",
        "atvgnet-val-000000.tar",
    ]


def test_arrays_equal_those_of_the_shards(project: Path, exported: Path) -> None:
    faces = ShardReader(project / "data/faces")
    clips = ShardReader(project / "data/clips", MANIFEST)
    mfcc = ShardReader(project / "data/mfcc")
    for sample in (one for split in SPLITS for one in read(exported, split)):
        about = sample["json"]
        clip = about["id"]
        face = {column: faces.read(clip, column) for column in ("points", "transform", "found", "jpeg")}
        for name in ("points", "transform", "found"):
            np.testing.assert_array_equal(sample[f"{name}.npy"], face[name])
            assert sample[f"{name}.npy"].dtype == face[name].dtype
        np.testing.assert_array_equal(sample["mfcc.npy"], mfcc.read(clip, "mfcc"))
        pictures = [sample[name] for name in sorted(sample) if name.endswith(".jpg")]
        assert len(pictures) == about["frames"] == len(face["jpeg"])
        assert pictures[0].shape == (128, 128, 3)
        for picture, data in zip(pictures, face["jpeg"], strict=True):
            # The library decodes with Pillow, we with OpenCV: two ways to round.
            assert np.abs(picture.astype(int) - decode_jpeg(data)).max() <= 2
        with wave.open(io.BytesIO(sample["wav"])) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16000, 1, 2)
            samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
        np.testing.assert_array_equal(samples, clips.read(clip, "samples"))
        row = clips[clip]
        assert about == {
            **{name: row[name] for name in ("id", "speaker", "split", "text", "frames")},
            "fps": 25,
            "rate": 16000,
        }


def test_jpeg_bytes_are_kept(project: Path, exported: Path) -> None:
    faces = ShardReader(project / "data/faces")
    raw = webdataset.WebDataset(tars(exported, "train"), shardshuffle=False)
    for sample in raw:
        stored = faces.read(json.loads(sample["json"])["id"], "jpeg")
        assert [sample[name] for name in sorted(sample) if name.endswith(".jpg")] == stored


def test_keys_are_ids_without_dots(exported: Path) -> None:
    for split in SPLITS:
        for sample in read(exported, split):
            assert "." not in sample["__key__"]
            assert unquote(sample["__key__"]) == sample["json"]["id"]
    assert sample_key("c/v1.0.final#0000") == "c/v1%2E0%2Efinal#0000"
    assert len({sample_key(name) for name in ("a.b", "a%2Eb", "a%252Eb")}) == 3


def test_through_a_torch_loader_with_workers(exported: Path) -> None:
    dataset = (
        webdataset.WebDataset(tars(exported), shardshuffle=False, nodesplitter=webdataset.split_by_node)
        .decode("rgb8")
        .map(_pair)
    )
    loader = torch.utils.data.DataLoader(dataset, batch_size=2, num_workers=2)
    ids: list[str] = []
    for names, mfcc in loader:
        ids += names
        assert mfcc.shape[1:] == (60, 13)
    assert sorted(ids) == sorted(f"{name}#0000" for name in NAMES)


def _pair(sample: dict[str, Any]) -> tuple[str, Any]:
    return sample["json"]["id"], sample["mfcc.npy"][:60]


def test_the_bytes_depend_on_the_clips_alone(project: Path, exported: Path, tmp_path: Path) -> None:
    export_webdataset(prepared(project), tmp_path / "again", SPLITS, per_tar=2)
    assert digests(tmp_path / "again") == digests(exported)


def test_an_interrupted_export_continues(project: Path, exported: Path, tmp_path: Path) -> None:
    to = tmp_path / "tars"
    export_webdataset(prepared(project), to, SPLITS, per_tar=2)
    lost, kept = (to / Path(name).name for name in tars(exported, "train")[:2])
    lost.unlink()
    (to / f".{lost.name}.tmp").write_bytes(b"half")
    before = kept.stat().st_mtime_ns
    export_webdataset(prepared(project), to, SPLITS, per_tar=2)
    assert digests(to) == digests(exported)
    assert kept.stat().st_mtime_ns == before


def test_one_split(project: Path, tmp_path: Path) -> None:
    counts = export_webdataset(prepared(project), tmp_path / "val", ["val"], per_tar=256)
    assert counts == {"val": 1}
    assert sorted(path.name for path in (tmp_path / "val").iterdir()) == ["atvgnet-val-000000.tar", "dataset.json"]
    about = json.loads((tmp_path / "val/dataset.json").read_text())
    assert (about["clips"], about["clips_per_tar"]) == ({"val": 1}, 256)


def test_a_target_with_other_contents(project: Path, exported: Path, tmp_path: Path) -> None:
    data = prepared(project)
    before = digests(exported)
    with pytest.raises(PipelineError, match=r"tars holds an export of other clips, another split or another number"):
        export_webdataset(data, exported, ["train"], per_tar=2)
    with pytest.raises(PipelineError, match=r"clips per tar\. Remove it, or name a new folder with --to"):
        export_webdataset(data, exported, SPLITS, per_tar=3)
    assert digests(exported) == before
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(PipelineError, match="is not empty, and what is in it is not an export"):
        export_webdataset(data, tmp_path, SPLITS, per_tar=2)
    with pytest.raises(PipelineError, match=r"thesis\.tex/tars cannot be written: .* Free space or fix"):
        export_webdataset(data, tmp_path / "thesis.tex/tars", SPLITS, per_tar=2)


def test_a_truncated_mark_is_refused(project: Path, tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text("")
    with pytest.raises(PipelineError, match="holds an export of other clips"):
        export_webdataset(prepared(project), tmp_path, SPLITS, per_tar=2)


def test_nothing_to_export(project: Path, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"index\.parquet is missing\. Run `dvc repro`"):
        export_webdataset(ClipStore(tmp_path), tmp_path / "tars", SPLITS, per_tar=2)
    with pytest.raises(PipelineError, match="The split dev has no good clip to export"):
        export_webdataset(prepared(project), tmp_path / "dev", ["dev"], per_tar=2)
    assert not (tmp_path / "dev").exists()


@pytest.mark.slow
def test_from_the_command_line(project: Path, exported: Path, tmp_path: Path) -> None:
    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_forked(["atvgnet", "export", "webdataset", *arguments], project, os.environ, apart=True)

    done = call("--to", str(tmp_path / "tars"), "--clips", "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{tmp_path}/tars: 6 clips (train 4, val 1, test 1)"
    assert digests(tmp_path / "tars") == digests(exported)
    wrong = call("--to", str(tmp_path / "tars"), "--split", "dev")
    assert (wrong.returncode, wrong.stderr.strip()) == (
        1,
        "atvgnet: 'dev' is not a split. Choose one of train, val, test, all.",
    )


def test_the_stores_own_folders_are_refused(project: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project / "data" / "faces")
    for to in (project / "data" / "clips" / "tars", str(tmp_path / "link"), str(tmp_path / "link" / "tars")):
        with pytest.raises(PipelineError, match="lies in the input"):
            export_webdataset(prepared(project), to, ["train"], per_tar=2)
