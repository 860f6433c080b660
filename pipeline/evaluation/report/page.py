"""The page of an evaluation: one HTML file with all that it shows inside, which any browser opens without a network."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.evaluation.folder import PAGE
from pipeline.evaluation.report import found, origin
from pipeline.evaluation.report.media import Media
from pipeline.evaluation.report.project import Project, read_project
from pipeline.evaluation.results import Results, interval_text, read_results, title_of
from pipeline.evaluation.tables import ALL
from pipeline.metrics import DECIDING
from pipeline.runtime.paths import StrPath

_TEMPLATES = Environment(
    loader=PackageLoader("pipeline.evaluation.report", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write_page(folder: StrPath, *, project: bool = False) -> Path:
    """Write ``index.html`` into the folder of an evaluation or a score, from what lies there; its path.

    With ``project`` it also has the training's curves, the quality of the data, params, hashes and commit of the
    project in the working directory. The same inputs give the same bytes. Raises PipelineError where there are no
    tables.
    """
    folder = Path(folder)
    results, media = read_results(folder), Media()
    about = read_project() if project else None
    parts = [
        found.metrics(results),
        found.clips(folder, results, media),
        *found.groups(results),
        found.failures(results, about),
        *([] if about is None else origin.parts(about, media)),
    ]
    text = _TEMPLATES.get_template("page.html").render(
        title="Talking heads, scored" if results.info.get("kind") == "score" else "Evaluation of the models",
        facts=_facts(results, about),
        parts=[one for one in parts if not one.empty],
        left_out=media.left_out,
    )
    (folder / PAGE).write_text(text, encoding="utf-8")
    return folder / PAGE


def _facts(results: Results, about: Project | None) -> list[tuple[str, str]]:
    """What there is to know first."""
    info = results.info
    facts = [("Clips", str(info.get("clips", results.clips["id"].nunique())))]
    facts += [("Failed", str(info["failed"]))] if info.get("failed") else []
    facts += [("Protocol", info["protocol"])] if "protocol" in info else []
    facts += [("Size", f"{info['size']}x{info['size']} pixels, {info.get('fps', 25)} fps")] if "size" in info else []
    deciding = results.group(ALL).get(DECIDING, {})
    for method in dict.fromkeys((results.system, "static")):
        if method in deciding:
            facts.append((f"{title_of(DECIDING)} of {method}", interval_text(deciding[method], DECIDING)))
    commit = about.commit if about else info.get("made", {}).get("commit", "")
    changed = " and changes" if about and about.changed else ""
    return facts + ([("Commit", f"{commit[:10]}{changed}")] if commit else [])
