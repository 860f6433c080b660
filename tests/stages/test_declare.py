"""dvc.yaml names the code that each stage depends on, and a stage reruns when that changes."""

from dataclasses import replace
from pathlib import Path

import grimp
import pytest
import yaml

from pipeline.evaluation.registry import METRICS
from stages.declare import (
    DVC,
    STUDIES_DVC,
    build_graph,
    declared,
    modules_of,
    paths_of,
    plots,
    studies,
    with_dependencies,
    with_plots,
)

STAGES = sorted(path.stem for path in Path("stages").glob("*.py") if "run_stage" in path.read_text())


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return build_graph()


def test_dvc_yaml_is_what_the_code_says(graph: grimp.ImportGraph) -> None:
    text = DVC.read_text(encoding="utf-8")
    assert text == declared(text, graph), "run `python -m stages.declare`"
    assert STUDIES_DVC.read_text(encoding="utf-8") == studies(graph), "run `python -m stages.declare`"


def test_a_dependency_that_is_forgotten_or_left_over_comes_right(graph: grimp.ImportGraph) -> None:
    text = DVC.read_text(encoding="utf-8")
    for line in ("      - pipeline/landmarks\n", "      - stages/evaluate.py\n"):
        assert line in text
        assert with_dependencies(text.replace(line, ""), graph) == text
    extra = text.replace("      - stages/evaluate.py\n", "      - stages/evaluate.py\n      - pipeline/cli.py\n")
    assert with_dependencies(extra, graph) == text


def test_the_plots_are_ten_at_most_and_say_unit_and_direction() -> None:
    """`dvc plots show` takes the charts of all dvc.yaml files of the project."""
    text = DVC.read_text(encoding="utf-8")
    shown = [plot for file in Path().glob("*/dvc.yaml") for plot in yaml.safe_load(file.read_text()).get("plots", [])]
    shown += yaml.safe_load(text)["plots"]
    assert len(shown) <= 10
    charts = {name: one for plot in shown if isinstance(plot, dict) for name, one in plot.items()}
    assert {"training_atnet", "training_vgnet", "pca_explained"} <= set(charts)
    for name in ("lmd", "opening", "closed", "relative_offset", "psnr", "ssim"):
        entry, chart = METRICS[name], charts[f"reports_{name}"]
        assert chart["y"] == {"reports/clips.csv": [name]}
        assert chart["title"].startswith(f"{entry.title} per clip (")
        assert chart["title"].endswith(entry.label.rpartition("(")[2])
    assert with_plots(text.replace("clips.csv: [lmd]", "clips.csv: [psnr]")) == text


def test_a_title_of_any_characters_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """And never part of what DVC makes JavaScript of."""
    title = 'Levenshtein\'s "distance": 50% #1 \\ µ'
    monkeypatch.setitem(METRICS, "lmd", replace(METRICS["lmd"], title=title, unit="µm: 1"))
    charts = {name: one for plot in yaml.safe_load(plots()) for name, one in plot.items()}
    assert charts["reports_lmd"]["title"] == f"{title} per clip (µm: 1, lower is better)"
    assert all(name.isidentifier() for name in charts)


@pytest.mark.parametrize(
    ("stage", "module"),
    [
        ("evaluate", "pipeline.media.write"),
        ("pca", "pipeline.faces.crop"),
        ("extract", "pipeline.corpora.registry"),
        ("sample", "pipeline.faces.shape_predictor"),
        ("train_vgnet", "pipeline.models.losses"),
    ],
)
def test_what_is_imported_within_functions_and_by_others_counts(
    graph: grimp.ImportGraph, stage: str, module: str
) -> None:
    assert module in modules_of(stage, graph)


def test_networks_do_not_depend_on_each_other(graph: grimp.ImportGraph) -> None:
    assert "pipeline.models.vgnet" not in modules_of("train_atnet", graph)
    assert "pipeline.models.atnet" not in modules_of("train_vgnet", graph)


@pytest.mark.parametrize("stage", [name for name in STAGES if name not in ("runner",)])
def test_neither_tracking_nor_the_command_line_is_one(graph: grimp.ImportGraph, stage: str) -> None:
    paths = paths_of(modules_of(stage, graph))
    assert f"stages/{stage}.py" in paths
    assert all(Path(path).exists() for path in paths)
    assert not [path for path in paths if path.startswith(("pipeline/tracking", "pipeline/cli"))]
