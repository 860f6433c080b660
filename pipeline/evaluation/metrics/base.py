"""What a metric is: a torchmetrics.Metric that takes ``(preds, target)`` of one clip, and its entry in the registry."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torchmetrics import Metric

Compares = Literal[
    "frames", "landmarks", "shapes", "drawn", "coefficients", "identity", "loudness", "phonemes", "syncnet"
]
"""What is handed to a metric's ``update``: of T generated frames as ``preds``, and as ``target`` of the real ones, of
the reference picture or of the sound, whose frames are the same T.

- ``frames``: float RGB in [0, 1], (T, 3, size, size), at the face's own size, 128 or 256 (`landmarks.size`); the same
  of the real frames. Pixels that one of the two videos does not show are NaN in both, and are left out;
- ``landmarks``: dlib's 68 points (T, 68, 2) in pixels of a face of 128x128, whatever its size; NaN where it found
  none; the same of the real frames;
- ``shapes``: the same points, measured in crops that follow the generated video's own face, so that no motion of
  another video's crop adds to that of the lips; those of the real frames;
- ``drawn``: the points (T, 68, 2) that the system drew before it painted, in the same pixels; dlib's of the real
  frames;
- ``coefficients``: AT-net's (T, K); those of the real landmarks;
- ``identity``: dlib's face descriptors (N, 128) of some of the frames, NaN where it found no face; (128,) that of the
  reference picture;
- ``loudness``: points (T, 68, 2) as for ``shapes``; the sound's level per frame (T,), the root of the mean square of
  samples in [-1, 1];
- ``phonemes``: points (T, 68, 2) as for ``shapes``; the class of the phoneme that is spoken (T,), by
  `pipeline.speech.phonemes`;
- ``syncnet``: SyncNet's features (W, 1024) of the pictures, and (W, 1024) of the sound.
"""


@dataclass(frozen=True)
class MetricEntry:
    """What there is to know of a metric; one each in the registry."""

    name: str
    """Its key in metrics.json and means.json, and its column of clips.csv."""
    title: str
    """As reports and plots call it."""
    unit: str
    """Empty where it has none."""
    higher_is_better: bool
    digits: int
    """Behind the point, in reports."""
    compares: Compares
    make: Callable[[], Metric]
    """A new one, for one clip; ``compute`` gives a scalar, NaN where there was nothing to compare."""
    about: str = ""
    """What it says, in one line for readers who do not know it."""
    source: str = ""
    """Who defined it, as a paper is cited; empty for what everybody knows."""
    url: str = ""
    """The address of the source; empty where there is none."""
    real: bool = True
    """Whether it needs the real clip. Where not, of ``frames`` and ``landmarks`` it is given ``preds`` alone."""
    across: bool = False
    """Whether it also holds where the real clip is of another person than the generated one."""
    weights: str = ""
    """What the user must give for it (`pipeline.evaluation.weights`); empty for nothing. Without it ``make`` raises."""
    nearest: Literal["", "0", "the real clip"] = ""
    """What a good value is near, where neither the highest nor the lowest is best; ``higher_is_better`` is then False
    and says nothing."""

    @property
    def label(self) -> str:
        """Title, unit and direction, as axes and headings say them."""
        return f"{self.title} ({self.unit}, {self.direction})" if self.unit else f"{self.title} ({self.direction})"

    @property
    def direction(self) -> str:
        """Which values are better, in words."""
        if self.nearest:
            return f"nearer to {self.nearest} is better"
        return "higher is better" if self.higher_is_better else "lower is better"


METRICS: dict[str, MetricEntry] = {}
"""All metrics by name; `pipeline.evaluation.registry` fills it."""


def register(entry: MetricEntry) -> None:
    """Add a metric."""
    METRICS[entry.name] = entry
