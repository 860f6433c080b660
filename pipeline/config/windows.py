"""Check early, before hours of work, that clips are long enough for the windows that the networks train on."""

import logging
from collections.abc import Mapping, Sequence

from pipeline.config.params import Params
from pipeline.runtime.errors import PipelineError

log = logging.getLogger(__name__)


def require_long_clips(params: Params, lengths: Mapping[str, Sequence[int]]) -> None:
    """Compare `frames` of both networks with the ``lengths`` of the accepted clips of each split, in frames.

    A window needs `frames` frames and a reference outside them. Trainings leave out shorter clips, which a warning
    counts. Raises PipelineError if no clip of a split is long enough. AT-net needs only the training split: it is
    validated on whole clips.
    """
    for section, splits in (("atnet", ["train"]), ("vgnet", ["train", "val"])):
        frames = getattr(params, section).frames
        for split in splits:
            longest = max(lengths[split], default=0)
            if longest <= frames:
                raise PipelineError(
                    f"{section}.frames is {frames}, and with its reference a window needs {frames + 1} frames: "
                    f"the longest of the {split} split has {longest}. Set {section}.frames to {longest - 1} or less."
                )
            short = sum(length <= frames for length in lengths[split])
            if short:
                log.warning(
                    "%d of %d clips of the %s split are too short for %s.frames = %d, and are left out.",
                    short,
                    len(lengths[split]),
                    split,
                    section,
                    frames,
                )
