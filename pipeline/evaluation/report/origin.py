"""The parts of a page that say what the metrics follow from: training, data, params, code; and the studies."""

from collections.abc import Iterator
from pathlib import Path

from markupsafe import Markup

from pipeline.evaluation.registry import METRICS
from pipeline.evaluation.report.charts import curves
from pipeline.evaluation.report.media import Media
from pipeline.evaluation.report.parts import Chart, Part, Table, listed
from pipeline.evaluation.report.project import Project
from pipeline.evaluation.results import read_table
from pipeline.evaluation.studies.registry import STUDIES
from pipeline.prepare.quality import HISTOGRAMS, SHEET
from pipeline.runtime import paths


def parts(about: Project, media: Media) -> list[Part]:
    """All of them."""
    return [*studies(paths.STUDIES), training(about), quality(about, media), inputs(about)]


def studies(folder: Path) -> Iterator[Part]:
    """A part per study that was run: its curves, and its numbers."""
    for name, study in STUDIES.items():
        path = folder / f"{name}.csv"
        if not path.exists():
            continue
        table = read_table(path.read_bytes())
        part = Part(f"Study: {study.title}", f"Over {study.level}; means over clips and their 95% intervals.")
        for metric in study.metrics:
            lines = {metric: "mean", f"{metric}_low": "low", f"{metric}_high": "high"}
            svg = curves(f"study-{name}-{metric}", table, lines, "level", METRICS[metric].label)
            part.charts.append(Chart(f"{METRICS[metric].label} over {study.level}", Markup(svg)))
        part.folded = listed(f"{path.name}: its numbers", table, list(table.columns))
        yield part


def training(about: Project) -> Part:
    """Of every loss that training and validation share, both curves."""
    part = Part("Training", "Curves over the steps of the training; the kept weights need not be the last ones.")
    for network, table in about.histories.items():
        for name in (one.removeprefix("train.") for one in table.columns if one.startswith("train.")):
            if f"val.{name}" in table:
                columns = {f"train.{name}": "training", f"val.{name}": "validation"}
                svg = curves(f"{network}-{name}", table, columns, "step", name)
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
