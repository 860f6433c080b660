"""The page's server: in a folder of its own, which is gone when it ends."""

import os
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeline.app.requests import RequestLimit
from pipeline.app.uploads import BYTES, delete_old
from pipeline.inference.talking_head import TalkingHead
from pipeline.runtime.errors import PipelineError, Stopped

_SWEEP = 60.0
"""Seconds from one search for old uploads to the next."""
SHIPPED = "pretrained"
"""What the models that ship with the project are called on the page."""


def serve(models: Sequence[str], host: str, port: int, seconds: float, most: int, per_minute: int) -> None:
    """Serve the page until the process is told to end.

    The models are those that ship and ``models``, folders or `models:/NAME@ALIAS` of MLflow; speech may last
    ``seconds``; at most ``most`` videos are generated at a time. Another machine may send ``per_minute`` requests per
    minute, uploads and videos together. Raises PipelineError for a bundle that cannot be
    loaded and a port that is taken.
    """
    _check_free(host, port)
    with _own_folder() as files:
        import gradio  # noqa: F401  which reads the environment when it is imported

        from pipeline.app.gate import gate
        from pipeline.app.jobs import Jobs
        from pipeline.app.page import CSS, EXAMPLE, HEAD, THEME, page

        heads = {SHIPPED: TalkingHead.from_pretrained()}
        heads.update((name, TalkingHead.from_pretrained(name)) for name in models)
        jobs = Jobs(heads, seconds, [files, *EXAMPLE])
        blocks = page(jobs, most)
        _, address, _ = blocks.launch(
            server_name=host,
            server_port=port,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            show_error=False,
            max_file_size=BYTES,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
            theme=THEME,
            css=CSS,
            head=HEAD,
            app_kwargs={"middleware": [gate(RequestLimit(per_minute))]},
        )
        try:
            print(f"Open {address} in a browser. Ctrl-C ends it.", flush=True)
            while True:
                delete_old(files)
                time.sleep(_SWEEP)
        except Stopped as stopped:
            stopped.kept = "Uploads and videos are deleted."
            raise
        finally:
            jobs.close()
            blocks.close(verbose=False)


def _check_free(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(where)
    except OSError as error:
        raise PipelineError(
            f"The page cannot be served at {host}:{port} ({error.strerror}). Give another --port or --host."
        ) from None


@contextmanager
def _own_folder() -> Iterator[Path]:
    """All that is uploaded and generated lies in a new folder, of which `files` alone is served: that is given."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="atvgnet-app-", ignore_cleanup_errors=True) as folder:
        files, scratch = Path(folder, "files"), Path(folder, "scratch")
        files.mkdir()
        scratch.mkdir()
        tempfile.tempdir = str(scratch)
        os.environ["GRADIO_TEMP_DIR"] = os.environ["GRADIO_EXAMPLES_CACHE"] = str(files)
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
        try:
            yield files
        finally:
            tempfile.tempdir = before
