"""Write measured tables of the docs from an evaluation's clips.csv, with the evaluation's means and intervals.

python -m docs.measure embedded reports    # after `dvc repro` on the embedded corpus
python -m docs.measure shipped FOLDER      # after `atvgnet evaluate --models models/pretrained --out FOLDER` on GRID
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from docs import tables
from pipeline.bundles.bundle import write_card
from pipeline.bundles.location import CARD
from pipeline.evaluation.tables import CLIPS, INFO, KEYS, Summary, overall, summarize
from pipeline.metrics import METRICS

BUNDLE = tables.ROOT / "models/pretrained"
SHARE = "share"
UNITS = {
    "lmd": "LMD, px",
    SHARE: "LMD, share of `static`",
    "psnr": "PSNR, dB",
    "ssim": "SSIM",
    "csim": "CSIM",
    "f_lmd": "face LMD, px",
    "lost": "no face found",
    "opening": "correlation of the opening",
    "spread": "spread of the opening",
    "closed": "p, b, m with closed lips",
}
PIXELS = ("static", "vg_gt", "at_vg")
LIPS = ("ground_truth", *PIXELS, "mismatched")
SEEN = "seen speaker, new sentences"
UNSEEN = "unseen speakers"
SPEAKERS = {SEEN: ("s1",), UNSEEN: ("s31", "s2", "s3", "s5", "s20", "s22")}
"""GRID's held-out speakers: seen and unseen by the shipped models."""


def info_of(folder: Path) -> dict[str, Any]:
    """Return the evaluation's record of itself: seed, commit and versions."""
    info: dict[str, Any] = json.loads((folder / INFO).read_text(encoding="utf-8"))
    return info


def summary_of(folder: Path, speakers: tuple[str, ...] = ()) -> Summary:
    """Return means and intervals over the clips of ``speakers``, or over all clips."""
    text = dict.fromkeys(KEYS, str)
    clips = pd.read_csv(folder / CLIPS, keep_default_na=False, na_values=dict.fromkeys(METRICS, ""), dtype=text)
    if speakers:
        clips = clips[clips["speaker"].str.removeprefix("grid/").isin(speakers)]  # as a member of a union
    return overall(summarize(clips, info_of(folder)["seed"]))


def cell(row: dict[str, float], metric: str) -> str:
    """Return the mean with its interval as text; empty if the method lacks the metric."""
    if metric not in row:
        return ""
    digits = 2 if metric in ("psnr", SHARE) else 3
    if not row[metric] and not row.get(f"{metric}_high"):
        return "0"
    mean, low, high = (f"{row.get(metric + end, float('nan')):.{digits}f}" for end in ("", "_low", "_high"))
    return mean if low == "nan" else f"{mean} [{low}, {high}]"


def table(summary: Summary, methods: tuple[str, ...], metrics: tuple[str, ...], label: str = "") -> list[list[str]]:
    """Return a row per method."""
    return [
        [*([label] if label else []), f"`{method}`", *(cell(summary[method], name) for name in metrics)]
        for method in methods
    ]


def embedded(folder: Path) -> None:
    """Write the table of the embedded corpus, after `dvc repro`."""
    metrics = ("psnr", "ssim", "lmd", "f_lmd", "lost")
    tables.write("embedded", [["", *map(UNITS.__getitem__, metrics)], *table(summary_of(folder), PIXELS, metrics)])


def shipped(folder: Path) -> None:
    """Write the tables and the card of the shipped models on GRID."""
    by_group = {label: summary_of(folder, speakers) for label, speakers in SPEAKERS.items()}
    for summary in by_group.values():
        for row in summary.values():
            row[SHARE] = row["lmd"] / summary["static"]["lmd"]
    for name, methods, metrics in (
        ("real_people", PIXELS, ("lmd", SHARE, "psnr", "ssim", "csim", "f_lmd")),
        ("real_people_lips", LIPS, ("opening", "spread", "closed")),
    ):
        rows = [["", "", *map(UNITS.__getitem__, metrics)]]
        for label, summary in by_group.items():
            rows += table(summary, methods, metrics, label)
        tables.write(name, rows)
    write_metrics({SEEN: by_group[SEEN], UNSEEN: by_group[UNSEEN]})


def write_metrics(by_group: dict[str, Summary]) -> None:
    """Write the metrics of the shipped models into their card too."""
    labels, names = {SEEN: "seen speaker", UNSEEN: "unseen speakers"}, ("csim", "f_lmd", "lmd", "lost", "psnr", "ssim")
    keys = [name + end for name in names for end in ("", "_low", "_high")]
    metrics = {
        f"{method}, {labels[group]}": {key: round(float(summary[method][key]), 6) for key in keys}
        for group, summary in by_group.items()
        for method in PIXELS
    }
    content = json.loads((BUNDLE / CARD).read_text(encoding="utf-8"))
    kept = {key: value for key, value in content.items() if key not in ("format", "parts")}
    write_card(BUNDLE, {**kept, "metrics": metrics})


OVERVIEW = (
    ("real_people", [SEEN, "`at_vg`"], "GRID, seen speaker, new sentences", "shipped models"),
    ("real_people", [UNSEEN, "`at_vg`"], "GRID, unseen speakers", "shipped models"),
    ("embedded", ["`at_vg`"], "embedded corpus, new sentences", "`width: 16`, minutes of training"),
    ("grid", ["`at_vg`"], "GRID, nearly all of one seen speaker", "`width: 16`, minutes of training"),
)
"""The README's rows: source table, key of its row, corpus, networks."""


def overview() -> list[list[str]]:
    """Return the README's table, from cells of other tables."""
    rows = [["corpus", "networks", "LMD of `at_vg`, px", "LMD of `static`, px", "SSIM of `at_vg`"]]
    for name, key, corpus, networks in OVERVIEW:
        header, *body = tables.read(name)
        by_key = {tuple(row[: len(key)]): dict(zip(header, row, strict=True)) for row in body}
        ours, still = by_key[tuple(key)], by_key[(*key[:-1], "`static`")]
        rows.append([corpus, networks, ours["LMD, px"], still["LMD, px"], ours["SSIM"].split(" ")[0]])
    return rows


WRITES = {"embedded": (embedded, ("embedded",)), "shipped": (shipped, ("real_people", "real_people_lips"))}
"""By name on the command line: the function that writes tables, and their names."""


def main(name: str, folder: Path) -> None:
    """Write the tables of ``name``, the overview, and their rows in sources.csv."""
    write, names = WRITES[name]
    write(folder)
    tables.write("overview", overview())
    head = ["git", "rev-parse", "HEAD"]
    here = subprocess.run(head, cwd=tables.ROOT, capture_output=True, text=True).stdout.strip()
    commit = (info_of(folder).get("made", {}).get("commit") or here)[:8]
    sources = tables.read("sources")
    kept = [[*row[:2], commit, row[3], tables.WRITTEN] if row[0] in names else row for row in sources]
    tables.write("sources", kept)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in WRITES:
        sys.exit(__doc__)
    main(sys.argv[1], Path(sys.argv[2]))
    sys.exit(tables.main(check=False))
