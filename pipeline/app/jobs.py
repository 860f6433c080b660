"""The generating behind the page: the models it offers, and jobs that end when nobody waits for them any more."""

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, get_ident

import pipeline
from pipeline.app.uploads import check_length, check_uploaded
from pipeline.inference.generate import OnProgress, generate
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.media.formats import check_self_contained
from pipeline.runtime.errors import PipelineError

_LOG = logging.getLogger("atvgnet.app")
"""Apart from the library's own loggers, whose warnings the page shows to its user."""

_END = 10.0
"""Seconds in which a job that is cancelled ends: at its next frame."""


class Cancelled(Exception):
    """Nobody waits for the video any more."""


@dataclass(eq=False)
class _Job:
    session: str | None
    cancelled: Event = field(default_factory=Event)
    ended: Event = field(default_factory=Event)


class Jobs:
    """Generates for the sessions of a page, each known by a name; thread-safe."""

    def __init__(self, heads: Mapping[str, TalkingHead], seconds: float, places: Sequence[Path]) -> None:
        """``heads`` by the names that users choose them by; speech may last ``seconds``; pictures and speech lie in
        ``places``, folders or files."""
        self.heads = heads
        self.seconds = seconds
        self._places = places
        self._running: list[_Job] = []
        self._closed = False

    @contextmanager
    def video(
        self,
        session: str | None,
        model: str,
        picture: Path,
        speech: Path,
        settings: Settings,
        on_progress: OnProgress,
        warn: Callable[[str], object],
    ) -> Iterator[Path]:
        """The MP4 of the picture, a still or a video, that says the speech; gone after the block.

        ``on_progress`` gets the frames done, and all; ``warn`` what the video may suffer from. Raises Cancelled, and
        PipelineError with a message for the user. An internal fault is logged and becomes such a message. Messages
        call files by the names they were uploaded under.
        """
        job, files = _Job(session), [picture, speech]
        self._running.append(job)

        def check_wanted() -> None:
            if self._closed or job.cancelled.is_set():
                raise Cancelled

        def go_on(done: int, total: int | None) -> None:
            check_wanted()
            on_progress(done, total)

        def named(message: str) -> str:
            for path in files:
                message = message.replace(str(path), path.name)
            return message

        try:
            with tempfile.TemporaryDirectory() as folder:
                files.append(out := Path(folder) / f"{picture.stem}.mp4")
                with _faults_in_words(picture, speech), _warnings(lambda message: warn(named(message))):
                    for upload in (picture, speech):
                        check_uploaded(upload, self._places)
                        check_self_contained(upload)
                    check_length(speech, self.seconds)
                    check_wanted()
                    generate(self.heads[model], picture, speech, out, settings, on_progress=go_on)
                yield out
        except PipelineError as error:
            raise PipelineError(named(str(error))) from error
        finally:
            self._running.remove(job)
            job.ended.set()

    def cancel(self, session: str | None) -> None:
        """End what the session has running."""
        for job in list(self._running):
            if job.session == session:
                job.cancelled.set()

    def close(self) -> None:
        """End what is running and what begins from now on, and wait for it."""
        self._closed = True
        for job in list(self._running):
            job.ended.wait(_END)


@contextmanager
def _faults_in_words(picture: Path, speech: Path) -> Iterator[None]:
    """Log an exception that no user caused, and raise PipelineError in its place."""
    try:
        yield
    except (PipelineError, Cancelled):
        raise
    except Exception as error:
        _LOG.exception("A request for the page failed.")
        raise PipelineError(
            f"{picture.name} and {speech.name} could not be made into a video because of an internal error. Try other "
            "files. Whoever runs this page finds the cause in its log."
        ) from error


@contextmanager
def _warnings(warn: Callable[[str], object]) -> Iterator[None]:
    """Give ``warn`` what the library logs in this thread."""
    thread, handler = get_ident(), logging.Handler(logging.WARNING)

    def emit(record: logging.LogRecord) -> None:
        if record.thread == thread:
            warn(record.getMessage())

    handler.emit = emit  # type: ignore[method-assign]
    logger = logging.getLogger(pipeline.__name__)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
