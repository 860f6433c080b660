"""Every method on every test clip: measured, tabulated and shown."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.config.params import Evaluate, Protocol
from pipeline.evaluation.baselines import AT_VG, BASELINES, GROUND_TRUTH, MISMATCHED
from pipeline.evaluation.baselines.base import BaselineEntry, Generated, NotGenerated, TestClip
from pipeline.evaluation.clips import StoredClips
from pipeline.evaluation.folder import file_stems
from pipeline.evaluation.pictures import metrics_figure, strip, write_video
from pipeline.evaluation.protocols import arrange, join
from pipeline.evaluation.results import extremes
from pipeline.evaluation.tables import ClipResult, Summary, tabulate, write_tables
from pipeline.faces.crop import SIZE, rescale
from pipeline.inference.talking_head import TalkingHead
from pipeline.metrics import DECIDING, METRICS
from pipeline.metrics.compute import MetricValues, compute_metrics, lmd_by_part
from pipeline.metrics.observe import VideoFeatures, describe_face, hear, observe
from pipeline.runtime import workers as parallel
from pipeline.runtime.clock import FPS, SAMPLES_PER_FRAME
from pipeline.runtime.devices import generation_threads
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.runtime.progress import with_progress

Samples = NDArray[np.int16]
Outputs = dict[str, Generated | NotGenerated]
"""By method the frames, or why there are none."""


def choose_clips(ids: list[str], max_clips: int, seed: int) -> list[str]:
    """All of ``ids``, or ``max_clips`` of them drawn with the seed, in order."""
    if not max_clips or max_clips >= len(ids):
        return ids
    drawn = np.random.default_rng(seed).choice(len(ids), size=max_clips, replace=False)
    return [ids[number] for number in sorted(drawn)]


def choose_test_clips(clips: StoredClips, max_clips: int, seed: int) -> list[str]:
    """`choose_clips` of the test split. Raises PipelineError if no clip of it is good."""
    ids = choose_clips(clips.ids("test"), max_clips, seed)
    if not ids:
        raise PipelineError("No clip of the test split is good. Give the split a larger share, or add clips.")
    return ids


def evaluate(
    head: TalkingHead,
    clips: StoredClips,
    params: Evaluate,
    seed: int,
    out: StrPath,
    jobs: int,
    program: Mapping[str, Any] | None = None,
    extra_methods: Sequence[BaselineEntry] = (),
) -> Summary:
    """Measure the test split and write tables, metrics.png, pictures/ID.png and videos/ID.mp4.

    Args:
        head: The models.
        clips: The clips, prepared as the models were trained.
        params: The section `evaluate` of params.yaml. ``params.videos`` clips get pictures and videos, first the worst,
            the best and the median one.
        seed: Draws clips and bootstrap samples.
        out: The folder to write.
        jobs: Processes that measure.
        program: What info.json says of the program under the key ``made``.
        extra_methods: Methods beside `BASELINES`.

    Returns:
        The means and intervals over all clips.

    Raises:
        PipelineError: There is no test clip.
    """
    out, ids = Path(out), choose_test_clips(clips, params.max_clips, seed)
    methods = {entry.name: entry for entry in (*extra_methods, *BASELINES.values())}
    for folder in ("pictures", "videos"):  # outs of the stage, also without any file
        (out / folder).mkdir(parents=True, exist_ok=True)

    def tasks() -> Iterator[parallel.Task]:
        for name in ids:
            clip, outputs, samples_N = _generate_all(head, clips, name, params.protocol, methods)
            # Attention and colour are not measured, and most of the bytes that another process would get.
            small = {method: _without_paint(output) for method, output in outputs.items()}
            yield measure_clip, (clip, small, samples_N, params.protocol != "cross"), {}

    results: list[ClipResult] = []
    with generation_threads(jobs), closing(parallel.run(tasks(), jobs, ordered=True)) as measured:
        for of_clip in with_progress(measured, "evaluate", len(ids)):
            results += of_clip
    info = {
        "kind": "evaluation",
        "protocol": params.protocol,
        "seed": seed,
        "fps": FPS,
        "size": head.size,
        "clips": len(ids),
        "failed": 0,
        "methods": {name: entry.title for name, entry in methods.items()},
        **({"made": program} if program else {}),
    }
    table = tabulate(result.row for result in results)
    stems = file_stems(ids)
    for name in clips_to_show(table, ids, params.videos):
        _show(out, stems[name], *_generate_all(head, clips, name, params.protocol, methods))
    summary = write_tables(out, table, seed, results, info, [(AT_VG, MISMATCHED)], short=True)
    metrics_figure(summary).savefig(out / "metrics.png", dpi=110, metadata={"Software": None})
    return summary


def clips_to_show(table: pd.DataFrame, ids: list[str], count: int) -> list[str]:
    """At most ``count`` of ``ids``: the worst, best and median one of the system, then some spread over the split."""
    spread = ids[:: max(1, len(ids) // max(1, count))]
    by_place = extremes(table, AT_VG, DECIDING)
    first = [by_place[place] for place in ("worst", "best", "median") if place in by_place]
    return list(dict.fromkeys([*first, *spread]))[:count]


def _generate_all(
    head: TalkingHead, clips: StoredClips, name: str, protocol: Protocol, methods: Mapping[str, BaselineEntry]
) -> tuple[TestClip, Outputs, Samples]:
    """The clip as the protocol arranges it, each method's output, and the sound."""
    clip, parts = arrange(protocol, clips, name)
    samples_N = clips.samples(name)[: len(clip.frames_THWC) * SAMPLES_PER_FRAME]
    return clip, {method: _generate(entry, head, parts) for method, entry in methods.items()}, samples_N


def _generate(method: BaselineEntry, head: TalkingHead, parts: list[TestClip]) -> Generated | NotGenerated:
    try:
        return join([method.generate(head, part) for part in parts])
    except NotGenerated as reason:
        return NotGenerated(str(reason))  # without the traceback


def _without_paint(output: Generated | NotGenerated) -> Generated | NotGenerated:
    if isinstance(output, NotGenerated):
        return output
    return replace(output, attention_THW=None, colour_THWC=None)


def measure_clip(clip: TestClip, outputs: Outputs, samples_N: Samples, same_face: bool = True) -> list[ClipResult]:
    """Measure a clip by each method. Runs in worker processes.

    The reference frame does not count. Without ``same_face`` the generated face is another person's.
    """
    real = observe(clip.frames_THWC[clip.measured])
    reference_128 = describe_face(clip.reference.image_HWC, _in_128(clip, clip.reference.points_68x2))
    transcript = clip.transcript.cut(clip.measured)
    first_sample = clip.measured.start * SAMPLES_PER_FRAME
    audio = hear(samples_N[first_sample:], len(real.frames_THWC), transcript.phonemes_T)
    results = []
    for method, output in outputs.items():
        parts: dict[str, float] = {}
        if isinstance(output, NotGenerated):
            metrics = MetricValues({}, dict.fromkeys(METRICS, str(output)))
        else:
            target, fake = _observe(clip, real, output)
            metrics = compute_metrics(target, fake, reference_128, audio, same_face=same_face or target is fake)
            parts = lmd_by_part(target, fake, transcript) if same_face else {}
        seen = {None: "", True: "yes", False: "no"}[clip.seen]
        row = {"id": clip.id, "speaker": clip.speaker, "seen": seen, "method": method, **metrics.values}
        results.append(ClipResult(row, metrics.absent, parts))
    return results


def _observe(clip: TestClip, real: VideoFeatures, output: Generated) -> tuple[VideoFeatures, VideoFeatures]:
    """The features of the real and of the generated clip, with AT-net's prediction if there is one."""
    same = np.array_equal(output.frames_THWC, clip.frames_THWC)
    fake = real if same else observe(output.frames_THWC[clip.measured])
    if output.coefficients_2TK is None or output.points_T68x2 is None:
        return real, fake
    predicted_TK, target_TK = output.coefficients_2TK[:, clip.measured]
    drawn_T68x2 = _in_128(clip, output.points_T68x2[clip.measured])
    return (
        replace(real, coefficients_TK=target_TK),
        replace(fake, drawn_T68x2=drawn_T68x2, coefficients_TK=predicted_TK),
    )


def _in_128(clip: TestClip, points: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rescale(points, clip.frames_THWC.shape[1], SIZE), np.float32)


def _show(out: Path, stem: str, clip: TestClip, outputs: Outputs, samples_N: Samples) -> None:
    generated = {method: output for method, output in outputs.items() if isinstance(output, Generated)}
    image = strip(clip, {method: output for method, output in generated.items() if method != GROUND_TRUTH})
    good, data = cv2.imencode(".png", image[:, :, ::-1])
    assert good
    (out / "pictures" / f"{stem}.png").write_bytes(bytes(data))
    write_video(out / "videos" / f"{stem}.mp4", clip, generated[AT_VG], samples_N)
