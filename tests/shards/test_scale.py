import json
import subprocess
import sys
from pathlib import Path


def test_a_manifest_of_lrws_size_is_written_read_and_sharded(tmp_path: Path) -> None:
    """540,000 rows in less than 60 s of processor time (the machine may be busy) and 2 GB."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.shards.lrw_size", tmp_path], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert 2000 < told["shards"] < 2200
    assert told["longest"] < 4 * 256
    assert told["peak"] < 2048
    assert sum(told["seconds"].values()) < 60
