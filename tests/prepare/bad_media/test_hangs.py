"""A decoder that hangs costs its clip, not the stage; and the clip is tried again."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config.params import Params
from pipeline.corpora.registry import open_corpus
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from tests.prepare.bad_media.cases import hangs
from tests.prepare.bad_media.film import film
from tests.prepare.bad_media.stages import TRAINING, lenient, run_stages

pytestmark = pytest.mark.slow

VICTIM = f"{TRAINING}.mp4"
REASON = "reading it hangs: nothing came for 1 s (extract.time_limit)"

STAGES = """
import sys
from pathlib import Path
from tests.prepare.bad_media.stages import lenient, run_stages

if __name__ == "__main__":
    root = Path(sys.argv[1])
    outcome = run_stages(root, lenient(root, 1.0), jobs=2)
    print(outcome.clips["b.mp4"].reason)
"""


@pytest.fixture
def params(tmp_path: Path) -> Params:
    """Of these four films the VICTIM is for training."""
    for name in "abcd":
        film(tmp_path / f"videos/{name}.mp4")
    params = lenient(tmp_path / "videos", 1.0)
    splits = {clip.path.name: clip.split for clip in open_corpus(params, tmp_path).clips()}
    assert splits[VICTIM] == "train"
    assert sorted(splits.values()) == ["test", "train", "train", "val"]
    return params


def stuck(path: Path) -> bytes:
    """Let ``path`` hang; its former content."""
    content = path.read_bytes()
    hangs(path)
    return content


def fixed(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.with_name("silent.pipe").unlink()


def test_given_up_by_extract_and_tried_again(tmp_path: Path, params: Params) -> None:
    root = tmp_path / "videos"
    content = stuck(root / VICTIM)
    first = run_stages(root, params)
    assert (first.clips[VICTIM].status, first.clips[VICTIM].reason) == ("rejected", REASON)
    assert set(first.faces) == {"a.mp4", "c.mp4", "d.mp4"}
    fixed(root / VICTIM, content)
    second = run_stages(root, params)
    assert {row.status for row in second.clips.values()} == {"ok"}
    assert set(second.faces) == {"a.mp4", "b.mp4", "c.mp4", "d.mp4"}


def test_given_up_although_nothing_in_the_file_changes(tmp_path: Path, params: Params) -> None:
    """The drive came back: same bytes, same hash, and yet the row is computed again."""
    root = tmp_path / "videos"
    stuck(root / VICTIM)
    run_stages(root, params)
    pipe = root / "silent.pipe"
    pipe.unlink()
    (root / "c.mp4").rename(pipe)  # what the list names can now be read
    film(root / "c.mp4")
    assert run_stages(root, params).clips[VICTIM].status == "ok"


def test_given_up_by_landmarks_and_tried_again(tmp_path: Path, params: Params) -> None:
    root, out = tmp_path / "videos", tmp_path / "faces"
    manifest = extract(open_corpus(params, root), params.extract, tmp_path / "clips", 1)
    content = stuck(root / VICTIM)
    settings = replace(params.landmarks, shard_clips=4)

    def faces() -> dict[str, dict[str, object]]:
        return {
            row["id"]: row for row in build_faces(manifest, tmp_path / "clips", root, settings, out, 1, time_limit=1.0)
        }

    first = faces()[f"{TRAINING}#0000"]
    assert (first["status"], first["reason"], first["frames"]) == ("rejected", REASON, 0)
    fixed(root / VICTIM, content)
    assert {row["status"] for row in faces().values()} == {"ok"}
    whole = {path.name: path.read_bytes() for path in out.iterdir()}
    build_faces(manifest, tmp_path / "clips", root, settings, tmp_path / "fresh", 1)
    assert whole == {path.name: path.read_bytes() for path in (tmp_path / "fresh").iterdir()}


def test_the_process_and_its_workers_end(tmp_path: Path, params: Params) -> None:
    """With threads stuck in the process that lists and in a worker, nothing waits for them."""
    stuck(tmp_path / "videos" / VICTIM)
    script = tmp_path / "stages.py"
    script.write_text(STAGES)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "videos")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path]), "OF_THIS_TEST": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,  # far more than it takes; waiting for what hangs would take for ever
    )
    assert done.returncode == 0, done.stderr
    assert REASON in done.stdout
    deadline = time.monotonic() + 10
    while left := [process.name for process in Path("/proc").glob("[0-9]*") if str(tmp_path) in _environment(process)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def _environment(process: Path) -> str:
    try:
        return (process / "environ").read_text(errors="replace")
    except OSError:
        return ""


def test_the_limit_changes_no_byte(tmp_path: Path, params: Params) -> None:
    shutil.copytree(tmp_path / "videos", tmp_path / "other/videos")
    run_stages(tmp_path / "videos", params)
    run_stages(tmp_path / "other/videos", lenient(tmp_path / "other/videos", 0.0))
    for folder in ("clips", "faces"):
        limited = {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}
        assert limited == {path.name: path.read_bytes() for path in (tmp_path / "other" / folder).iterdir()}
