import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_manifest_of_a_tenth_of_lrw(tmp_path: Path) -> None:
    """54,000 rows, in limits that scale to less than 60 s of processor time and 2 GB for all of LRW."""
    command = [sys.executable, "-m", "tests.shards.lrw_size", str(tmp_path), "54000"]
    costs = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert 200 < costs["shards"] < 220
    assert costs["longest"] < 4 * 256
    assert costs["peak"] < 600
    assert sum(costs["seconds"].values()) < 12
