"""DVC's and MLflow's pages in a real Chromium: no chart is empty, no picture broken, and nothing complains."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest
import yaml

from pipeline.evaluation.folder import file_stems
from tests.browser import Page, browser
from tests.stages.conftest import ROOT, Project

pytestmark = pytest.mark.slow

STRANGE = ["anna/it's #1?#0000", "a b%20:c/müller#0001", "a/b#0000", "a_b#0000", '"<b>&copy#0', "張三#0002"]

OF_MLFLOW = ("/users/current", "status of 404", "ResizeObserver loop completed")
"""What its pages complain of by themselves: they ask for a user where there is no log-in, and are slow to lay out."""

MARKS = """() => Object.fromEntries([...document.querySelectorAll('.vega-embed')].map(chart =>
    [chart.id, [...chart.querySelectorAll('.mark-symbol.role-mark path, .mark-line.role-mark path')]
        .filter(mark => { const box = mark.getBoundingClientRect(); return box.width + box.height > 0 }).length]))"""
TITLES = "() => [...document.querySelectorAll('.role-title-text')].map(title => title.textContent)"
PICTURES = "() => [...document.images].map(one => [one.src, one.naturalWidth])"


@pytest.fixture
def page() -> Iterator[Page]:
    """Pages of files need no network; MLflow's are of this machine."""
    with browser() as opened:
        yield opened


def charts(page: Page, index: Path) -> dict[str, int]:
    """Marks that are drawn in each chart of a page of `dvc plots`."""
    wanted = index.read_text(encoding="utf-8").count("vegaEmbed('#")
    page.page.context.set_offline(True)
    page.page.goto(index.as_uri())
    page.page.wait_for_function(f"document.querySelectorAll('.vega-embed svg').length >= {wanted}", timeout=60_000)
    drawn: dict[str, int] = page.page.evaluate(MARKS)
    assert len(drawn) == wanted
    return drawn


def test_every_chart_of_the_plots_has_its_marks(reproduced: Project, page: Page) -> None:
    reproduced.run("dvc", "plots", "show", "-o", "dvc_plots")
    try:
        assert reproduced.run("git", "status", "--porcelain") == ""
        drawn = charts(page, reproduced.folder / "dvc_plots/index.html")
        clips = pd.read_csv(reproduced.folder / "reports/clips.csv")
        assert drawn["reports_lmd"] == len(clips)
        absent = {f"reports_{name}" for name in clips if clips[name].isna().all()}
        assert all(marks for name, marks in drawn.items() if name not in absent), drawn
        titles = page.page.evaluate(TITLES)
        assert "LMD per clip (px of the 128x128 face, lower is better)" in titles
        pictures = dict(page.page.evaluate(PICTURES))
        assert all(pictures.values()), pictures
        assert any("reports_metrics" in source for source in pictures)
        assert page.complaints == []
    finally:
        shutil.rmtree(reproduced.folder / "dvc_plots")


def test_two_commits_are_told_apart(reproduced: Project, page: Page) -> None:
    """`dvc plots diff`, also where a title is one that JavaScript would choke on."""
    definition = reproduced.folder / "dvc.yaml"
    before = definition.read_text(encoding="utf-8")
    tree = yaml.safe_load(before)
    for plot in tree["plots"]:
        if isinstance(plot, dict) and "reports_lmd" in plot:
            plot["reports_lmd"]["title"] = 'The mouth\'s "distance" <per clip>'
    try:
        definition.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
        reproduced.run("dvc", "plots", "diff", "HEAD", "-o", "dvc_plots")
        drawn = charts(page, reproduced.folder / "dvc_plots/index.html")
        assert drawn["reports_lmd"] == 2 * len(pd.read_csv(reproduced.folder / "reports/clips.csv"))
        assert 'The mouth\'s "distance" <per clip>' in page.page.evaluate(TITLES)
        assert page.complaints == []
    finally:
        definition.write_text(before, encoding="utf-8")
        shutil.rmtree(reproduced.folder / "dvc_plots", ignore_errors=True)


def test_clips_of_any_name_and_number_are_drawn(page: Page, tmp_path: Path) -> None:
    """One's own videos: ids that addresses, JavaScript and HTML would take for something else; a thousand of them."""
    project = Project(tmp_path)
    picture = tmp_path / "pictures"
    picture.mkdir()
    for stem in file_stems(STRANGE).values():
        shutil.copy(ROOT / "docs/pictures/contact_sheet.jpg", picture / f"{stem}.jpg")
    ids = [*STRANGE, *(f"{number:04}" for number in range(1000))]
    pd.DataFrame({"id": ids, "method": "at_vg", "lmd": range(len(ids))}).to_csv(tmp_path / "clips.csv", index=False)
    chart = {"title": "a", "template": "per_method", "x": "id", "y": {"clips.csv": ["lmd"]}}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"plots": [{"chart": chart}, "pictures"]}))
    project.run("git", "init", "-q")
    project.run("dvc", "init", "-q")
    for name in ("config", "page.html", "plots"):
        subprocess.run(["cp", "-r", ROOT / ".dvc" / name, tmp_path / ".dvc"], check=True)
    project.run("dvc", "plots", "show", "-o", "shown")
    assert charts(page, tmp_path / "shown/index.html") == {"chart": len(ids)}
    pictures = dict(page.page.evaluate(PICTURES))
    assert len(pictures) == len(STRANGE)
    assert all(pictures.values()), [unquote(source) for source, width in pictures.items() if not width]
    assert page.complaints == []


@contextlib.contextmanager
def user_interface(project: Project) -> Iterator[str]:
    """`mlflow ui` in the project's folder; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "ui", "--port", str(port), "--workers", "1"]
    environment = {**project.environment, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    process = subprocess.Popen(
        command, cwd=project.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 90
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                break
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_the_addresses_of_the_report_show_runs_models_and_pictures(reproduced: Project, page: Page) -> None:
    printed = reproduced.run("atvgnet", "report")
    runs, models = (line.split("http://127.0.0.1:5000")[1] for line in printed.splitlines() if "127.0.0.1" in line)
    program = """if True:
        import json, mlflow
        client = mlflow.MlflowClient("sqlite:///mlflow.db")
        named = "tags.`mlflow.runName` LIKE 'repro sample %'"  # other tests add more
        run, *_ = client.search_runs(["1"], named, order_by=["attributes.start_time ASC"])
        inside = client.search_runs(["1"], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
        evaluated = next(one for one in inside if one.info.run_name == "evaluate")
        inputs = [entry.dataset.name for entry in run.inputs.dataset_inputs]
        print(json.dumps([run.info.run_id, evaluated.info.run_id, inputs]))
    """
    parent, evaluated, inputs = json.loads(reproduced.run(sys.executable, "-c", program))
    assert inputs[0] == "sample: data/sample"
    shown = page.page
    with user_interface(reproduced) as address:
        shown.goto(f"{address}{runs}")
        shown.get_by_text("repro sample").first.wait_for(timeout=60_000)
        shown.get_by_text("sample: data/sample").first.wait_for()
        shown.goto(f"{address}{models}")
        for name in ("atvgnet-atnet", "atvgnet-vgnet"):
            shown.get_by_text(name, exact=True).first.wait_for(timeout=60_000)
        shown.goto(f"{address}/#/experiments/1/runs/{parent}")
        shown.get_by_text("at_vg.lmd").first.wait_for(timeout=60_000)
        text = shown.inner_text("body")
        assert text.index("at_vg.lmd") < min(text.index(other) for other in ("at_vg.psnr", "at_vg.f_lmd", "static.lmd"))
        (picture,) = (reproduced.folder / "reports/pictures").iterdir()
        shown.goto(f"{address}/#/experiments/1/runs/{evaluated}/artifacts/reports/pictures/{picture.name}")
        shown.wait_for_function("[...document.images].some(one => one.naturalWidth > 500)", timeout=60_000)
    assert [one for one in page.complaints if not any(known in one for known in OF_MLFLOW)] == []
