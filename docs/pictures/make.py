"""The pictures of the docs, from a finished `dvc repro` of the embedded corpus:

    python docs/pictures/make.py            # of the project in the working directory
    python docs/pictures/make.py FOLDER     # or of another one

Writes ../speech.wav (a sentence of the corpus) and beside itself: talking.webp (face.jpg and its video), talking.mp4
(the same with sound), strip.jpg (one of its strips), contact_sheet.jpg (the
speakers of the corpus), face.jpg (one of them, which the README's commands take), app.webp (the page of `atvgnet app`,
by Debian's Chromium).
"""

import argparse
import io
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import Image

from pipeline.inference.generator import Generator
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.inference.video import generate_video
from pipeline.media import read_audio

OPENINGS = 5
"""Pictures per speaker in the contact sheet, from closed lips to the widest opening."""
SPEAKER, SENTENCE = "s1", "sgij4s"
"""Whose picture face.jpg is, and what that speaker says in speech.wav. On face.jpg the mouth opens as far as in the
middle one of the corpus's 72 sentences."""
FACE = (slice(8, 248), slice(60, 300))
"""The face within the embedded corpus's frames."""
CHROMIUM, PORT = "/usr/bin/chromium", 7861
WIDE = 0.78
"""Seconds into the example's sentence at which the mouth is open."""
SIDE, GAP = 160, 4
PER_ROW = 2
"""Speakers in a row of the contact sheet."""


def read_video(path: Path) -> NDArray[np.uint8]:
    """All frames, RGB (T, H, W, 3)."""
    video, frames = cv2.VideoCapture(str(path)), []
    while (read := video.read())[0]:
        frames.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    if not frames:
        raise SystemExit(f"{path} cannot be read. Run `dvc repro` first.")
    return np.asarray(frames, np.uint8)


def talking(picture: Path, speech: Path) -> list[Image.Image]:
    """A photograph, and beside it the video of it that the models which ship make."""
    still = np.asarray(Image.open(picture).convert("RGB"))
    generator = Generator(TalkingHead.from_pretrained(), picture, Settings(sway=True, blink=False))
    frames = generator.stream([read_audio(speech)])
    return [Image.fromarray(np.hstack([still, np.full_like(still[:, :GAP], 255), frame])) for frame in frames]


def contact_sheet(corpus: Path) -> Image.Image:
    """Each speaker's first clip at openings spread evenly over its frames."""
    script = pd.read_parquet(corpus / "script.parquet")
    cells = []
    for speaker, rows in script.groupby("speaker", sort=False):
        clip = rows[rows["name"] == rows["name"].iloc[0]]
        order = np.argsort(clip["opening"].to_numpy(), kind="stable")
        chosen = order[np.linspace(0, len(order) - 1, OPENINGS).round().astype(int)]
        frames = read_video(corpus / str(speaker) / f"{clip['name'].iloc[0]}.mpg")
        faces = [cv2.resize(frames[t][FACE], (SIDE, SIDE), interpolation=cv2.INTER_AREA) for t in chosen]
        cells.append(np.hstack([np.pad(face, ((0, GAP), (0, GAP), (0, 0)), constant_values=255) for face in faces]))
    lines = [np.hstack(cells[first : first + PER_ROW]) for first in range(0, len(cells), PER_ROW)]
    return Image.fromarray(np.vstack(lines))


def face(corpus: Path) -> Image.Image:
    """The first frame of a speaker's first clip."""
    return Image.fromarray(read_video(min((corpus / SPEAKER).glob("*.mpg")))[0])


def page() -> Image.Image:
    """The page with its example, at the widest opening of the generated video."""
    from playwright.sync_api import sync_playwright

    command = [str(Path(sys.executable).parent / "atvgnet"), "app", "--port", str(PORT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as app, sync_playwright() as playwright:
        assert app.stdout is not None
        app.stdout.readline()  # which says that it can be opened
        chromium = playwright.chromium.launch(executable_path=CHROMIUM)
        opened = chromium.new_page(viewport={"width": 1180, "height": 790})
        with opened.expect_request("**/heartbeat/*"):
            opened.goto(f"http://127.0.0.1:{PORT}/")
        opened.get_by_role("button", name="A photograph and a sentence").click()
        opened.get_by_label("Clear").wait_for()
        opened.get_by_role("button", name="Generate").click()
        opened.get_by_test_id("Video-player").wait_for()
        opened.get_by_test_id("Video-player").evaluate(f"player => player.currentTime = {WIDE}")
        opened.mouse.move(0, 0)
        opened.wait_for_timeout(2000)
        shot = opened.screenshot(full_page=True)
        chromium.close()
        app.terminate()
    return Image.open(io.BytesIO(shot)).convert("RGB")


def main(project: Path, out: Path) -> None:
    """Make all of them from the outs in ``project``."""
    strips = sorted((project / "reports/pictures").glob("*.png"))
    if not strips:
        raise SystemExit(f"{project / 'reports'} has no pictures. Run `dvc repro` first.")
    Image.open(strips[0]).convert("RGB").save(out / "strip.jpg", quality=88, optimize=True)
    contact_sheet(project / "data/sample").save(out / "contact_sheet.jpg", quality=88, optimize=True)
    face(project / "data/sample").save(out / "face.jpg", quality=92, optimize=True)
    speech = out.parent / "speech.wav"
    soundfile.write(speech, read_audio(project / "data/sample" / SPEAKER / f"{SENTENCE}.mpg"), 16000)
    first, *rest = talking(out / "face.jpg", speech)
    first.save(out / "talking.webp", save_all=True, append_images=rest, duration=40, loop=0, quality=70, method=4)
    settings = Settings(sway=True, blink=False)
    generate_video(
        TalkingHead.from_pretrained(), out / "face.jpg", speech, out / "talking.mp4", settings, overwrite=True
    )
    page().save(out / "app.webp", quality=85, method=6)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", nargs="?", type=Path, default=Path())
    main(parser.parse_args().project, Path(__file__).parent)
