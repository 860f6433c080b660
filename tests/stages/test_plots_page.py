"""The page of `dvc plots show` in a real Chromium without a network, as a fresh clone has it."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml

from stages.plots_page import LARGEST_PAGE, PAGE, page
from tests.browser import browser
from tests.stages.conftest import ROOT, Project

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A chart of a metric with values and one of a metric without."""
    project = Project(tmp_path)
    pd.DataFrame({"id": ["a", "b"], "method": "at_vg", "lmd": [1.0, 2.0], "lpips": None}).to_csv(
        tmp_path / "clips.csv", index=False
    )
    charts = [
        {name: {"title": name, "template": "per_method", "x": "id", "y": {"clips.csv": [name]}}}
        for name in ("lmd", "lpips")
    ]
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"plots": charts}))
    project.run("git", "init", "-q")
    project.run("dvc", "init", "-q")
    listed = subprocess.run(["git", "ls-files", ".dvc"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return project


@pytest.mark.parametrize("written", ["committed", "again"])
def test_charts_need_no_network(project: Project, written: str) -> None:
    if written == "again":
        (project.folder / PAGE).write_text(page(), encoding="utf-8")
    project.run("dvc", "plots", "show")
    with browser() as opened:
        opened.page.context.set_offline(True)
        opened.page.goto((project.folder / "dvc_plots/index.html").as_uri())
        opened.page.locator(".vega-embed .mark-symbol.role-mark path").nth(1).wait_for()
        assert opened.page.locator(".mark-symbol.role-mark path").count() == 2
        assert opened.page.locator("#lmd").is_visible()
        assert not opened.page.locator("#lpips").is_visible()
        assert opened.complaints == []


def test_git_keeps_a_small_page() -> None:
    assert (ROOT / PAGE).stat().st_size < LARGEST_PAGE
