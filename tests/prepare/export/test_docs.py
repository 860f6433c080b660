"""Run the code in docs/shards.md."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.prepare.webdataset import export_webdataset
from pipeline.shards.clip_store import ClipStore

pytestmark = pytest.mark.slow

BLOCKS = re.findall(
    r"^```python\n(.*?)^```", (Path(__file__).parents[3] / "docs/shards.md").read_text(), re.MULTILINE | re.DOTALL
)


@pytest.fixture
def names(project: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names that the first code block defines."""
    monkeypatch.chdir(project)
    defined: dict[str, Any] = {}
    exec(BLOCKS[0], defined)
    return defined


def test_the_documented_reader(names: dict[str, Any], project: Path) -> None:
    store = ClipStore(project / "data")
    clip = store.ids("train")[0]
    assert names["good"].iloc[0]["id"] == clip
    np.testing.assert_array_equal(names["crops"], store.frames(clip))
    np.testing.assert_array_equal(names["points"], store.points(clip))
    mfcc_index = names["pd"].read_parquet("data/mfcc/index.parquet").set_index("id").loc[clip]
    rows = names["read"]("data/mfcc", mfcc_index, ["mfcc"])["mfcc"]
    assert rows.shape == (4 * len(names["crops"]), 13)
    manifest = names["pd"].read_parquet("data/clips/manifest.parquet").set_index("id").loc[clip]
    samples = names["read"]("data/clips", manifest, ["samples"])["samples"]
    assert (samples.dtype, samples.shape) == (np.int16, (640 * len(names["crops"]),))


def test_the_documented_loader(names: dict[str, Any]) -> None:
    exec(BLOCKS[1].replace("num_workers=2", "num_workers=0"), names)
    batches = list(names["loader"])
    assert [tuple(batch.shape) for batch in batches] == [(2, 16, 3, 128, 128)] * 2
    assert -1 <= min(batch.min() for batch in batches) < max(batch.max() for batch in batches) <= 1


def test_the_documented_use_of_tars(project: Path, tmp_path: Path) -> None:
    export_webdataset(ClipStore(project / "data"), tmp_path, ["train"], per_tar=2)
    names: dict[str, Any] = {}
    exec(BLOCKS[2].replace("/data/tars", str(tmp_path)), names)
    assert names["frames"].shape[1:] == (128, 128, 3)
    assert names["points"].shape == (len(names["frames"]), 68, 2)
