"""The page's server. It keeps its files in a temporary folder."""

import os
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeline.app.rate_limit import RequestLimit
from pipeline.app.uploads import BYTES, delete_old
from pipeline.inference.talking_head import TalkingHead
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.signals import Stopped

_SWEEP = 60.0  # seconds between searches for old uploads
_QUEUE_POLL = 0.05  # seconds between looks at the queue; Gradio's 0.001 keep an idle page at 6% of a core
SHIPPED = "pretrained"  # name of the shipped models on the page


def serve(models: Sequence[str], host: str, port: int, seconds: float, most: int, per_minute: int) -> None:
    """Serve the page until the process is told to end.

    ``models`` are bundles beside the shipped one: folders, or `models:/NAME@ALIAS` of MLflow. The speech may last
    ``seconds``, and ``most`` videos are generated at a time. ``per_minute`` is how many uploads and videos together
    another machine may request per minute. Raises PipelineError if a bundle cannot be loaded, or the port is taken.
    """
    _check_free(host, port)
    with _own_folder() as files:
        from pipeline.app.allowlist import allowlist  # imports gradio, which reads the environment
        from pipeline.app.jobs import Jobs
        from pipeline.app.page import CSS, EXAMPLE, HEAD, THEME, page

        heads = {SHIPPED: TalkingHead.from_pretrained()}
        heads.update((name, TalkingHead.from_pretrained(name)) for name in models)
        jobs = Jobs(heads, seconds, [files, *EXAMPLE])
        blocks = page(jobs, most)
        blocks._queue.sleep_when_free = _QUEUE_POLL
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
            app_kwargs={"middleware": [allowlist(RequestLimit(per_minute))]},
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
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        raise PipelineError(
            f"The page cannot be served at {host}:{port} ({error.strerror}). Give another --port or --host."
        ) from None


@contextmanager
def _own_folder() -> Iterator[Path]:
    """Create a folder for everything uploaded and generated. Yields its subfolder `files`, the only one served."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="atvgnet-app-", ignore_cleanup_errors=True) as folder:
        files, scratch = Path(folder, "files"), Path(folder, "scratch")
        files.mkdir()
        scratch.mkdir()
        tempfile.tempdir = str(scratch)
        os.environ |= {"GRADIO_TEMP_DIR": str(files), "GRADIO_EXAMPLES_CACHE": str(files)}
        os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
        try:
            yield files
        finally:
            tempfile.tempdir = before
