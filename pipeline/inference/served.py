"""A bundle as MLflow serves it: a picture and speech in, a talking face out.

MLflow imports this module out of the source that was logged with the bundle.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.inference.talking_head import TalkingHead


class ServedBundle:
    """Wraps a talking head for `mlflow.pyfunc`."""

    def __init__(self, head: TalkingHead) -> None:
        self.head = head

    def predict(self, arrays: Mapping[str, np.ndarray], params: Any = None) -> dict[str, np.ndarray]:
        """`frames`, RGB uint8 (T, size, size, 3) at 25 per second, of the face in `image`, RGB uint8 (H, W, 3), which
        says `samples`, int16 (N,) at 16 kHz. Raises PipelineError when there is no face, or less than a frame of sound.
        """
        return {"frames": np.stack(list(self.head.generate(arrays["image"], arrays["samples"])))}


def _load_pyfunc(path: str) -> ServedBundle:
    return ServedBundle(TalkingHead.from_pretrained(path))
