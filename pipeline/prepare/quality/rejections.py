"""The rule for the share of clips that a stage may reject."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.corpora.base import SPLITS
from pipeline.prepare.quality.thresholds import SEPARATOR
from pipeline.runtime.errors import PipelineError


class TooManyLost(PipelineError):
    """More clips are rejected than may be. ``rows`` are all that were judged, as ``check_losses`` got them."""

    def __init__(self, message: str, rows: list[Mapping[str, Any]]) -> None:
        super().__init__(message)
        self.rows = rows


def check_losses(rows: Iterable[Mapping[str, Any]], max_lost: float, section: str) -> None:
    """Stop a stage that lost too much.

    ``rows`` have ``id``, ``split``, ``status`` and ``reason``. Raises TooManyLost, naming the most frequent causes
    with an example each, when more than ``max_lost`` of them are rejected or a split has no good clip left.
    """
    table = list(rows)
    lost = {row["id"]: row["reason"] for row in table if row["status"] != "ok"}
    why = common_causes(lost)
    if len(lost) > max_lost * len(table):
        raise TooManyLost(
            f"{len(lost)} of {len(table)} clips are rejected, more than {section}.max_lost = {max_lost} allows:{why}\n"
            f"Fix or remove those clips, or raise {section}.max_lost.",
            table,
        )
    for split in SPLITS:
        if not any(row["split"] == split and row["status"] == "ok" for row in table):
            raise TooManyLost(
                f"The split {split} has no good clip left.{why}\n"
                "Add clips, or give the split a larger share in the corpus's section of params.yaml.",
                table,
            )


def common_causes(lost: Mapping[str, str]) -> str:
    """The most frequent causes in the reasons by clip, a line each, with an example."""
    examples: dict[str, str] = {}
    for clip, reason in lost.items():
        for cause in reason.split(SEPARATOR):
            examples.setdefault(cause, clip)
    common = Counter(cause for reason in lost.values() for cause in reason.split(SEPARATOR)).most_common(5)
    return "".join(f"\n  {count} x {cause} (such as {examples[cause]})" for cause, count in common)
