"""Prints the result of a personalization."""

from pathlib import Path

from rich.console import Console

from pipeline.evaluation.results import number_text, title_of
from pipeline.personalize.personalize import AFTER, BEFORE, TABLE, TRIED, Personalized
from pipeline.reports.text_table import print_table

SHOWN = ("lmd", "opening", "spread", "closed")  # metrics in the table
NETWORKS = {"atnet": "AT-net", "vgnet": "VG-net"}
HELP = (
    "What may help: a minute or more of video; one person who looks into the camera; even light; a mouth that is not "
    "covered by a hand, a microphone or a beard; sound without music."
)


def print_report(result: Personalized, out: Path) -> None:
    """Print the verdict, the main metrics before and after, the clips, and the paths of the results."""
    console = Console()
    for line in _verdict(result):
        console.print(line, highlight=False, soft_wrap=True)
    rows = []
    for name in SHOWN:
        values = [means.get(name) for means in result.metrics.values()]
        if any(value is not None for value in values):
            rows.append([title_of(name), *("-" if value is None else number_text(value, name) for value in values)])
    print_table(console, "Held-out clips: means", ["", *result.metrics], rows)
    clips = result.clips
    for line in (
        f"Learnt from {clips['train']} clips, validated on {clips['val']}, held out {clips['test']}.",
        *(_kept(name, title, result) for name, title in NETWORKS.items()),
        f"The bundle: {out}   all metrics of each held-out clip: {out / TABLE}",
        f"Next: atvgnet generate --models {out} -p PICTURE -i SPEECH -o OUT.mp4",
    ):
        console.print(line, highlight=False, soft_wrap=True)


def _verdict(result: Personalized) -> list[str]:
    held_out = f"on {result.clips['test']} held-out clips"
    lmd = {method: means.get("lmd", 0.0) for method, means in result.metrics.items()}
    if result.better:
        share = 100 * (1 - lmd[AFTER] / lmd[BEFORE])
        return [f"Better: LMD {lmd[BEFORE]:.3f} -> {lmd[AFTER]:.3f} px ({share:.0f}% less) {held_out}."]
    lines = ["No improvement: the old models are kept. The bundle is an unchanged copy of them."]
    if TRIED in lmd:
        lines.append(f"The new models did not hold {held_out}: LMD {lmd[BEFORE]:.3f} -> {lmd[TRIED]:.3f} px.")
    return [*lines, HELP]


def _kept(name: str, title: str, result: Personalized) -> str:
    step, numbers = result.kept[name], ""
    outcome = f"the new weights, of step {step}, are kept" if step else "the old weights are kept"
    if compared := result.validation.get(name):
        before, after = compared["before"], compared["after"]
        numbers = (
            f" (validation clips: LMD {before['lmd']:.3f} -> {after['lmd']:.3f} px, "
            f"opening {before['opening']:.2f} -> {after['opening']:.2f})"
        )
    elif not step:
        numbers = " (no step was better on the validation clips)"
    return f"{title}, {result.steps[name]} steps: {outcome}{numbers}."
