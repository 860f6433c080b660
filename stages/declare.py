"""What dvc.yaml says because the code says so, written into it:

    python -m stages.declare

- the files that each stage depends on, as its imports have them;
- a chart with a mark per clip for each metric of `CHARTS`; the report's page and MLflow have all metrics;

and studies/dvc.yaml as a whole: a table per study of the registry.

A test compares. Imports within functions count; modules that change no byte of what a stage makes do not, nor what they
import: reporting, tracking, the distribution of work, and params, whose values DVC tracks itself.
"""

import json
import re
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

import grimp

from pipeline.evaluation.studies.registry import STUDIES
from pipeline.metrics import FIRST, METRICS
from pipeline.metrics.base import MetricEntry

NEUTRAL = (
    "pipeline.config",
    "pipeline.evaluation.report",
    "pipeline.tracking",
    "pipeline.runtime.checkout",
    "pipeline.runtime.machine",
    "pipeline.runtime.errors",
    "pipeline.runtime.checkout",
    "pipeline.runtime.hashes",
    "pipeline.runtime.paths",
    "pipeline.runtime.progress",
    "pipeline.runtime.checkout",
    "pipeline.runtime.time_limit",
    "pipeline.runtime.workers",
    "pipeline.prepare.quality.rejections",
    "stages.quality",
    "stages.runner",
)
DVC = Path("dvc.yaml")
STUDIES_DVC = Path("studies/dvc.yaml")
STUDIES_STAGE = """  studies:
    cmd: python3 -m stages.studies
    wdir: ..
    desc: Pictures from noisy landmarks; landmarks from noisy speech, other voices and rates
    deps:
      - data/clips
      - data/faces
      - data/mfcc
      - models/bundle.json
      - models/landmarks
      - models/atnet
      - models/vgnet
    params:
      - seed
      - vgnet.precision
      - studies
"""

CHARTS = (*FIRST, "psnr", "ssim")
"""Metrics that `dvc plots show` draws, clip by clip. dvc.yaml has at most ten charts in all, a page to read."""


def modules_of(stage: str, graph: grimp.ImportGraph) -> set[str]:
    """The modules that make what ``stage`` makes, itself included."""
    found: set[str] = set()
    waiting = [f"stages.{stage}"]
    while waiting:
        module = waiting.pop()
        if module in found or any(module == one or module.startswith(f"{one}.") for one in NEUTRAL):
            continue
        found.add(module)
        waiting += graph.find_modules_directly_imported_by(module)
        parent = module.rpartition(".")[0]
        waiting += [parent] if parent else []  # its __init__.py is run first
    return found


def paths_of(modules: set[str]) -> list[str]:
    """Their files, and in place of all files of a folder the folder; sorted, without bare docstrings' `__init__.py`."""
    files = {_file(module) for module in modules}
    paths = {path for path in files if path.name != "__init__.py" or _does_something(path)}
    for folder in sorted((Path(path) for path in Path("pipeline").rglob("*") if path.is_dir()), reverse=True):
        inside = {path for path in folder.rglob("*.py")}
        if inside and all(path in files or path.name == "__init__.py" for path in inside) and inside & paths:
            paths = {path for path in paths if folder not in path.parents} | {folder}
    return sorted(path.as_posix() for path in paths)


def _file(module: str) -> Path:
    path = Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _does_something(path: Path) -> bool:
    return "import " in path.read_text(encoding="utf-8")


def with_dependencies(text: str, graph: grimp.ImportGraph) -> str:
    """dvc.yaml with the code that each stage depends on; what it depends on besides stays."""

    def section(match: re.Match[str]) -> str:
        head, stage, deps = match["head"], match["stage"], match["deps"].split()
        data = [one for one in deps if one != "-" and not one.startswith(("pipeline", "stages/"))]
        code = [f"stages/{stage}.py", *(path for path in paths_of(modules_of(stage, graph)) if path[:7] != "stages/")]
        return head + "".join(f"      - {path}\n" for path in [*code, *data])

    pattern = (
        r"(?P<head>^  (?P<stage>\w+):\n    cmd: python3 -m stages\.\w+\n(?:    .*\n)*?    deps:\n)"
        r"(?P<deps>(?:      - .*\n)+)"
    )
    return re.sub(pattern, section, text, flags=re.MULTILINE)


def build_graph() -> grimp.ImportGraph:
    """What imports what in the project's own code."""
    return grimp.build_graph("pipeline", "stages", cache_dir=None)


def plots() -> str:
    """The charts of dvc.yaml that have a mark per clip.

    They are called by a column's name, since DVC makes JavaScript of what they are called, and an apostrophe ends that.
    """
    return "".join(_plot(METRICS[name]) for name in CHARTS)


def _plot(entry: MetricEntry) -> str:
    meaning = ", ".join(filter(None, (entry.unit, entry.direction)))
    title = json.dumps(f"{entry.title} per clip ({meaning})", ensure_ascii=False)
    return (
        f"  - reports_{entry.name}:\n      title: {title}\n      template: per_method\n      x: id\n"
        f"      x_label: clip\n      y:\n        reports/clips.csv: [{entry.name}]\n"
        f"      y_label: {json.dumps(entry.unit or entry.title, ensure_ascii=False)}\n"
    )


def with_plots(text: str) -> str:
    """dvc.yaml with these charts."""
    chart = r"  - \w+:\n      title: [^\n]*\n      template: per_method\n(?:      [^\n]*\n)+"
    return re.sub(f"(?:{chart})+", lambda _: plots(), text)


def declared(text: str, graph: grimp.ImportGraph) -> str:
    """dvc.yaml as it should be."""
    return with_plots(with_dependencies(text, graph))


def studies(graph: grimp.ImportGraph) -> str:
    """studies/dvc.yaml as it should be. It stands apart from dvc.yaml so that `dvc repro` alone leaves it out."""
    outs = [f"      - studies/{name}.csv:\n          cache: false\n" for name in sorted(STUDIES)]  # git has them
    stage = with_dependencies(STUDIES_STAGE, graph)
    return "".join(["# By `python -m stages.declare`.\nstages:\n", stage, "    outs:\n", *outs])


if __name__ == "__main__":
    ArgumentParser(
        "python -m stages.declare", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    ).parse_args()
    graph = build_graph()
    DVC.write_text(declared(DVC.read_text(encoding="utf-8"), graph), encoding="utf-8")
    STUDIES_DVC.write_text(studies(graph), encoding="utf-8")
