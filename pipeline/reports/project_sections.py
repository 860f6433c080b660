"""The page's sections about the project in the working directory: training, data quality, studies, parameters."""

from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from pipeline.config.file import load_params
from pipeline.evaluation.results import read_table
from pipeline.evaluation.studies import STUDIES
from pipeline.metrics import METRICS
from pipeline.prepare.quality import HISTOGRAMS, SHEET, TABLE
from pipeline.prepare.quality.report import summary
from pipeline.reports.charts import loss_chart, study_chart
from pipeline.reports.embed import Embedder
from pipeline.reports.sections import PageTable, Section, table_of
from pipeline.runtime import paths
from pipeline.runtime.checkout import git
from pipeline.tracking.run import select

LOCK = Path("dvc.lock")
MODELS = tuple(folder.as_posix() for folder in (paths.LANDMARKS_MODEL, paths.ATNET, paths.VGNET))
"""The models that studies depend on, as DVC's locks name them."""
INTERVALS = "Means over clips with 95% intervals."


def project_sections(embedder: Embedder) -> list[Section]:
    """All sections about the project; what the project lacks is left out."""
    return [training(), quality(embedder), studies(), inputs()]


def commit_text(length: int | None = None) -> str:
    """The first characters of the working tree's commit, and whether the tree differs; empty outside git."""
    commit = git("rev-parse", "HEAD")[:length]
    changed = commit and git("status", "--porcelain", "--untracked-files=no")
    return f"{commit} and uncommitted changes" if changed else commit


def training() -> Section:
    """A chart per loss that has both a training and a validation curve."""
    section = Section("Training", "Losses by training step. The kept weights need not be the last ones.")
    for folder in (paths.ATNET, paths.VGNET):
        history = pd.read_csv(folder / "history.csv") if (folder / "history.csv").exists() else pd.DataFrame()
        for column in history.columns:
            loss = column.removeprefix("train.")
            if column != loss and f"val.{loss}" in history:
                columns = {column: "training", f"val.{loss}": "validation"}
                chart = loss_chart(f"{folder.name}-{loss}", history, columns, f"Loss: {loss}")
                section.charts.append((f"{loss} of {folder.name}", chart))
    return section


def quality(embedder: Embedder) -> Section:
    """A summary of the quality table, its pictures, and the rejected clips."""
    section = Section("Data quality")
    if not (paths.QUALITY / TABLE).exists():
        return section
    table = pd.read_parquet(paths.QUALITY / TABLE)
    found = summary(table)
    section.intro = f"{found['clips']} clips, {found['rejected']} of them rejected ({found['rejected_share']:.1%})."
    rows = [[name, f"{value:.4g}"] for name, value in found["median"].items()]
    section.folded = [PageTable("Medians over all clips", ["metric", "median"], rows)]
    rejected = table[table["status"] != "ok"]
    section.tables = table_of("Clips that were rejected before training", rejected, ["id", "stage", "reason"])
    files = {"Distribution of every metric beside its limit": HISTOGRAMS}
    if found["rejected"]:
        files["Rejected clips"] = SHEET
    pictures = [(caption, embedder.picture(paths.QUALITY / file, 1200)) for caption, file in files.items()]
    section.pictures = [(caption, uri) for caption, uri in pictures if uri]
    return section


def studies() -> Section:
    """The curves and numbers of all studies, and the models that they belong to."""
    section = Section("Studies", _models_of_studies())
    for name, study in STUDIES.items():
        path = paths.STUDIES / f"{name}.csv"
        if not path.exists():
            continue
        table = read_table(path.read_bytes())
        x_label = study.level[0].upper() + study.level[1:]
        for metric in study.metrics:
            if table[metric].notna().any():
                label = METRICS[metric].label
                chart = study_chart(f"study-{name}-{metric}", table, metric, x_label, label)
                section.charts.append((f"{study.title}: {label} over {study.level}", chart))
        section.folded += table_of(f"{study.title}: numbers of {path.name}", table, list(table.columns))
    return section


def _models_of_studies() -> str:
    """The tables of studies are committed and `dvc repro` does not renew them: say whether they are current."""
    deps = _locked_stages(paths.STUDIES / LOCK).get("studies", {}).get("deps", [])
    models = {dep["path"]: dep["md5"] for dep in deps if dep["path"] in MODELS and "md5" in dep}
    if not models:
        return "There is no studies/dvc.lock, so these tables may be of other models. Renew: dvc repro -R studies."
    hashes = _hashes()
    others = [name for name, md5 in models.items() if hashes.get(name) != md5]
    if not others:
        return f"These tables belong to the models of this report. {INTERVALS}"
    commit = git("log", "-1", "--format=%h of %cs", "--", f"{paths.STUDIES}/*.csv")
    committed = f" They were committed in {commit}." if commit else ""
    return (
        f"These tables belong to other models than this report: the weights of {', '.join(others)} differ.{committed} "
        f"Renew: dvc repro -R studies. {INTERVALS}"
    )


def inputs() -> Section:
    """Parameters, hashes and commit."""
    commit = commit_text()
    section = Section("Params and data", f"Code: commit {commit}." if commit else "")
    params: dict[str, str] = {}
    if paths.PARAMS.exists():
        load_params(paths.PARAMS)  # raises PipelineError if the file has a mistake
        values = select(yaml.safe_load(paths.PARAMS.read_text(encoding="utf-8")))
        params = {name: "" if value is None else str(value) for name, value in values.items()}
    for caption, values in {"Params": params, "Hashes of data and models (dvc.lock)": _hashes()}.items():
        if values:
            section.folded.append(PageTable(caption, ["name", "value"], [list(item) for item in values.items()]))
    return section


def _hashes() -> dict[str, str]:
    """Hashes of all outs in dvc.lock but those of the stage evaluate, which are of its previous run while it runs."""
    stages = _locked_stages(LOCK)
    outs = [out for name, stage in stages.items() if name != "evaluate" for out in stage.get("outs", [])]
    return {out["path"]: out["md5"] for out in outs if "md5" in out}


def _locked_stages(path: Path) -> dict[str, Any]:
    """The stages of a lock of DVC; empty if the file is missing."""
    tree = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    stages: dict[str, Any] = (tree or {}).get("stages", {})
    return stages
