"""Makes photographs speak one synthetic sentence, measures the lips, and draws a contact sheet.

    python benchmarks/portraits.py --photos FOLDER --photos-limit 40

A photograph that fails has a row with the reason. OUT/portraits.csv has all
rows, OUT/contact_sheet.png the pictures. Run again, the command keeps the rows
of finished photographs while photograph, models, sentence and this file are the
same. dlib finds the points of photograph and frames in upright crops of 128x128
pixels, as in the evaluation. Gaps and openings are in eye distances.

Measures:

own      vertical gap of the inner lips in the photograph
rest     the same at rest: the median over 0.2 to 0.5 s after the last sound,
         when the mouth is still painted
cross    share of frames with crossing lips: the upper lip is below the lower
         one at one of the three middle pairs of points of the inner lips
asked    the same share of the landmarks that AT-net asked for
closed   share of p, b, m on which the lips close and part (metric `closed`)
spread   standard deviation of the mouth's opening over that of the landmarks
         that AT-net asked for; 1: the picture moves as far as asked
sharp    variance of the Laplacian within the lips' bounding box, in the frames
         with at least half of the widest opening, over the photograph's
skin     mean change of the skin of the lower face outside the moving lips
         while speaking, in levels of 255 of the most changed channel
"""

import argparse
import csv
import hashlib
import logging
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import soxr
import torch
from numpy.typing import NDArray

from pipeline.corpora.layout import PICTURES
from pipeline.faces.align import align
from pipeline.faces.crop import crop_face, from_crop, onto_crop, to_crop
from pipeline.inference.compositing.panels import label
from pipeline.inference.compositing.photograph import Photograph
from pipeline.inference.generator import Generator
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.points import MOUTH
from pipeline.landmarks.shape import eye_distance, lip_gap, mouth_opening
from pipeline.metrics.lips import closures
from pipeline.metrics.observe import find_landmarks
from pipeline.metrics.sharpness import laplacian_variance
from pipeline.preprocessing.loading import bundle_folder
from pipeline.runtime.clock import FPS, RATE, frames_of
from pipeline.runtime.errors import PipelineError, clear_errors
from pipeline.runtime.files import replacing
from pipeline.runtime.hashes import hash_file
from pipeline.runtime.progress import progress
from pipeline.runtime.workers import code_mark
from pipeline.speech.espeak import RATE as ESPEAK_RATE
from pipeline.speech.espeak import Voice, synthesise
from pipeline.speech.phonemes import Phoneme, Segment, phonemes_of_frames

SENTENCE = "papa bought my mother a big apple pie"
BEFORE, AFTER, REST = 0.3, 0.6, (0.2, 0.5)
"""Seconds of silence around the sentence, and the seconds after the last sound that count as rest."""
CROSSES, OPEN, MARGIN = 0.05, 0.045, 0.15
"""Limits of the summary: share of frames with crossing lips, and gap at rest; and the distance from skin to lips."""
FACE, TILE, ENLARGED = 192, (256, 192), 512
"""Sizes in the contact sheet in pixels: side of the face, a mouth's width and height, side of the face around it."""
MEASURES = {"own": ".3f", "rest": ".3f", "cross": ".0%", "asked": ".0%"}  # with their formats
MEASURES |= {"closed": ".0%", "spread": ".2f", "sharp": ".2f", "skin": ".1f"}


class Speech(NamedTuple):
    """A sentence: 16 kHz samples (N,), the classes of its frames' phonemes (T,), and the frames at rest."""

    samples_N: NDArray[np.int16]
    phonemes_T: NDArray[np.int8]
    rest: slice


class Row(NamedTuple):
    """The measures of one photograph, or the reason why it has none; `key` is a hash of all that they depend on."""

    photograph: str
    key: str
    reason: str = ""
    measures: Mapping[str, float] = {}


class Video(NamedTuple):
    """The part of the generated frames that is painted, RGB (T, H, W, 3), and the same part of the photograph.

    `own_68x2` are the photograph's points in its pixels, `onto_2x3` the transform from these to the upright crop of
    128x128 pixels. `points_T68x2` are dlib's points in that crop, NaN without a face, and `there_T68x2` in pixels of
    the frames. `asked_T68x2` are AT-net's points in the crop of the models.
    """

    frames_THWC: NDArray[np.uint8]
    picture_HWC: NDArray[np.uint8]
    own_68x2: NDArray[np.float32]
    onto_2x3: NDArray[np.float32]
    points_T68x2: NDArray[np.float32]
    there_T68x2: NDArray[np.float32]
    asked_T68x2: NDArray[np.float32]


def speak(sentence: str) -> Speech:
    """Synthesise a sentence between two silences."""
    said = synthesise(sentence.split(), Voice("en-us", 165, 50, 50))
    before, end, after = (round(time * ESPEAK_RATE) for time in (BEFORE, said.phonemes[-1].end, AFTER))
    padded_N = np.pad(said.samples_N[:end], (before, after))
    samples_N = (soxr.resample(padded_N, ESPEAK_RATE, RATE) * 32767).astype(np.int16)
    sounds = [Segment(sound.label, BEFORE + sound.start, BEFORE + sound.end) for sound in said.phonemes]
    rest = slice(*(round(FPS * (sounds[-1].end + time)) for time in REST))
    return Speech(samples_N, phonemes_of_frames(sounds, frames_of(len(samples_N))), rest)


def generate(head: TalkingHead, photo: Path, speech: Speech) -> Video:
    """Make the photograph say the sentence. Raises PipelineError if it shows no face."""
    generator = Generator(head, photo, Settings(blink=False))
    view, painted = generator.view, list(generator.speak([speech.samples_N]))
    assert isinstance(view, Photograph)
    part = view.window.part
    frames_THWC = np.stack([frame_HWC[part] for frame_HWC in view.frames(painted)])
    before = Generator(head, photo, Settings(blink=False, strength=0.0))  # with the photograph's own mouth
    own_68x2 = before.view.points(before.reference.points_68x2[None], 0, before.reference)[0] - np.array(
        view.window[:2], np.float32
    )
    onto_2x3 = align(own_68x2[None], per_frame=True, smoothing=0.0)[0]
    points_T68x2 = find_landmarks(np.stack([crop_face(frame_HWC, onto_2x3) for frame_HWC in frames_THWC]))
    if np.isnan(points_T68x2[speech.rest]).all():
        raise PipelineError("dlib finds no face in the generated frames at rest.")
    there_T68x2 = from_crop(points_T68x2, np.broadcast_to(onto_2x3, (len(points_T68x2), 2, 3)))
    assert isinstance(before.view, Photograph)
    picture_HWC, asked_T68x2 = before.view.picture_HWC[part], np.concatenate([chunk.points_T68x2 for chunk in painted])
    return Video(frames_THWC, picture_HWC, own_68x2, onto_2x3, points_T68x2, there_T68x2, asked_T68x2)


def gap(points_T68x2: NDArray[np.floating]) -> float:
    """The median vertical gap of the inner lips of upright points, in eye distances."""
    return float(np.nanmedian(lip_gap(points_T68x2) / eye_distance(points_T68x2)))


def crossing(points_T68x2: NDArray[np.floating]) -> float:
    """The share of the frames with a face whose lips cross."""
    gaps_TP = points_T68x2[:, (67, 66, 65), 1] - points_T68x2[:, (61, 62, 63), 1]
    return float((gaps_TP[~np.isnan(gaps_TP).any(axis=1)] < 0).any(axis=1).mean())


def measure(video: Video, speech: Speech) -> dict[str, float]:
    """The measures by name."""
    own_1x68x2 = find_landmarks(crop_face(video.picture_HWC, video.onto_2x3)[None])
    opening_T = mouth_opening(video.points_T68x2)
    wide_N = np.flatnonzero(opening_T >= np.nanmax(opening_T) / 2)
    details = [detail(video.frames_THWC[t], video.there_T68x2[t]) for t in wide_N]
    return {
        "own": gap(own_1x68x2),
        "rest": gap(video.points_T68x2[speech.rest]),
        "cross": crossing(video.points_T68x2),
        "asked": crossing(video.asked_T68x2),
        "closed": float(closures(opening_T, speech.phonemes_T).mean()),
        "spread": float(np.nanstd(opening_T) / mouth_opening(video.asked_T68x2).std()),
        "sharp": float(np.mean(details)) / detail(video.picture_HWC, video.own_68x2),
        "skin": skin_change(video, video.frames_THWC[speech.phonemes_T != Phoneme.UNKNOWN]),
    }


def detail(frame_HWC: NDArray[np.uint8], points_68x2: NDArray[np.floating]) -> float:
    """The metric `laplacian` of the lips' bounding box."""
    left, top = np.maximum(points_68x2[MOUTH].min(axis=0), 0).astype(int)
    right, bottom = np.ceil(points_68x2[MOUTH].max(axis=0)).astype(int)
    mouth_CHW = torch.from_numpy(np.ascontiguousarray(frame_HWC[top:bottom, left:right])).permute(2, 0, 1)
    return float(laplacian_variance(mouth_CHW[None] / 255))


def skin_change(video: Video, frames_THWC: NDArray[np.uint8]) -> float:
    """The mean change of the lower face without the lips, wherever they are in any frame."""
    own_68x2, size = video.own_68x2, video.picture_HWC.shape[:2]
    side = 2 * round(MARGIN * float(eye_distance(own_68x2[None])[0])) + 1
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    lips = video.there_T68x2[~np.isnan(video.there_T68x2).any(axis=(1, 2)), MOUTH].reshape(-1, 2)
    face_HW, lips_HW = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    for points, mask_HW in ((own_68x2[[*range(3, 14), *range(31, 36)]], face_HW), (lips, lips_HW)):
        cv2.fillConvexPoly(mask_HW, cv2.convexHull(np.round(points).astype(np.int32)), 1)
    skin_HW = (cv2.erode(face_HW, around) > 0) & (cv2.dilate(lips_HW, around) == 0)
    changes = [cv2.absdiff(frame_HWC, video.picture_HWC).max(axis=2)[skin_HW] for frame_HWC in frames_THWC]
    return float(np.mean(changes)) if skin_HW.any() else float("nan")


def draw(video: Video, speech: Speech) -> NDArray[np.uint8]:
    """The photograph's row of the contact sheet."""
    opening_T = mouth_opening(video.points_T68x2)
    wide = int(np.nanargmax(opening_T))
    shut = int(np.nanargmin(np.where(speech.phonemes_T == Phoneme.BILABIAL, opening_T, np.inf)))
    half = int(np.nanargmin(np.abs(opening_T - (opening_T[shut] + opening_T[wide]) / 2)))
    face_HWC = crop_face(video.picture_HWC, onto_crop(video.onto_2x3[None], FACE)[0], FACE)
    onto = onto_crop(video.onto_2x3[None], ENLARGED)
    middle = to_crop(video.own_68x2[None], onto)[0, MOUTH].mean(axis=0).round().astype(int)
    left, top = np.clip(middle - np.array(TILE) // 2, 0, ENLARGED - np.array(TILE)).tolist()
    mouth = slice(top, top + TILE[1]), slice(left, left + TILE[0])
    pictures = (video.picture_HWC, *video.frames_THWC[[speech.rest.start, shut, half, wide]])
    return np.hstack([face_HWC, *(crop_face(picture, onto[0], ENLARGED)[mouth] for picture in pictures)])


def write_picture(path: Path, picture_HWC: NDArray[np.uint8]) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(cv2.imencode(".png", picture_HWC[:, :, ::-1])[1].tobytes())


def make_row(head: TalkingHead, photo: Path, key: str, speech: Speech, out: Path) -> Row:
    """Measure a photograph and write its row of the contact sheet."""
    try:
        video = generate(head, photo, speech)
        measures = measure(video, speech)
        write_picture(out / "rows" / f"{key}.png", draw(video, speech))
        return Row(photo.name, key, "", measures)
    except Exception as error:  # the other photographs continue, whatever it is
        return Row(photo.name, key, str(error) if isinstance(error, PipelineError) else repr(error))


def read_rows(out: Path) -> dict[str, Row]:
    """The finished rows of an earlier run, by key."""
    text = (out / "portraits.csv").read_text("utf-8") if (out / "portraits.csv").exists() else ""
    lines = [line for line in csv.reader(text.splitlines(keepends=True)) if not line[2]]
    rows = [Row(line[0], line[1], "", dict(zip(MEASURES, map(float, line[3:]), strict=False))) for line in lines]
    return {row.key: row for row in rows if (out / "rows" / f"{row.key}.png").exists()}


def write_rows(out: Path, rows: Iterable[Row]) -> None:
    with replacing(out / "portraits.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        cells = ([*row[:3], *row.measures.values()] for row in rows)
        csv.writer(file).writerows([[*Row._fields[:3], *MEASURES], *cells])


def run(photos: Sequence[Path], models: str | None, out: Path, sentence: str = SENTENCE) -> list[Row]:
    """Make the rows of all photographs and the contact sheet. Rows that an earlier run finished are kept."""
    (out / "rows").mkdir(parents=True, exist_ok=True)
    folder = bundle_folder(models)
    same = sentence + code_mark() + "".join(hash_file(path, 0) for path in [Path(__file__), *sorted(folder.rglob("*"))])
    head, speech, kept = TalkingHead.from_pretrained(folder), speak(sentence), read_rows(out)
    rows: dict[str, Row] = {}
    with progress("photographs", len(photos), every=20) as advance:
        for photo in photos:
            key = hashlib.sha256(f"{same}{photo.name}{hash_file(photo, 0)}".encode()).hexdigest()[:16]
            rows[key] = kept.get(key) or make_row(head, photo, key, speech, out)
            write_rows(out, (kept | rows).values())
            advance(1, photo.name)
    title = "face; mouth, at rest, most closed on p, b or m, half open, widest open"
    sheet = [label(np.zeros((0, FACE + 5 * TILE[0], 3), np.uint8), title)]
    for key, row in rows.items():
        drawn = None if row.reason else cv2.imread(str(out / "rows" / f"{key}.png"), cv2.IMREAD_COLOR_RGB)
        text = row.reason or ", ".join(f"{name} {value:{MEASURES[name]}}" for name, value in row.measures.items())
        sheet.append(label(sheet[0][:0] if drawn is None else np.asarray(drawn), f"{row.photograph}: {text}"))
    write_picture(out / "contact_sheet.png", np.vstack(sheet))
    return list(rows.values())


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The lines to print, of at most 80 columns."""
    yield f"{'photograph':<16}" + "".join(f"{name:>8}" for name in MEASURES)
    done = [row.measures for row in rows if not row.reason]
    means = {name: float(np.nanmean([measures[name] for measures in done])) for name in MEASURES if done}
    for name, measures in [*((row.photograph, row.measures) for row in rows), (f"mean of {len(done)}", means)]:
        cells = "".join(f"{measures[name]:8{form}}" for name, form in MEASURES.items()) if measures else "  failed"
        yield f"{name[:15]:<16}{cells}"
    yield from (line for row in rows if row.reason for line in textwrap.wrap(f"{row.photograph}: {row.reason}", 80))
    crossed, resting = sum(row["cross"] > CROSSES for row in done), [row for row in done if row["rest"] > OPEN]
    before = sum(row["own"] > OPEN for row in resting)
    yield f"lips cross in more than {CROSSES:.0%} of the frames: {crossed} of {len(done)}"
    yield f"lips rest more than {OPEN} apart: {len(resting)} of {len(done)}; {before} do in the photograph"
    yield f"failed: {len(rows) - len(done)} of {len(rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="a folder of photographs")
    parser.add_argument("--models", help="a bundle; default: the one that ships")
    parser.add_argument("--out", type=Path, default=Path("build/portraits"))
    parser.add_argument("--photos-limit", type=int, help="highest number of photographs; default: all")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # no warnings about small, turned or several faces
    photos = sorted(path for path in options.photos.glob("*") if path.suffix.lower() in PICTURES)
    if not photos:
        raise PipelineError(f"{options.photos} holds no photograph. Give another folder.")
    photos = photos[:: -(-len(photos) // (options.photos_limit or len(photos)))]
    print(*table(run(photos, options.models, options.out)), sep="\n")
    print((__doc__ or "").partition("Measures:\n")[2], f"Contact sheet: {options.out / 'contact_sheet.png'}", sep="\n")


if __name__ == "__main__":
    with clear_errors("portraits"):
        main()
