"""What the page shows, and what its buttons do. Gradio draws it, keeps the queue and takes the uploads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast, get_args

import gradio as gr
from gradio.data_classes import ImageData

from pipeline.app.jobs import Cancelled, Jobs
from pipeline.app.uploads import KEPT
from pipeline.config.params import FaceRule, WhichFace
from pipeline.inference.settings import STRONGEST, Settings
from pipeline.runtime.errors import PipelineError

EXAMPLE = [(Path(__file__).parent / "example" / name).resolve() for name in ("face.jpg", "speech.wav")]
_WAITING = 16
"""Jobs that may wait for their turn; another one is refused."""
_LEARNT = "as learnt"
_BLINK = {_LEARNT: None, "on": True, "off": False}
_FACES = [_LEARNT, *get_args(FaceRule), *range(1, 10)]
_WHOLE, _ALONE, _PANELS = _VIEWS = ["whole picture", "face alone", "panels"]

THEME = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"])  # fonts of the device itself
CSS = """
.gradio-container { max-width: 72rem !important; margin: 0 auto !important }
footer, [aria-label^="Trim video"] { display: none !important }  /* which fetches FFmpeg from another host */
"""
HEAD = '<meta name="robots" content="noindex">'

_ABOUT = """# A face that talks
Give a picture of a face and speech: the face says it."""
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
                kind = gr.Radio(["Picture", "Video"], value="Picture", show_label=False, container=False)
                still = gr.Image(
                    label="Picture of a face",
                    sources=["upload", "webcam"],
                    type="filepath",
                    height=300,
                    buttons=[],
                )
                still.preprocess = _path_of  # type: ignore[assignment, method-assign]
                film = gr.Video(label="Video of a face", sources=["upload"], height=300, visible=False, buttons=[])
                speech = gr.Audio(
                    label=f"Speech, at most {jobs.seconds:g} seconds",
                    sources=["upload", "microphone"],
                    type="filepath",
                    buttons=[],
                )
                gr.Examples(
                    [list(map(str, EXAMPLE))],
                    inputs=[still, speech],
                    label="Example",
                    example_labels=["A photograph and a sentence"],
                )
                settings = _settings(list(jobs.heads))
            with gr.Column():
                with gr.Row():
                    start = gr.Button("Generate", variant="primary", scale=3, min_width=120)
                    stop = gr.Button("Cancel", scale=1, min_width=80)
                video = gr.Video(label="Video", height=420, interactive=False, buttons=["download"])
                gr.Markdown(_CONSENT)
        kind.change(_shown, kind, [still, film], queue=False, show_progress="hidden", api_visibility="private")
        job = start.click(
            _generator(jobs),
            [kind, still, film, speech, *settings],
            video,
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
        strength = gr.Slider(0, STRONGEST, 1, step=0.1, label="Strength", info="How far the mouth moves; 1 as learnt")
        face = gr.Dropdown(
            _FACES, value=_LEARNT, label="Face", info="Of several in the picture; numbers count from the left"
        )
        with gr.Row():
            blink = gr.Radio(list(_BLINK), value=_LEARNT, label="Blinking")
            seed = gr.Number(0, label="Seed", info="Of blinking and sway", precision=0, minimum=0)
        sway = gr.Checkbox(label="The head sways a little")
        view = gr.Radio(_VIEWS, value=_WHOLE, label="Show", info="Panels: landmarks, attention, colour and result")
    return [model, strength, face, blink, seed, sway, view]


def _path_of(picture: ImageData | None) -> str | None:
    """The upload as it is, where Gradio would decode it and keep to itself what is wrong with it."""
    return picture.path if picture else None


def _shown(kind: str) -> tuple[Any, Any]:
    return gr.update(visible=kind == "Picture"), gr.update(visible=kind == "Video")


def _generator(jobs: Jobs) -> Any:
    """What Generate does."""

    def run(
        kind: str,
        still: str | None,
        film: str | None,
        speech: str | None,
        model: str,
        strength: float | None,
        face: int | str,
        blink: str,
        seed: int | None,
        sway: bool,
        view: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> Iterator[str | None]:
        picture = still if kind == "Picture" else film
        try:
            if picture is None or speech is None:
                raise PipelineError("Give a picture of a face and speech first.")
            if strength is None or seed is None:
                raise PipelineError("Strength or seed is empty. Fill it in.")
            settings = Settings(
                face=None if face == _LEARNT else cast(WhichFace, face),
                strength=strength,
                blink=_BLINK[blink],
                sway=sway,
                crop=view == _ALONE,
                panels=view == _PANELS,
                seed=seed,
            )
            progress(0, desc="Generating")

            def told(done: int, total: int | None) -> None:
                progress((done, total), desc="Generating", unit="frames")

            work = jobs.video(request.session_hash, model, Path(picture), Path(speech), settings, told, gr.Warning)
            with work as video:
                yield str(video)
        except Cancelled:
            yield None
        except PipelineError as error:
            raise gr.Error(str(error), duration=None, print_exception=False) from None

    return run


def _canceller(jobs: Jobs) -> Any:
    """What Cancel does, and the closing of the tab."""

    def cancel(request: gr.Request) -> None:
        jobs.cancel(request.session_hash)

    return cancel
