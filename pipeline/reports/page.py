"""The page of an evaluation or a score: one HTML file that any browser opens without a network."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.evaluation.baselines import STATIC
from pipeline.evaluation.folder import PAGE
from pipeline.evaluation.results import Results, interval_text, read_results, title_of
from pipeline.evaluation.tables import ALL
from pipeline.metrics import DECIDING
from pipeline.reports.embed import Embedder
from pipeline.reports.project_sections import commit_text, project_sections
from pipeline.reports.results_sections import clips, failures, groups, metrics
from pipeline.runtime.paths import StrPath

_TEMPLATES = Environment(
    loader=PackageLoader("pipeline.reports", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write_page(folder: StrPath, *, project: bool = False) -> Path:
    """Write ``index.html`` into the folder of an evaluation or a score, and return its path.

    With ``project`` the page also shows training, data quality, studies, parameters and commit of the project in the
    working directory. The same inputs give the same bytes. Raises PipelineError if the folder has no tables.
    """
    folder = Path(folder)
    results, embedder = read_results(folder), Embedder()
    sections = [metrics(results), clips(folder, results, embedder), *groups(results), failures(results)]
    if project:
        sections += project_sections(embedder)
    commit = commit_text(10) if project else results.info.get("made", {}).get("commit", "")[:10]
    text = _TEMPLATES.get_template("page.html").render(
        title="Talking heads, scored" if results.is_score else "Evaluation of the models",
        facts=_facts(results, commit),
        sections=[section for section in sections if not section.empty],
        left_out=embedder.left_out,
    )
    (folder / PAGE).write_text(text, encoding="utf-8")
    return folder / PAGE


def _facts(results: Results, commit: str) -> list[tuple[str, str]]:
    info = results.info
    facts = {"Clips": str(info.get("clips", results.clips["id"].nunique()))}
    if info.get("failed"):
        facts["Failed"] = str(info["failed"])
    if "protocol" in info:
        facts["Protocol"] = info["protocol"]
    if "size" in info:
        facts["Size"] = f"{info['size']}x{info['size']} pixels, {info.get('fps', 25)} fps"
    deciding = results.group(ALL).get(DECIDING, {})
    for method in (results.system, STATIC):
        if method in deciding:
            facts[f"{title_of(DECIDING)} of {method}"] = interval_text(deciding[method])
    if commit:
        facts["Commit"] = commit
    return list(facts.items())
