"""Files of strangers: they may hold sound and pictures, and not name other files."""

import av
import av.error

from pipeline.media.errors import MediaError
from pipeline.media.library import library_errors_suppressed
from pipeline.runtime.paths import StrPath

_NAMING_OTHERS = {
    *("concat", "dash", "hds", "hls", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp", "smoothstreaming", "tee"),
    *("vobsub", "webm_dash_manifest", "alsa", "fbdev", "kmsgrab", "oss", "video4linux2,v4l2", "x11grab"),
}
"""Formats whose files name others, hosts or devices, which libav would open."""
_SELF_CONTAINED = ",".join(sorted(av.formats_available - _NAMING_OTHERS))


def check_self_contained(path: StrPath) -> None:
    """MediaError for a file of a format that may name other files, by which a stranger could see what else lies on the
    machine. What else is wrong with it whoever reads it finds.
    """
    with library_errors_suppressed():
        try:
            av.open(f"file:{path}", options={"format_whitelist": _SELF_CONTAINED}, metadata_errors="ignore").close()
        except av.error.ArgumentError:
            raise MediaError(
                path, "of a format that may name other files", "Give one that holds all it shows."
            ) from None
