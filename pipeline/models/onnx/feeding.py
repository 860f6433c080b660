"""What stands between the world and the networks, in numbers that a program in any language can follow."""

from dataclasses import asdict
from typing import Any

from pipeline.landmarks.mouth_calibration import GAIN, KNEE
from pipeline.landmarks.pca import FACTOR, FILE
from pipeline.landmarks.points import STABLE
from pipeline.models.bundle import Bundle
from pipeline.runtime.clock import FPS
from pipeline.speech.windows import AFTER, PER_FRAME


def feeding(bundle: Bundle) -> dict[str, Any]:
    """Of a bundle of this project, as JSON data; docs/serving.md says what each number means."""
    assert bundle.speech is not None
    assert bundle.crop is not None
    return {
        "fps": FPS,
        "picture": {"channels": "RGB", "range": [-1, 1]},
        "speech": {
            **bundle.speech.record(),
            "dropped": 1,
            "rows_per_frame": PER_FRAME,
            "rows_before": AFTER,
        },
        "crop": asdict(bundle.crop),
        "landmarks": {"file": FILE, "factor": FACTOR, "stable": STABLE.tolist()},
        "mouth": {"gain": GAIN, "knee": list(KNEE)},
    }
