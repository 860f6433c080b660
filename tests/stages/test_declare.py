"""dvc.yaml names the code that each stage depends on, and a stage reruns when that changes."""

from dataclasses import fields, replace
from pathlib import Path

import grimp
import pytest
import yaml

from pipeline.config.params import Params
from pipeline.metrics import METRICS
from stages.declare import (
    DVC,
    STUDIES_DVC,
    build_graph,
    code_of,
    declared,
    modules_of,
    plots,
    studies,
    with_dependencies,
    with_plots,
)
from stages.runner import params_of

STAGES = sorted(path.stem for path in Path("stages").glob("*.py") if "import Context, " in path.read_text())


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return build_graph()


def test_dvc_yaml_is_what_the_code_says(graph: grimp.ImportGraph) -> None:
    text = DVC.read_text(encoding="utf-8")
    assert text == declared(text, graph), "run `python -m stages.declare`"
    assert STUDIES_DVC.read_text(encoding="utf-8") == studies(graph), "run `python -m stages.declare`"


def test_forgotten_and_left_over_dependencies_are_corrected(graph: grimp.ImportGraph) -> None:
    text = DVC.read_text(encoding="utf-8")
    for line in ("      - pipeline/landmarks\n", "      - stages/evaluate.py\n"):
        assert line in text
        assert with_dependencies(text.replace(line, ""), graph) == text
    extra = text.replace("      - stages/evaluate.py\n", "      - stages/evaluate.py\n      - pipeline/cli.py\n")
    assert with_dependencies(extra, graph) == text


def test_a_person_can_read_dvc_yaml() -> None:
    assert len(DVC.read_text(encoding="utf-8").splitlines()) <= 300


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


def test_titles_may_have_any_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC makes JavaScript of charts' names, which titles are no part of."""
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
def test_imports_within_functions_and_of_imports_count(graph: grimp.ImportGraph, stage: str, module: str) -> None:
    assert module in modules_of(stage, graph)


def test_networks_do_not_depend_on_each_other(graph: grimp.ImportGraph) -> None:
    atnet, vgnet = code_of("train_atnet", graph), code_of("train_vgnet", graph)
    assert {"pipeline/models/atnet.py", "pipeline/training/atnet.py"} <= set(atnet) - set(vgnet)
    assert {"pipeline/models/vgnet.py", "pipeline/training/vgnet.py"} <= set(vgnet) - set(atnet)


@pytest.mark.parametrize("stage", STAGES)
def test_dependencies_cover_all_modules_and_exclude_clients(graph: grimp.ImportGraph, stage: str) -> None:
    code = [Path(path) for path in code_of(stage, graph)]
    assert code[0] == Path(f"stages/{stage}.py")
    assert all(path.exists() for path in code)
    for module in modules_of(stage, graph):
        file = Path(*module.split(".")).with_suffix(".py")
        assert file in code or not file.exists() or set(file.parents) & set(code), module
    clients = {Path("pipeline", name) for name in ("tracking", "cli", "app", "config")}
    assert not clients & {client for path in code for client in (path, *path.parents)}
    if not stage.startswith(("evaluate", "studies")):
        assert Path("pipeline/evaluation") not in code  # a change there must not train again


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_tracks_the_params_of_dvc_yaml(stage: str) -> None:
    keys = params_of(stage)
    assert keys
    assert {key.split(".")[0] for key in keys} <= {field.name for field in fields(Params)}
