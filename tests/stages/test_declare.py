"""dvc.yaml names the code that each stage depends on, and a stage reruns when that changes."""

from pathlib import Path

import grimp
import pytest
import yaml

from pipeline.evaluation.registry import BASELINES, METRICS
from stages.declare import DVC, build_graph, declared, modules_of, paths_of, with_dependencies, with_plots

STAGES = sorted(path.stem for path in Path("stages").glob("*.py") if "run_stage" in path.read_text())


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return build_graph()


def test_dvc_yaml_is_what_the_code_says(graph: grimp.ImportGraph) -> None:
    text = DVC.read_text(encoding="utf-8")
    assert text == declared(text, graph), "run `python -m stages.declare`"


def test_a_dependency_that_is_forgotten_or_left_over_comes_right(graph: grimp.ImportGraph) -> None:
    text = DVC.read_text(encoding="utf-8")
    for line in ("      - pipeline/media\n", "      - stages/evaluate.py\n"):
        assert line in text
        assert with_dependencies(text.replace(line, ""), graph) == text
    extra = text.replace("      - stages/evaluate.py\n", "      - stages/evaluate.py\n      - pipeline/cli.py\n")
    assert with_dependencies(extra, graph) == text


def test_every_metric_has_a_plot_of_every_baseline() -> None:
    text = DVC.read_text(encoding="utf-8")
    plots = {name: plot for one in yaml.safe_load(text)["plots"] if isinstance(one, dict) for name, plot in one.items()}
    for entry in METRICS.values():
        plot = plots[f"{entry.title} per clip"]
        assert plot["y"] == {"reports/clips.csv": [f"{entry.name}_{baseline}" for baseline in BASELINES]}
        assert plot["y_label"] == entry.label
    assert with_plots(text.replace("lmd_vg_gt, ", "")) == text


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
