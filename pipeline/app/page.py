"""What the page shows, and what its buttons do. Gradio draws it, keeps the queue and takes the uploads."""

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import gradio as gr
from gradio.data_classes import ImageData
from markupsafe import escape

from pipeline.app.gate import README
from pipeline.app.jobs import Cancelled, Jobs
from pipeline.app.uploads import KEPT
from pipeline.config.params import WhichFace
from pipeline.inference.settings import STRONGEST, Settings
from pipeline.runtime.errors import PipelineError

EXAMPLE = [(Path(__file__).parent / "example" / name).resolve() for name in ("face.jpg", "speech.wav")]
_WAITING = 16
"""Jobs that may wait for their turn; another one is refused."""
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
"""What the page calls a rule, and the rule."""
_WHOLE, _ALONE, _PANELS = _VIEWS = ["whole picture", "face alone", "panels"]

THEME = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"])  # fonts of the device itself
CSS = """
.gradio-container { max-width: 72rem !important; margin: 0 auto !important }
footer, [aria-label^="Trim video"] { display: none !important }  /* which fetches FFmpeg from another host */
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

**What to expect:** the mouth follows the speech but looks soft. Best is a frontal, evenly lit photograph with closed
lips and no beard."""
_PROJECT = f"ATVGnet pipeline {version('atvgnet')}. [README of the project]({README})"
_CONSENT = f"""**Use the picture and the voice of people who have agreed to it, and tell viewers that the video was
generated.** The file says so too, in its metadata. Uploads and videos stay on the machine that serves this page, and
are deleted after {KEPT // 60} minutes."""


def page(jobs: Jobs, most: int) -> gr.Blocks:
    """The page for ``jobs``, at most so many at a time."""
    gr.set_static_paths(list(EXAMPLE))  # served where it lies: a copy would be deleted, as uploads are
    blocks = gr.Blocks(title="A face that talks", analytics_enabled=False)
    with blocks:
        gr.Markdown(_ABOUT)
        with gr.Row():
            with gr.Column():
                face_from = gr.Radio(_FACE_FROM, value=_STILL, label="Face from")
                still = gr.Image(
                    label="Picture of a face",
                    sources=["upload", "webcam"],
                    type="filepath",
                    height=300,
                    buttons=[],
                )
                still.preprocess = _path_of  # type: ignore[assignment, method-assign]
                film = gr.Video(label="Video of a face", sources=["upload"], height=300, visible=False, buttons=[])
                speech_from = gr.Radio(_SPEECH_FROM, value=_AUDIO, label="Speech from")
                most_speech = f"at most {jobs.seconds:g} seconds"
                audio = gr.Audio(
                    label=f"Speech, {most_speech}",
                    sources=["upload", "microphone"],
                    type="filepath",
                    buttons=[],
                )
                soundtrack = gr.Video(
                    label=f"Video with speech, {most_speech}",
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
                settings = _settings(list(jobs.heads))
            with gr.Column():
                with gr.Row():
                    start = gr.Button("Generate", variant="primary", scale=3, min_width=120)
                    stop = gr.Button("Cancel", scale=1, min_width=80)
                message = gr.HTML(elem_classes="message", padding=False)
                video = gr.Video(label="Video", height=420, interactive=False, buttons=["download"])
                gr.Markdown(_CONSENT)
                gr.Markdown(_PROJECT)
        for choice, choices, shown in (
            (face_from, _FACE_FROM, [still, film]),
            (speech_from, _SPEECH_FROM, [audio, soundtrack]),
        ):
            choice.change(
                _shower(choices), choice, shown, queue=False, show_progress="hidden", api_visibility="private"
            )
        start.click(None, None, message, js="() => ''", api_visibility="private")  # what the job before it said
        job = start.click(
            _generator(jobs),
            [face_from, still, film, speech_from, audio, soundtrack, *settings],
            [video, message],
            show_progress_on=video,
            concurrency_limit=most,
            api_visibility="private",
        )
        stop.click(_canceller(jobs), cancels=job, queue=False, api_visibility="private")
        blocks.unload(_canceller(jobs))
    blocks.queue(max_size=_WAITING, api_open=False)
    return blocks


def _settings(models: list[str]) -> list[gr.components.Component]:
    """In the order in which the generator takes them."""
    with gr.Accordion("Settings", open=False):
        model = gr.Dropdown(models, value=models[0], label="Models", visible=len(models) > 1)
        strength = gr.Slider(
            0,
            STRONGEST,
            Settings.strength,
            step=0.1,
            label="Strength",
            info="How far the mouth opens. 0 leaves the picture as it is, 1 suits most faces.",
        )
        face = gr.Dropdown(
            _FACES,
            value=_AUTOMATIC,
            label="Face",
            info="For pictures with several faces. Automatic takes the face that the models were trained to take: by "
            "default the large and central one.",
        )
        with gr.Row():
            blink = gr.Radio(
                list(_BLINK), value=_AUTOMATIC, label="Blinking", info="Automatic: if the models can close these eyes."
            )
            seed = gr.Number(
                Settings.seed, label="Seed", info="Another number gives other blinks and head movements.", precision=0
            )
        sway = gr.Checkbox(label="Move the head a little")
        view = gr.Radio(
            _VIEWS,
            value=_WHOLE,
            label="Show",
            info="Panels: landmarks, attention, colour and result side by side.",
        )
    return [model, strength, face, blink, seed, sway, view]


def _path_of(picture: ImageData | None) -> str | None:
    """The upload as it is, where Gradio would decode it and keep to itself what is wrong with it."""
    return picture.path if picture else None


def _shower(choices: Sequence[str]) -> Any:
    """Shows the input that was chosen and hides the other one."""

    def show(choice: str) -> tuple[Any, ...]:
        return tuple(gr.update(visible=choice == one) for one in choices)

    return show


def _said(*messages: str, failed: bool = False) -> str:
    """HTML of messages, which a screen reader reads out at once."""
    kind = "failed" if failed else "warning"
    return "".join(f'<p role="alert" class="{kind}">{escape(one)}</p>' for one in messages)


def _generator(jobs: Jobs) -> Any:
    """What Generate does."""

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
                yield str(video), _said(*warnings)
        except Cancelled:
            yield None, ""
        except PipelineError as error:
            yield None, _said(str(error), failed=True)

    return run


def _canceller(jobs: Jobs) -> Any:
    """What Cancel does, and the closing of the tab."""

    def cancel(request: gr.Request) -> None:
        jobs.cancel(request.session_hash)

    return cancel
