"""The parts of a page that say what was found: metrics, clips, groups of clips, failures."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from pipeline.evaluation.extremes import extremes
from pipeline.evaluation.names import file_stems
from pipeline.evaluation.notes import notes_by_system
from pipeline.evaluation.registry import BASELINES, DECIDING, METRICS
from pipeline.evaluation.report.charts import per_clip
from pipeline.evaluation.report.media import Media
from pipeline.evaluation.report.parts import Chart, Clip, Part, Table, listed
from pipeline.evaluation.report.project import Project
from pipeline.evaluation.results import (
    Results,
    difference_text,
    important_first,
    in_order,
    interval_text,
    number_text,
    rows_of,
    title_of,
)
from pipeline.evaluation.tables import ALL

GROUND_TRUTH = "ground_truth"
GROUPS = {"speaker": "By speaker", "word": "By word", "phoneme": "By class of phoneme"}


def metrics(results: Results) -> Part:
    """Means of all clips, differences of methods, and how the clips lie about their mean."""
    part = Part("Metrics", "Means over clips, with 95% bootstrap intervals. ↑ higher is better, ↓ lower is better.")
    part.tables = [_matrix(results, ALL, "All clips")]
    if part.tables[0].best:
        part.intro += " Bold: the best system."
    part.notes = list(notes_by_system(results.clips))
    if len(results.differences):
        rows = [
            [one.method, one.against, title_of(one.metric), difference_text(one, one.metric), str(one.clips)]
            for one in rows_of(results.differences)
        ]
        head = ["method", "against", "metric", "difference", "clips"]
        part.tables.append(Table("Paired differences: a method less the one it stands against", head, rows))
    part.folded = [Table("Methods", ["method", "what it is"], [[one, results.title(one)] for one in results.methods])]
    part.folded.append(_legend(results))
    if DECIDING in results.clips and results.clips[DECIDING].notna().any():
        caption = f"{METRICS[DECIDING].title} per clip: a dot for each, a line for the mean"
        part.charts = [Chart(caption, Markup(per_clip("clips", results.clips, METRICS[DECIDING])))]
    return part


def _legend(results: Results) -> Table:
    """What each metric says; a score, which people read who do not know the project, links the sources."""
    entries = [METRICS[name] for name in results.group(ALL) if name in METRICS]
    rows = [
        [one.title, one.about or "-", one.name, one.unit or "-", one.direction, one.source or "-"] for one in entries
    ]
    links = {one.source: one.url for one in entries if one.url} if results.is_score else {}
    return Table(
        "What the metrics are", ["metric", "what it says", "column", "unit", "direction", "source"], rows, (), links
    )


def _matrix(results: Results, group: str, caption: str) -> Table:
    """A row per metric, a column per method; of a score the best system is marked."""
    found = results.group(group)
    rows = [_row(title_of(metric), metric, cells, results) for metric, cells in found.items()]
    best = [
        (row, 1 + results.methods.index(system))
        for row, (metric, cells) in enumerate(found.items())
        if results.is_score and metric in METRICS
        for system in _best(metric, cells)
    ]
    return Table(caption, ["metric", *results.methods], rows, best)


def _best(metric: str, cells: Mapping[str, Any]) -> list[str]:
    """The systems of the best mean, of several that have one; references do not compete."""
    entry, systems = METRICS[metric], [name for name in cells if name not in BASELINES]
    if len(systems) < 2 or (entry.nearest == "the real clip" and GROUND_TRUTH not in cells):
        return []
    aim = float(cells[GROUND_TRUTH].mean) if entry.nearest == "the real clip" else 0.0

    def badness(system: str) -> float:
        mean = float(cells[system].mean)
        if entry.nearest:
            return abs(mean - aim)
        return -mean if entry.higher_is_better else mean

    return [name for name in systems if badness(name) == min(map(badness, systems))]


def _row(name: str, metric: str, cells: dict[str, Any], results: Results) -> list[str]:
    return [name, *(interval_text(cells[one], metric) if one in cells else "-" for one in results.methods)]


def groups(results: Results) -> Iterator[Part]:
    """Seen and unseen speakers, and a part each for speakers, words and classes of phonemes."""
    seen = Part("Seen and unseen speakers", "Speakers that the training had, and those that it did not have.")
    known = (one for one in ("seen", "unseen") if one in results.groups)
    seen.tables = [_matrix(results, one, f"{one.capitalize()} speakers") for one in known]
    yield seen
    for kind, title in GROUPS.items():
        part = Part(title, "The metric that decides is open, the others open by a click.")
        of_kind = {one: results.group(one) for one in results.groups if one.startswith(f"{kind}:")}
        order = important_first if results.is_score else in_order
        for metric in order({metric for rows in of_kind.values() for metric in rows}):
            rows = [
                _row(name.split(":", 1)[1], metric, cells[metric], results)
                for name, cells in of_kind.items()
                if metric in cells
            ]
            table = Table(title_of(metric), [kind, *results.methods], rows)
            (part.tables if metric == DECIDING else part.folded).append(table)
        yield part


def clips(folder: Path, results: Results, media: Media) -> Part:
    """Videos and strips: of the best, the median and the worst clip first, as long as there is room."""
    system, title = results.system, METRICS[DECIDING].title
    part = Part("Clips", f"Best, median and worst clip of {system} by {title}.")
    if DECIDING not in results.clips:
        return part
    rows = {one.id: one for one in rows_of(results.clips[results.clips["method"] == system])}
    places: dict[str, list[str]] = {}
    for place, name in extremes(results.clips, system, DECIDING).items():
        places.setdefault(name, []).append(place)
    if places:
        cells = [
            [name, ", ".join(place), rows[name].speaker, _value(getattr(rows[name], DECIDING))]
            for name, place in places.items()
        ]
        head = ["clip", "place", "speaker", title]
        part.tables = [Table(f"Best, median and worst clip of {system} by {title}", head, cells)]
    stems = file_stems(list(dict.fromkeys(results.clips["id"])))
    for name in dict.fromkeys([*places, *stems]):
        file = folder / "videos" / f"{stems[name]}.mp4"
        video = media.video(file)
        poster = media.poster(file) if video else ""
        strip = media.picture(folder / "pictures" / f"{stems[name]}.png")
        if video or strip:
            value = [f"{title} {_value(getattr(rows[name], DECIDING))}"] if name in rows else []
            part.clips.append(Clip(name, ", ".join([*places.get(name, []), *value]), video, poster, strip))
    if any(one.video for one in part.clips):
        part.intro += " Videos have the clip's sound."
    return part


def _value(value: float) -> str:
    return "not known: no face was found" if pd.isna(value) else number_text(value, DECIDING)


def failures(results: Results, about: Project | None) -> Part:
    """What has no value, and which clips were not used, with the reasons."""
    part = Part("Failures", "What could not be measured, and which clips were not used, with the reasons.")
    absent = results.absent
    if len(absent):
        absent = absent.assign(metric=[title_of(str(one)) for one in absent["metric"]])
        absent = absent.groupby(["metric", "reason", "clips"], sort=False)["method"].agg(", ".join).reset_index()
    part.tables = listed("Metrics that clips lack", absent, ["metric", "method", "reason", "clips"])
    if "reason" in results.clips:
        failed = results.clips[results.clips["reason"] != ""]
        part.tables += listed("Clips that could not be scored", failed, ["id", "method", "reason"])
    if about is not None:
        part.tables += listed("Clips that were rejected before training", about.rejected, ["id", "stage", "reason"])
    return part
