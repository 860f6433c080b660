"""The parts of a page that say what was found: metrics, clips, groups of clips, failures."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from pipeline.evaluation.baselines import BASELINES
from pipeline.evaluation.folder import file_stems
from pipeline.evaluation.report.charts import per_clip
from pipeline.evaluation.report.media import Media
from pipeline.evaluation.report.parts import Chart, Clip, Part, Table, listed
from pipeline.evaluation.report.project import Project
from pipeline.evaluation.results import (
    Results,
    difference_text,
    extremes,
    important_first,
    in_order,
    interval_text,
    notes_by_system,
    number_text,
    rows_of,
    title_of,
)
from pipeline.evaluation.tables import ALL
from pipeline.metrics import DECIDING, FIRST, METRICS

GROUND_TRUTH = "ground_truth"
GROUPS = {"speaker": "By speaker", "word": "By word", "phoneme": "By class of phoneme"}


def metrics(results: Results) -> Part:
    """Means of all clips, differences of methods, and how the clips lie about their mean."""
    part = Part("Metrics", "Means over clips, with 95% bootstrap intervals. ↑ higher is better, ↓ lower is better.")
    _add(part, _matrices(results, ALL, "All clips"))
    if any(table.best for table in (*part.tables, *part.folded)):
        part.intro += " Bold: the best system."
    part.notes = list(notes_by_system(results.clips))
    if len(results.differences):
        rows = {
            (one.metric, one.method, one.against): [
                *(one.method, one.against, title_of(one.metric)),
                *(difference_text(one, one.metric), str(one.clips)),
            ]
            for one in rows_of(results.differences)
        }
        head = ["method", "against", "metric", "difference", "clips"]
        caption = "Paired differences: a method minus the one it is compared with"
        first = [row for (metric, *_), row in rows.items() if metric in FIRST]
        others = [row for (metric, *_), row in rows.items() if metric not in FIRST]
        _add(part, (Table(caption, head, first), Table(f"{caption}, other metrics", head, others)))
    part.folded.append(
        Table("Methods", ["method", "what it is"], [[one, results.title(one)] for one in results.methods])
    )
    part.folded.append(_legend(results))
    for name in FIRST:
        if name in results.clips and results.clips[name].notna().any():
            caption = f"{METRICS[name].title} per clip: a dot for each, a line for the mean"
            part.charts.append(
                Chart(caption, Markup(per_clip(f"clips-{name}", results.clips, METRICS[name], results.methods)))
            )
    return part


def _add(part: Part, tables: tuple[Table, Table]) -> None:
    """The first of two tables is open and the second is folded; an empty one is left out."""
    part.tables += [table for table in tables[:1] if table.rows]
    part.folded += [table for table in tables[1:] if table.rows]


def _legend(results: Results) -> Table:
    """What the metrics are; a score, which people read who do not know the project, explains them and links sources."""
    entries = [METRICS[name] for name in results.group(ALL) if name in METRICS]
    told = [[one.about or "-"] if results.is_score else [] for one in entries]
    rows = [
        [one.title, *about, one.name, one.unit or "-", one.direction, one.source or "-"]
        for one, about in zip(entries, told, strict=True)
    ]
    head = ["metric", *(["what it says"] if results.is_score else []), "column", "unit", "direction", "source"]
    links = {one.source: one.url for one in entries if one.url} if results.is_score else {}
    return Table("What the metrics are", head, rows, links=links)


def _matrices(results: Results, group: str, caption: str) -> tuple[Table, Table]:
    """A row per metric, a column per method; of the first metrics, and of all others."""
    found = results.group(group)
    first = {name: found[name] for name in FIRST if name in found}
    others = {name: cells for name, cells in found.items() if name not in FIRST}
    return _matrix(results, first, caption), _matrix(results, others, f"{caption}, other metrics")


def _matrix(results: Results, found: Mapping[str, dict[str, Any]], caption: str) -> Table:
    """Of a score the best system of each metric is marked."""
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
    for group in ("seen", "unseen"):
        if group in results.groups:
            _add(seen, _matrices(results, group, f"{group.capitalize()} speakers"))
    yield seen
    for kind, title in GROUPS.items():
        part = Part(title, f"{title_of(DECIDING)} is open, the other metrics open by a click.")
        of_kind = {one: results.group(one) for one in results.groups if one.startswith(f"{kind}:")}
        order = important_first if results.is_score else in_order
        for metric in order({metric for rows in of_kind.values() for metric in rows}):
            rows = [
                _row(_group_title(name), metric, cells[metric], results)
                for name, cells in of_kind.items()
                if metric in cells
            ]
            table = Table(title_of(metric), [kind, *results.methods], rows)
            (part.tables if metric == DECIDING else part.folded).append(table)
        yield part


def _group_title(group: str) -> str:
    """`phoneme:OPEN_VOWEL` as open vowel; speakers and words as they are."""
    kind, name = group.split(":", 1)
    return name.replace("_", " ").lower() if kind == "phoneme" else name


def clips(folder: Path, results: Results, media: Media) -> Part:
    """Videos and strips, as long as there is room: the best, the median and the worst clip, then the others, folded."""
    system, title = results.system, METRICS[DECIDING].title
    part = Part("Clips", f"Best, median and worst clip of {system} by {title} first.")
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
            shown = part.clips if name in places or not places else part.folded_clips
            shown.append(Clip(name, ", ".join([*places.get(name, []), *value]), video, poster, strip))
    if any(one.video for one in (*part.clips, *part.folded_clips)):
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
