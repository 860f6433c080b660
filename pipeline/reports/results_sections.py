"""The page's sections about the results: metrics, clips, groups of clips, failures."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.evaluation.baselines import BASELINES, GROUND_TRUTH
from pipeline.evaluation.folder import file_stems
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
from pipeline.reports.charts import clips_chart
from pipeline.reports.embed import Embedder
from pipeline.reports.sections import PageTable, Section, ShownClip, table_of

GROUPS = {"speaker": "By speaker", "word": "By word", "phoneme": "By class of phoneme"}


def metrics(results: Results) -> Section:
    """Means over all clips, differences between methods, and charts of the values per clip."""
    section = Section("Metrics", "Means over clips, with 95% bootstrap intervals. ↑ higher is better, ↓ lower.")
    _add_means(section, results, ALL, "All clips")
    if any(table.best for table in (*section.tables, *section.folded)):
        section.intro += " Bold: the best system."
    section.notes = list(notes_by_system(results.clips))
    caption, head = "Paired differences: method minus against", ["method", "against", "metric", "difference", "clips"]
    rows = [
        (row.metric, [row.method, row.against, title_of(row.metric), difference_text(row), str(row.clips)])
        for row in rows_of(results.differences)
    ]
    _add(section, PageTable(caption, head, [cells for metric, cells in rows if metric in FIRST]))
    others = [cells for metric, cells in rows if metric not in FIRST]
    _add(section, PageTable(f"{caption}, other metrics", head, others), folded=True)
    methods = [[method, results.title(method)] for method in results.methods]
    section.folded += [PageTable("Methods", ["method", "what it is"], methods), _legend(results)]
    for name in FIRST:
        if name in results.clips and results.clips[name].notna().any():
            caption = f"{METRICS[name].title} per clip: a dot for each, a line for the mean"
            chart = clips_chart(f"clips-{name}", results.clips, METRICS[name], results.methods)
            section.charts.append((caption, chart))
    return section


def _add(section: Section, table: PageTable, *, folded: bool = False) -> None:
    tables = section.folded if folded else section.tables
    if table.rows:
        tables.append(table)


def _add_means(section: Section, results: Results, group: str, caption: str) -> None:
    """Add the means of a group of clips, a row per metric: of the first metrics, and folded of the others."""
    cells = results.group(group)
    first = {name: cells[name] for name in FIRST if name in cells}
    others = {name: cells[name] for name in cells if name not in FIRST}
    _add(section, _means_table(results, first, caption))
    _add(section, _means_table(results, others, f"{caption}, other metrics"), folded=True)


def _means_table(results: Results, cells: Mapping[str, dict[str, Any]], caption: str) -> PageTable:
    """In the table of a score the best system of each metric is bold."""
    best = [
        (row, 1 + results.methods.index(system))
        for row, (metric, of_method) in enumerate(cells.items())
        if results.is_score and metric in METRICS
        for system in _best(metric, of_method)
    ]
    rows = [_row(title_of(metric), of_method, results) for metric, of_method in cells.items()]
    return PageTable(caption, ["metric", *results.methods], rows, best)


def _row(name: str, cells: Mapping[str, Any], results: Results) -> list[str]:
    return [name, *(interval_text(cells[one]) if one in cells else "-" for one in results.methods)]


def _best(metric: str, cells: Mapping[str, Any]) -> list[str]:
    """The systems with the best mean, if there are two systems or more. References do not compete."""
    entry, systems = METRICS[metric], [name for name in cells if name not in BASELINES]
    if len(systems) < 2 or (entry.nearest == "the real clip" and GROUND_TRUTH not in cells):
        return []
    real = float(cells[GROUND_TRUTH].mean) if GROUND_TRUTH in cells else 0.0
    worse_by = {system: entry.badness(float(cells[system].mean), real) for system in systems}
    return [system for system in systems if worse_by[system] == min(worse_by.values())]


def _legend(results: Results) -> PageTable:
    """What the metrics are. For a score, whose readers may not know the project, with explanations and links."""
    entries = [METRICS[name] for name in results.group(ALL) if name in METRICS]
    head = ["metric", "what it says", "column", "unit", "direction", "source"]
    rows = [
        [entry.title, entry.about or "-", entry.name, entry.unit or "-", entry.direction, entry.source or "-"]
        for entry in entries
    ]
    links = {entry.source: entry.url for entry in entries if entry.url}
    if not results.is_score:
        head, rows, links = head[:1] + head[2:], [row[:1] + row[2:] for row in rows], {}
    return PageTable("What the metrics are", head, rows, links=links)


def groups(results: Results) -> Iterator[Section]:
    """A section on seen and unseen speakers, and one each by speaker, word and class of phoneme."""
    speakers = Section("Seen and unseen speakers", "Speakers with and without clips in the training split.")
    for group in ("seen", "unseen"):
        if group in results.groups:
            _add_means(speakers, results, group, f"{group.capitalize()} speakers")
    yield speakers
    order = important_first if results.is_score else in_order
    for kind, title in GROUPS.items():
        section = Section(title, f"{title_of(DECIDING)}; click for the other metrics.")
        cells = {group: results.group(group) for group in results.groups if group.startswith(f"{kind}:")}
        for metric in order({metric for of_metric in cells.values() for metric in of_metric}):
            with_metric = {group: of_metric[metric] for group, of_metric in cells.items() if metric in of_metric}
            rows = [_row(_group_title(group), of_method, results) for group, of_method in with_metric.items()]
            table = PageTable(title_of(metric), [kind, *results.methods], rows)
            _add(section, table, folded=metric != DECIDING)
        yield section


def _group_title(group: str) -> str:
    """The name of a group; ``phoneme:OPEN_VOWEL`` becomes ``open vowel``."""
    kind, name = group.split(":", 1)
    return name.replace("_", " ").lower() if kind == "phoneme" else name


def clips(folder: Path, results: Results, embedder: Embedder) -> Section:
    """Videos and strips of frames: the best, median and worst clip first, then the others, folded."""
    system, title = results.system, METRICS[DECIDING].title
    caption = f"Best, median and worst clip of {system} by {title}"
    section = Section("Clips", f"{caption} first.")
    if DECIDING not in results.clips:
        return section
    rows = {row.id: row for row in rows_of(results.clips[results.clips["method"] == system])}
    places: dict[str, list[str]] = {}
    for place, clip in extremes(results.clips, system, DECIDING).items():
        places.setdefault(clip, []).append(place)
    cells = [[clip, ", ".join(places[clip]), rows[clip].speaker, _deciding_text(rows[clip])] for clip in places]
    _add(section, PageTable(caption, ["clip", "place", "speaker", title], cells))
    stems = file_stems(list(dict.fromkeys(results.clips["id"])))
    for clip in dict.fromkeys([*places, *stems]):
        file = folder / "videos" / f"{stems[clip]}.mp4"
        video = embedder.video(file)
        poster = embedder.poster(file) if video else ""
        strip = embedder.picture(folder / "pictures" / f"{stems[clip]}.png")
        if video or strip:
            value = [f"{title} {_deciding_text(rows[clip])}"] if clip in rows else []
            shown = section.clips if clip in places or not places else section.folded_clips
            shown.append(ShownClip(clip, ", ".join([*places.get(clip, []), *value]), video, poster, strip))
    if any(clip.video for clip in (*section.clips, *section.folded_clips)):
        section.intro += " Videos have the clip's sound."
    return section


def _deciding_text(row: Any) -> str:
    value = getattr(row, DECIDING)
    return "not known: no face was found" if pd.isna(value) else number_text(value, DECIDING)


def failures(results: Results) -> Section:
    """Metrics without a value and clips that could not be scored, with the reasons."""
    section = Section("Failures", "Metrics without a value and clips that could not be scored, with the reasons.")
    absent = results.absent
    if len(absent):
        absent = absent.assign(metric=[title_of(str(name)) for name in absent["metric"]])
        absent = absent.groupby(["metric", "reason", "clips"], sort=False)["method"].agg(", ".join).reset_index()
    section.tables = table_of("Metrics without a value", absent, ["metric", "method", "reason", "clips"])
    if "reason" in results.clips:
        failed = results.clips[results.clips["reason"] != ""]
        section.tables += table_of("Clips that could not be scored", failed, ["id", "method", "reason"])
    return section
