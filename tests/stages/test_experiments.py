"""Keep, leave and compare an experiment, as the README says, also where the cache has nothing of the commit."""

import json
from pathlib import Path

import pytest

from tests.stages.conftest import Project


def test_figures_are_compared_without_a_cache(reproduced: Project, tmp_path: Path) -> None:
    """In a clone whose own training gave other bytes: metrics.json lies in git, so nothing has to be fetched."""
    reproduced.run("git", "clone", "-q", ".", str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    path = clone.folder / "reports/metrics.json"
    before = json.loads(path.read_text())
    after = {**before, "at_vg": {**before["at_vg"], "lmd": before["at_vg"]["lmd"] + 0.5}}
    path.write_text(json.dumps(after, indent=2) + "\n")
    change = json.loads(clone.run("dvc", "metrics", "diff", "--json"))
    lmd = {"old": before["at_vg"]["lmd"], "new": after["at_vg"]["lmd"], "diff": pytest.approx(0.5)}
    assert change == {"reports/metrics.json": {"at_vg.lmd": lmd}}
    header, workspace, commit, *_ = (line.split(",") for line in clone.run("dvc", "exp", "show", "--csv").splitlines())
    columns = [name for name in header if name.partition(".")[0] in before]
    assert columns[0] == "at_vg.lmd"
    assert len(columns) == sum(map(len, before.values()))
    shown = [float(row[header.index("at_vg.lmd")]) for row in (workspace, commit)]
    assert shown == pytest.approx([after["at_vg"]["lmd"], before["at_vg"]["lmd"]])
    for command in (("metrics", "diff"), ("exp", "show"), ("metrics", "show")):
        assert "failed to load" not in clone.run("dvc", *command)


def test_an_experiment_that_is_left_costs_no_second_evaluation(reproduced: Project) -> None:
    """metrics.json is in git and not in the cache, and DVC's cache of runs works all the same."""
    provenance = reproduced.folder / "models/provenance.json"
    before = provenance.read_bytes()
    try:
        assert reproduced.stages_run_by("dvc", "exp", "run", "-S", "evaluate.videos=0") == ["evaluate"]
        assert not list((reproduced.folder / "reports/pictures").iterdir())
        assert "at_vg.lmd" not in reproduced.run("dvc", "metrics", "diff")  # the same means
        reproduced.run("git", "restore", "params.yaml")
        printed = reproduced.run("dvc", "repro")
        assert "Stage 'evaluate' is cached - skipping run" in printed
        assert len(list((reproduced.folder / "reports/pictures").iterdir())) == 1
        assert reproduced.run("git", "status", "--porcelain") == ""
    finally:
        reproduced.run("git", "checkout", "-q", ".")
        reproduced.run("dvc", "checkout", "-q")
        provenance.write_bytes(before)
