"""Stage evaluate: every method on every test clip, measured, tabulated and shown."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.progress import track

from pipeline.config.params import Evaluate, Protocol
from pipeline.evaluation.baselines.base import BaselineEntry, Generated, NotGenerated, TestClip
from pipeline.evaluation.clips import Clips
from pipeline.evaluation.extremes import extremes
from pipeline.evaluation.measure import Measured, by_part, compare, describe_face, hear, observe
from pipeline.evaluation.names import file_stems
from pipeline.evaluation.observed import VideoFeatures
from pipeline.evaluation.pictures import metrics_figure, strip, write_video
from pipeline.evaluation.protocols import arrange, join
from pipeline.evaluation.registry import BASELINES, DECIDING, METRICS
from pipeline.evaluation.tables import Absence, Part, Summary, tabulate, write_tables
from pipeline.faces.crop import SIZE, rescale
from pipeline.inference.talking_head import TalkingHead
from pipeline.runtime import workers as parallel
from pipeline.runtime.clock import FPS, SAMPLES_PER_FRAME
from pipeline.runtime.devices import generation_threads
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

Row = dict[str, Any]
Samples = NDArray[np.int16]
Made = dict[str, Generated | str]
"""What each method generated, or why it did not."""


class OfMethod(NamedTuple):
    """What is measured of a clip by a method: its row of clips.csv, what it lacks, and its words and phonemes."""

    row: Row
    absences: list[Absence]
    parts: list[Part]


def choose_clips(ids: list[str], max_clips: int, seed: int) -> list[str]:
    """All of ``ids``, or ``max_clips`` of them drawn with the seed, in order."""
    if not max_clips or max_clips >= len(ids):
        return ids
    drawn = np.random.default_rng(seed).choice(len(ids), size=max_clips, replace=False)
    return [ids[number] for number in sorted(drawn)]


def evaluate(
    head: TalkingHead,
    clips: Clips,
    params: Evaluate,
    seed: int,
    out: StrPath,
    jobs: int,
    made: Row | None = None,
    beside: Sequence[BaselineEntry] = (),
) -> Summary:
    """Measure the test split and write ``out``.

    The tables of `pipeline.evaluation.tables`, metrics.png, pictures/ID.png and videos/ID.mp4 of ``params.videos``
    clips, the worst, the best and the median one among them. ``made`` is what info.json says of the program that made
    it, ``beside`` are rows that not every evaluation has.
    Raises PipelineError when there is no test clip.
    """
    out = Path(out)
    ids = choose_clips(clips.ids("test"), params.max_clips, seed)
    if not ids:
        raise PipelineError("No clip of the test split is good. Give the split a larger share, or add clips.")
    methods = {entry.name: entry for entry in (*beside, *BASELINES.values())}
    for folder in (out / "pictures", out / "videos"):  # outs of the stage, also where nothing is to be shown
        folder.mkdir(parents=True, exist_ok=True)

    def work() -> Iterator[tuple[TestClip, Made, NDArray[np.int16], bool]]:
        for name in ids:
            clip, generated, samples = _generate_all(head, clips, name, params.protocol, methods)
            # Nothing is measured of attention and paint, which are most of what would go to another process.
            judged = {method: _without_paint(one) for method, one in generated.items()}
            yield clip, judged, samples, params.protocol != "cross"

    rows: list[Row] = []
    absences: list[Absence] = []
    parts: list[Part] = []
    tasks: Iterator[parallel.Task] = ((measure, task, {}) for task in work())
    with generation_threads(jobs), closing(parallel.run(tasks, jobs, ordered=True)) as measured:
        for of_clip in track(measured, total=len(ids), description="evaluate", transient=True):
            for one in of_clip:
                rows.append(one.row)
                absences += one.absences
                parts += one.parts
    info = {
        "kind": "evaluation",
        "protocol": params.protocol,
        "seed": seed,
        "fps": FPS,
        "size": head.size,
        "clips": len(ids),
        "failed": 0,
        "methods": {name: entry.title for name, entry in methods.items()},
        **({"made": made} if made else {}),
    }
    table = tabulate(rows)
    stems = file_stems(ids)
    for name in worth_showing(table, ids, params.videos):
        _show(out, stems[name], *_generate_all(head, clips, name, params.protocol, methods))
    summary = write_tables(out, table, seed, absences, info, parts=parts, short=True)
    metrics_figure(summary).savefig(out / "metrics.png", dpi=110, metadata={"Software": None})
    return summary


def worth_showing(table: pd.DataFrame, ids: list[str], count: int) -> list[str]:
    """At most ``count`` of ``ids``: the worst, the best and the median clip of the whole system, and others spread over
    the test split.
    """
    spread = ids[:: max(1, len(ids) // max(1, count))]
    found = extremes(table, "at_vg", DECIDING)
    first = [found[place] for place in ("worst", "best", "median") if place in found]
    return list(dict.fromkeys([*first, *spread]))[:count]


def _generate_all(
    head: TalkingHead, clips: Clips, name: str, protocol: Protocol, methods: Mapping[str, BaselineEntry]
) -> tuple[TestClip, Made, Samples]:
    """The clip as the protocol has it, what each method makes of it, and its sound."""
    clip, parts = arrange(protocol, clips, name)
    samples = clips.samples(name)[: len(clip.frames_THWC) * SAMPLES_PER_FRAME]
    return clip, {method: _generate(entry, head, parts) for method, entry in methods.items()}, samples


def _generate(method: BaselineEntry, head: TalkingHead, parts: list[TestClip]) -> Generated | str:
    try:
        return join([method.generate(head, part) for part in parts])
    except NotGenerated as error:
        return str(error)


def _without_paint(one: Generated | str) -> Generated | str:
    return one if isinstance(one, str) else replace(one, attention_THW=None, colour_THWC=None)


def measure(clip: TestClip, generated: Made, samples_N: NDArray[np.int16], same_face: bool = True) -> list[OfMethod]:
    """A clip's rows of clips.csv, a method each, and what belongs to them. Runs in worker processes.

    A frame that is the reference does not count. Without ``same_face`` what is generated is of another person.
    """
    judged = clip.judged
    real = observe(clip.frames_THWC[judged])
    reference = describe_face(clip.reference.image_HWC, _in_128(clip, clip.reference.points_68x2))
    said = clip.said.cut(judged)
    heard = hear(samples_N[judged.start * SAMPLES_PER_FRAME :], len(real.frames_THWC), said.phonemes_T)
    measured = []
    for method, one in generated.items():
        parts: dict[str, float] = {}
        if isinstance(one, str):
            found = Measured({}, dict.fromkeys(METRICS, one))
        else:
            target, fake = _observe(clip, real, one, judged)
            found = compare(target, fake, reference, heard, same_face=same_face or target is fake)
            parts = by_part(target, fake, said) if same_face else {}
        seen = {None: "", True: "yes", False: "no"}[clip.seen]
        row = {"id": clip.id, "speaker": clip.speaker, "seen": seen, "method": method, **found.values}
        absences = [Absence(method, *absent) for absent in found.absent.items()]
        of_parts = [Part(clip.id, clip.speaker, method, *part) for part in parts.items()]
        measured.append(OfMethod(row, absences, of_parts))
    return measured


def _observe(clip: TestClip, real: VideoFeatures, one: Generated, judged: slice) -> tuple[VideoFeatures, VideoFeatures]:
    """Of the real clip and of the generated one, with what was predicted before it was painted."""
    seen = real if np.array_equal(one.frames_THWC, clip.frames_THWC) else observe(one.frames_THWC[judged])
    drawn = None if one.coefficients_2TK is None else one.points_T68x2
    if drawn is None or one.coefficients_2TK is None:
        return real, seen
    coefficients, target = one.coefficients_2TK[:, judged]
    return (
        replace(real, coefficients_TK=target),
        replace(seen, drawn_T68x2=_in_128(clip, drawn[judged]), coefficients_TK=coefficients),
    )


def _in_128(clip: TestClip, points: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rescale(points, clip.frames_THWC.shape[1], SIZE), np.float32)


def _show(out: Path, stem: str, clip: TestClip, generated: Made, samples_N: NDArray[np.int16]) -> None:
    pictured = {name: one for name, one in generated.items() if isinstance(one, Generated)}
    image = strip(clip, {name: one for name, one in pictured.items() if name != "ground_truth"})
    good, data = cv2.imencode(".png", image[:, :, ::-1])
    assert good
    (out / "pictures" / f"{stem}.png").write_bytes(bytes(data))
    write_video(out / "videos" / f"{stem}.mp4", clip, pictured["at_vg"], samples_N)
