"""The parts of a page about training, data and studies."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipeline.reports import project_sections
from pipeline.reports.project_sections import studies
from tests.browser import browser

NUMBERS = {"level": [0.7, 1.0, 1.3], "drawn_lmd": [1.5, 1.0, 1.4]}
ENDS = {"drawn_lmd_low": [1.2, 0.9, 1.3], "drawn_lmd_high": [1.7, 1.2, 1.6], "clips": [8, 8, 8]}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project outside git with studies of its models, as the working directory."""
    monkeypatch.chdir(tmp_path)
    models = [{"path": f"models/{name}", "md5": name} for name in ("landmarks", "atnet", "vgnet")]
    Path("studies").mkdir()
    pd.DataFrame({**NUMBERS, **ENDS}).to_csv("studies/rate.csv", index=False)
    Path("dvc.lock").write_text(yaml.safe_dump({"stages": {"train": {"outs": models}}}))
    Path("studies/dvc.lock").write_text(yaml.safe_dump({"stages": {"studies": {"deps": models}}}))


def test_studies_say_which_models_they_belong_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert studies().intro == "These tables belong to the models of this report. Means over clips with 95% intervals."
    lock = Path("dvc.lock").read_text()
    Path("dvc.lock").write_text(lock.replace("md5: vgnet", "md5: another"))
    monkeypatch.setattr(project_sections, "git", lambda *arguments: "abc1234 of 2020-01-02")
    assert studies().intro == (
        "These tables belong to other models than this report: the weights of models/vgnet differ. They were committed "
        "in abc1234 of 2020-01-02. Renew: dvc repro -R studies. Means over clips with 95% intervals."
    )
    Path("studies/dvc.lock").unlink()
    assert studies().intro.startswith("There is no studies/dvc.lock, so these tables may be of other models.")


def test_a_study_has_a_band_per_metric_and_its_numbers() -> None:
    part = studies()
    ((caption, svg),) = part.charts
    assert caption.startswith("Landmarks from faster and slower speech: LMD of the drawn landmarks (")
    assert caption.endswith(" over times as fast")
    assert svg.count("fill-opacity: 0.25") + svg.count("opacity: 0.25") > 0  # the interval
    assert ">Times as fast</text>" in svg
    assert ">95% interval</text>" in svg
    assert ">level</text>" not in svg
    (table,) = part.folded
    assert table.rows[0][:2] == ["0.7", "1.5"]


@pytest.mark.slow
def test_no_label_of_a_chart_is_cut_off(tmp_path: Path) -> None:
    """The longest label of all metrics, in the browser's font."""
    ((_, svg),) = studies().charts
    (tmp_path / "chart.html").write_text(f'<meta charset="utf-8">{svg}', encoding="utf-8")
    with browser() as opened:
        opened.page.goto((tmp_path / "chart.html").as_uri())
        boxes = opened.page.evaluate(
            "[document.querySelector('svg'), ...document.querySelectorAll('svg text')].map(one => {"
            " const box = one.getBoundingClientRect(); return [box.left, box.top, box.right, box.bottom] })"
        )
        texts = opened.page.evaluate("[...document.querySelectorAll('svg text')].map(one => one.textContent)")
    picture, *labels = boxes
    assert "landmarks (px of the 128x128" in " ".join(texts)
    for left, top, right, bottom in labels:
        assert left >= picture[0]
        assert top >= picture[1]
        assert right <= picture[2]
        assert bottom <= picture[3]
