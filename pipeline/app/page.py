"""The page and its buttons. Gradio draws it, keeps the queue and receives the uploads."""

from collections.abc import Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import gradio as gr
from gradio.data_classes import ImageData
from markupsafe import escape

from pipeline.app.allowlist import README
from pipeline.app.jobs import Cancelled, Jobs
from pipeline.app.uploads import KEPT
from pipeline.config.generation import SETTINGS, STRONGEST, Settings
from pipeline.config.params import WhichFace
from pipeline.runtime.errors import PipelineError

EXAMPLE = [(Path(__file__).parent / "example" / name).resolve() for name in ("face.jpg", "speech.wav")]
_WAITING_JOBS = 16  # jobs that may wait; further ones are refused
_STILL, _FILM = _FACE_FROM = ["Picture", "Video"]
_AUDIO, _SOUNDTRACK = _SPEECH_FROM = ["Sound", "Video with sound"]
_AUTOMATIC = "automatic"
_BLINK = {_AUTOMATIC: None, "yes": True, "no": False}
_FACES: list[tuple[str, int | str]] = [
    (_AUTOMATIC, _AUTOMATIC),
    ("large and central", "prominent"),
    ("largest", "largest"),
    ("nearest to the middle", "central"),
    ("leftmost", "left"),
    ("rightmost", "right"),
    *((f"number {number} from the left", number) for number in range(1, 10)),
]
"""The page's names of the rules."""
_WHOLE, _ALONE, _PANELS = _VIEWS = ["whole picture", "face alone", "panels"]

THEME = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"])  # the device's own fonts
CSS = """
.gradio-container { max-width: 72rem !important; margin: 0 auto !important }
footer, [aria-label^="Trim video"] { display: none !important }  /* it would fetch FFmpeg from another host */
.toast-wrap { top: auto !important; bottom: .5rem; pointer-events: none }  /* Gradio's place covers the buttons */
[data-testid=status-tracker]:has(> .error) { display: none !important }  /* it says "Error" alone; messages say why */
.message p { margin: 0; padding: .6rem .8rem; border-left: .25rem solid var(--color-yellow-500);
  background: var(--background-fill-secondary); overflow-wrap: anywhere }
.message p + p { margin-top: .4rem }
.message .failed { border-color: var(--color-red-500) }
"""
HEAD = '<meta name="robots" content="noindex">'

_ABOUT = """# A face that talks
Give a picture of a face and speech. You get a video in which the face says the speech.

**What to expect:** the lips follow the speech, for many voices only in part. Best is a frontal, evenly lit photograph
with closed lips and no beard."""
_PROJECT = f"ATVGnet pipeline {version('atvgnet')}. [README of the project]({README})"
_CONSENT = f"""**Use the picture and the voice of people who have agreed to it, and tell viewers that the video was
generated.** The file says so too, in its metadata. Uploads and videos stay on the machine that serves this page, and
are deleted after {KEPT // 60} minutes."""


def page(jobs: Jobs, most: int) -> gr.Blocks:
    """Build the page for ``jobs``. At most ``most`` videos are generated at a time."""

    def cancel(request: gr.Request) -> None:
        jobs.cancel(request.session_hash)

    gr.set_static_paths(list(EXAMPLE))  # served in place: copies would be deleted like uploads
    blocks = gr.Blocks(title="A face that talks", analytics_enabled=False)
    with blocks:
        gr.Markdown(_ABOUT)
        with gr.Row():
            with gr.Column():
                inputs = [*_files(jobs.seconds), *_settings(list(jobs.heads))]
            with gr.Column():
                with gr.Row():
                    start = gr.Button("Generate", variant="primary", scale=3, min_width=120)
                    stop = gr.Button("Cancel", scale=1, min_width=80)
                message = gr.HTML(elem_classes="message", padding=False)
                video = gr.Video(label="Video", height=420, interactive=False, buttons=["download"])
                gr.Markdown(_CONSENT)
                gr.Markdown(_PROJECT)
        start.click(None, None, message, js="() => ''", api_visibility="private")  # clear the previous message
        job = start.click(
            _generator(jobs),
            inputs,
            [video, message],
            show_progress_on=video,
            concurrency_limit=most,
            api_visibility="private",
        )
        stop.click(cancel, cancels=job, queue=False, api_visibility="private")
        blocks.unload(cancel)  # when the tab is closed
    blocks.queue(max_size=_WAITING_JOBS, api_open=False)
    return blocks


def _files(seconds: float) -> list[gr.components.Component]:
    """Add the inputs for picture and speech, in the order of the arguments of `_generator`'s function."""
    face_from = gr.Radio(_FACE_FROM, value=_STILL, label="Face from")
    still = gr.Image(label="Picture of a face", sources=["upload", "webcam"], type="filepath", height=300, buttons=[])
    still.preprocess = _path_of  # type: ignore[assignment, method-assign]
    film = gr.Video(label="Video of a face", sources=["upload"], height=300, visible=False, buttons=[])
    speech_from = gr.Radio(_SPEECH_FROM, value=_AUDIO, label="Speech from")
    limit = f"at most {seconds:g} seconds"
    audio = gr.Audio(label=f"Speech, {limit}", sources=["upload", "microphone"], type="filepath", buttons=[])
    soundtrack = gr.Video(
        label=f"Video with speech, {limit}",
        sources=["upload"],
        include_audio=True,
        height=200,
        visible=False,
        buttons=[],
    )
    gr.Examples(
        [list(map(str, EXAMPLE))],
        inputs=[still, audio],
        label="Example",
        example_labels=["A photograph and a sentence"],
    )
    for choice, choices, shown in (
        (face_from, _FACE_FROM, [still, film]),
        (speech_from, _SPEECH_FROM, [audio, soundtrack]),
    ):
        show = partial(_show, choices)
        choice.change(show, choice, shown, queue=False, show_progress="hidden", api_visibility="private")
    return [face_from, still, film, speech_from, audio, soundtrack]


def _settings(models: list[str]) -> list[gr.components.Component]:
    """Add the settings, in the order of the arguments of `_generator`'s function."""
    help_of = {name: info.help for name, info in SETTINGS.items()}
    with gr.Accordion("Settings", open=False):
        model = gr.Dropdown(models, value=models[0], label="Models", visible=len(models) > 1)
        strength = gr.Slider(0, STRONGEST, Settings.strength, step=0.1, label="Strength", info=help_of["strength"])
        face = gr.Dropdown(_FACES, value=_AUTOMATIC, label="Face", info=help_of["face"])
        with gr.Row():
            blink = gr.Radio(list(_BLINK), value=_AUTOMATIC, label="Blinking", info=help_of["blink"])
            seed = gr.Number(Settings.seed, label="Seed", info=help_of["seed"], precision=0)
        sway = gr.Checkbox(label=help_of["sway"].rstrip("."))
        view = gr.Radio(_VIEWS, value=_WHOLE, label="Show", info=f"Panels: {help_of['panels']}")
    return [model, strength, face, blink, seed, sway, view]


def _path_of(picture: ImageData | None) -> str | None:
    """Return the upload's path. Gradio would decode the picture, and hide what is wrong with it."""
    return picture.path if picture else None


def _show(choices: Sequence[str], choice: str) -> tuple[Any, ...]:
    """Show the chosen input, and hide the other."""
    return tuple(gr.update(visible=choice == name) for name in choices)


def _alert(*messages: str, failed: bool = False) -> str:
    """Return the messages as HTML that a screen reader reads out at once."""
    kind = "failed" if failed else "warning"
    return "".join(f'<p role="alert" class="{kind}">{escape(message)}</p>' for message in messages)


def _generator(jobs: Jobs) -> Any:
    """Return the function of the button Generate."""

    def run(
        face_from: str,
        still: str | None,
        film: str | None,
        speech_from: str,
        audio: str | None,
        soundtrack: str | None,
        model: str,
        strength: float | None,
        face: int | str,
        blink: str,
        seed: int | None,
        sway: bool,
        view: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> Iterator[tuple[str | None, str]]:
        picture = still if face_from == _STILL else film
        speech = audio if speech_from == _AUDIO else soundtrack
        warnings: list[str] = []
        try:
            if picture is None or speech is None:
                raise PipelineError("Give a picture of a face and speech first.")
            if strength is None or seed is None:
                raise PipelineError("Strength or seed is empty. Fill it in.")
            settings = Settings(
                face=None if face == _AUTOMATIC else cast(WhichFace, face),
                strength=strength,
                blink=_BLINK[blink],
                sway=sway,
                crop=view == _ALONE,
                panels=view == _PANELS,
                seed=seed,
            )
            progress(0, desc="Generating")

            def on_progress(done: int, total: int | None) -> None:
                progress((done, total), desc="Generating", unit="frames")

            work = jobs.video(
                request.session_hash, model, Path(picture), Path(speech), settings, on_progress, warnings.append
            )
            with work as video:
                yield str(video), _alert(*warnings)
        except Cancelled:
            yield None, ""
        except PipelineError as error:
            yield None, _alert(str(error), failed=True)

    return run
