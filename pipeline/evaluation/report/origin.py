"""The parts of a page that say what the metrics follow from: training, data, params, code; and the studies."""

from pathlib import Path

from markupsafe import Markup

from pipeline.evaluation.report.charts import band, curves
from pipeline.evaluation.report.media import Media
from pipeline.evaluation.report.parts import Chart, Part, Table, listed
from pipeline.evaluation.report.project import Project
from pipeline.evaluation.results import read_table
from pipeline.evaluation.studies.registry import STUDIES
from pipeline.metrics import METRICS
from pipeline.prepare.quality import HISTOGRAMS, SHEET
from pipeline.runtime import paths


def parts(about: Project, media: Media) -> list[Part]:
    """All of them."""
    return [training(about), quality(about, media), studies(paths.STUDIES, about), inputs(about)]


def studies(folder: Path, about: Project) -> Part:
    """The studies that were run, with the models that they belong to: their curves, and their numbers."""
    part = Part("Studies", _models_of_studies(about))
    for name, study in STUDIES.items():
        path = folder / f"{name}.csv"
        if not path.exists():
            continue
        table = read_table(path.read_bytes())
        x = study.level[0].upper() + study.level[1:]
        for metric in study.metrics:
            if table[metric].notna().any():
                svg = band(f"study-{name}-{metric}", table, metric, ("level", x), METRICS[metric].label)
                part.charts.append(Chart(f"{study.title}: {METRICS[metric].label} over {study.level}", Markup(svg)))
        part.folded += listed(f"{study.title}: numbers of {path.name}", table, list(table.columns))
    return part


def _models_of_studies(about: Project) -> str:
    """The studies are committed tables, which `dvc repro` alone does not make again."""
    if not about.study_models:
        return "No studies/dvc.lock says which models these tables belong to. Make them again: dvc repro -R studies."
    others = [name for name, md5 in about.study_models.items() if about.hashes.get(name) != md5]
    if not others:
        return "These tables belong to the models of this report. Means over clips with 95% intervals."
    made = f" They were committed in {about.studies_commit}." if about.studies_commit else ""
    return (
        f"These tables belong to other models than those of this report: {', '.join(others)} had other weights.{made} "
        "Make them again for these models: dvc repro -R studies. Means over clips with 95% intervals."
    )


def training(about: Project) -> Part:
    """Of every loss that training and validation share, both curves."""
    part = Part("Training", "Curves over the steps of the training; the kept weights need not be the last ones.")
    for network, table in about.histories.items():
        for name in (one.removeprefix("train.") for one in table.columns if one.startswith("train.")):
            if f"val.{name}" in table:
                columns = {f"train.{name}": "training", f"val.{name}": "validation"}
                svg = curves(f"{network}-{name}", table, columns, ("step", "Training step"), f"Loss: {name}")
                part.charts.append(Chart(f"{name} of {network}", Markup(svg)))
    return part


def quality(about: Project, media: Media) -> Part:
    """The quality table in short, and its pictures."""
    part = Part("Data quality")
    if not about.quality:
        return part
    found = about.quality
    part.intro = f"{found['clips']} clips, {found['rejected']} of them rejected ({found['rejected_share']:.1%})."
    rows = [[name, f"{value:.4g}"] for name, value in found["median"].items()]
    part.folded = [Table("Medians over all clips", ["metric", "median"], rows)]
    shown = {"Distribution of every metric beside its limit": HISTOGRAMS}
    shown |= {"Rejected clips": SHEET} if found["rejected"] else {}
    pictures = [(caption, media.picture(paths.QUALITY / file, 1200)) for caption, file in shown.items()]
    part.pictures = [(caption, uri) for caption, uri in pictures if uri]
    return part


def inputs(about: Project) -> Part:
    """Params, hashes and commit."""
    code = f"Code: commit {about.commit}{' and changes that are not committed' if about.changed else ''}."
    part = Part("Params and data", code if about.commit else "")
    tables = {"Params": about.params, "Hashes of data and models (dvc.lock)": about.hashes}
    part.folded = [
        Table(caption, ["name", "value"], [list(row) for row in rows.items()])
        for caption, rows in tables.items()
        if rows
    ]
    return part
