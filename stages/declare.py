"""Write the generated parts of dvc.yaml and all of studies/dvc.yaml:

    python -m stages.declare

- the code that each stage depends on, from its imports;
- a chart, with a mark per clip, for each metric of `CHARTS`.

The rest of dvc.yaml is written by hand, params included: `stages.runner` reads them from there. A test compares the
files with the code.
"""

import json
import re
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

import grimp

from pipeline.evaluation.studies import STUDIES
from pipeline.metrics import FIRST, METRICS
from pipeline.metrics.base import MetricEntry

NEUTRAL = (
    "pipeline.config",  # DVC tracks the values of params itself
    "pipeline.reports",
    "pipeline.tracking",
    *(
        f"pipeline.runtime.{name}"
        for name in ("checkout", "errors", "hashes", "machine", "paths", "plugins", "progress", "time_limit", "workers")
    ),
    "stages.quality",
    "stages.runner",
)
"""Modules that change no byte of any out. Stages depend neither on them nor on their imports."""

WHOLE = 3
"""A stage that uses this many files of a package depends on the whole package, with two exceptions:"""
MIXED = ("pipeline/runtime",)
"""Packages of neutral and other modules."""
SHARED = ("pipeline/models", "pipeline/prepare", "pipeline/training")
"""Packages whose files belong to different stages, so that a change to one network does not train the other. The stages
in `LAST` depend on the whole package all the same: they run again whenever another stage does."""
LAST = ("evaluate", "studies")

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
    params: [seed, vgnet.precision, studies]
"""

CHARTS = (*FIRST, "psnr", "ssim")
"""Metrics that `dvc plots show` draws clip by clip. dvc.yaml has at most ten charts; the report and MLflow have all."""


def build_graph() -> grimp.ImportGraph:
    """The imports of the project's code, those within functions included."""
    return grimp.build_graph("pipeline", "stages", cache_dir=None)


def modules_of(stage: str, graph: grimp.ImportGraph) -> set[str]:
    """The modules that ``stage`` runs, directly or through imports, without neutral ones."""
    modules: set[str] = set()
    waiting = [f"stages.{stage}"]
    while waiting:
        module = waiting.pop()
        if module not in modules and not any(f"{module}.".startswith(f"{neutral}.") for neutral in NEUTRAL):
            modules.add(module)
            waiting += graph.find_modules_directly_imported_by(module)
    return modules


def code_of(stage: str, graph: grimp.ImportGraph) -> list[str]:
    """The files and packages that ``stage`` depends on, its own file first; an `__init__.py` counts only with code."""
    files = {path for path in map(_file, modules_of(stage, graph)) if path.parts[0] == "pipeline"}
    files -= {path for path in files if path.name == "__init__.py" and "import " not in path.read_text("utf-8")}
    single = MIXED if stage in LAST else (*MIXED, *SHARED)
    packages = {package for path in files for package in path.parents if len(package.parts) > 1}
    for package in sorted(packages, key=lambda package: len(package.parts)):
        inside = {path for path in files if package in path.parents}
        if package.as_posix() not in single and len(inside) >= WHOLE:
            files = files - inside | {package}
    return [f"stages/{stage}.py", *sorted(path.as_posix() for path in files)]


def _file(module: str) -> Path:
    path = Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def with_dependencies(text: str, graph: grimp.ImportGraph) -> str:
    """The text of a dvc.yaml with the code that each stage depends on; other dependencies stay."""

    def section(match: re.Match[str]) -> str:
        stage, dependencies = match["stage"], match["deps"].split("\n")
        data = [line for line in dependencies if line and not re.match(r" *- (pipeline|stages)/", line)]
        lines = [*(f"      - {path}" for path in code_of(stage, graph)), *data]
        return match["head"] + "".join(f"{line}\n" for line in lines)

    pattern = (
        r"(?P<head>^  (?P<stage>\w+):\n    cmd: python3 -m stages\.\w+\n(?:    .*\n)*?    deps:\n)"
        r"(?P<deps>(?:      - .*\n)+)"
    )
    return re.sub(pattern, section, text, flags=re.MULTILINE)


def plots() -> str:
    """The charts of dvc.yaml with a mark per clip.

    Their names are columns' names, because DVC makes JavaScript of them, which an apostrophe would break.
    """
    return "".join(_plot(METRICS[name]) for name in CHARTS)


def _plot(entry: MetricEntry) -> str:
    meaning = ", ".join(filter(None, (entry.unit, entry.direction)))
    title = json.dumps(f"{entry.title} per clip ({meaning})", ensure_ascii=False)
    return (
        f"  - reports_{entry.name}:\n      title: {title}\n      template: per_method\n      x: id\n"
        f"      y: {{reports/clips.csv: [{entry.name}]}}\n"
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
    """studies/dvc.yaml as it should be, a table per study. A separate file, so that `dvc repro` leaves it out."""
    outs = [f"      - studies/{name}.csv: {{cache: false}}\n" for name in sorted(STUDIES)]  # stored in git
    stage = with_dependencies(STUDIES_STAGE, graph)
    return "".join(["# Written by `python -m stages.declare`.\nstages:\n", stage, "    outs:\n", *outs])


if __name__ == "__main__":
    ArgumentParser(
        "python -m stages.declare", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    ).parse_args()
    graph = build_graph()
    DVC.write_text(declared(DVC.read_text(encoding="utf-8"), graph), encoding="utf-8")
    STUDIES_DVC.write_text(studies(graph), encoding="utf-8")
