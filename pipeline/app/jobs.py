"""Generates the page's videos. A job ends early if its user leaves or cancels."""

import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from threading import Event, get_ident

import pipeline
from pipeline.app.uploads import check_length, check_uploaded
from pipeline.config.generation import Settings
from pipeline.inference.checks import with_name
from pipeline.inference.talking_head import TalkingHead
from pipeline.inference.video import OnProgress, generate_video
from pipeline.media.probe import check_self_contained
from pipeline.runtime.errors import PipelineError

_LOG = logging.getLogger("atvgnet.app")
"""Not a child of the library's logger, whose warnings are shown on the page."""

_END = 10.0  # seconds to wait for cancelled jobs, which end at their next frame


class Cancelled(Exception):
    """The user has left or cancelled."""


class Jobs:
    """Generates videos for the sessions of a page. Thread-safe."""

    def __init__(self, heads: Mapping[str, TalkingHead], seconds: float, places: Sequence[Path]) -> None:
        """Offer models, by their names on the page, for speech of up to ``seconds``.

        Pictures and speech must come from ``places``, which are folders and files.
        """
        self.heads, self.seconds, self._places = heads, seconds, places
        self._running: dict[Event, str | None] = {}  # the session of each job, by the event that cancels it
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
        """Generate a video with the model of this name, and yield its MP4, which is deleted after the block.

        ``session`` is the user's, for `cancel`. ``picture`` may be a video. ``on_progress`` is called with the number
        of finished frames and of all frames, and ``warn`` with each warning. Messages name files without folders.

        Raises:
            Cancelled: The user has left or cancelled.
            PipelineError: With a message for the user. Internal errors are logged, and become such a message.
        """
        cancelled = Event()
        self._running[cancelled] = session

        def check_wanted() -> None:
            if self._closed or cancelled.is_set():
                raise Cancelled

        def report(done: int, total: int | None) -> None:
            check_wanted()
            on_progress(done, total)

        try:
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / f"{picture.stem}.mp4"
                with _internal_errors(picture, speech), _warnings(warn):
                    for upload in (picture, speech):
                        check_uploaded(upload, self._places)
                        check_self_contained(upload)
                    check_length(speech, self.seconds)
                    check_wanted()
                    generate_video(self.heads[model], picture, speech, out, settings, on_progress=report)
                yield out
        except PipelineError as error:
            raise with_name(error) from error
        finally:
            del self._running[cancelled]

    def cancel(self, session: str | None) -> None:
        """Cancel the jobs of a session."""
        for cancelled, of_session in list(self._running.items()):
            if of_session == session:
                cancelled.set()

    def close(self) -> None:
        """Cancel all jobs, also those that start later, and wait for them."""
        self._closed = True
        end = time.monotonic() + _END
        while self._running and time.monotonic() < end:
            time.sleep(0.02)


@contextmanager
def _internal_errors(picture: Path, speech: Path) -> Iterator[None]:
    """Log an unexpected exception, and raise PipelineError instead."""
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
    """Call ``warn`` with each warning that the library logs in this thread. Files are named without their folders."""
    thread, handler = get_ident(), logging.Handler(logging.WARNING)

    def emit(record: logging.LogRecord) -> None:
        if record.thread == thread:
            arguments = record.args
            if isinstance(arguments, tuple):
                record = copy(record)
                record.args = tuple(value.name if isinstance(value, Path) else value for value in arguments)
            warn(record.getMessage())

    handler.emit = emit  # type: ignore[method-assign]
    logger = logging.getLogger(pipeline.__name__)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
