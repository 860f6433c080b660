"""dvc.yaml names the code that each stage depends on, and a stage reruns when that changes."""

from pathlib import Path

import grimp
import pytest

from stages.dependencies import DVC, build_graph, modules_of, paths_of, with_dependencies

STAGES = sorted(path.stem for path in Path("stages").glob("*.py") if "run_stage" in path.read_text())


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return build_graph()


def test_dvc_yaml_is_what_the_imports_say(graph: grimp.ImportGraph) -> None:
    text = DVC.read_text(encoding="utf-8")
    assert text == with_dependencies(text, graph), "run `python -m stages.dependencies`"


def test_a_dependency_that_is_forgotten_or_left_over_comes_right(graph: grimp.ImportGraph) -> None:
    text = DVC.read_text(encoding="utf-8")
    for line in ("      - pipeline/media\n", "      - stages/evaluate.py\n"):
        assert line in text
        assert with_dependencies(text.replace(line, ""), graph) == text
    extra = text.replace("      - stages/evaluate.py\n", "      - stages/evaluate.py\n      - pipeline/cli.py\n")
    assert with_dependencies(extra, graph) == text


@pytest.mark.parametrize(
    ("stage", "module"),
    [
        ("evaluate", "pipeline.media.write"),
        ("pca", "pipeline.faces.crop"),
        ("extract", "pipeline.corpora"),
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
