"""Which of the trained networks are kept, and which stay as they were."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from pipeline.inference.talking_head import TalkingHead
from pipeline.models.bundle import Bundle
from pipeline.personalize.mouths import MouthJudge, Mouths
from pipeline.personalize.tasks import make_head


@dataclass(frozen=True)
class Choice:
    """Which networks are new, and how they did on the validation clips."""

    new: Mapping[str, bool]
    """By name, `atnet` and `vgnet`."""
    validation: Mapping[str, Mapping[str, Mapping[str, float]]]
    """LMD and opening ``before`` and ``after``: of AT-net alone, of VG-net alone, and of both that are kept or were
    nearest to it; empty for a network whose training found nothing better.
    """

    @property
    def any_new(self) -> bool:
        """Whether anything is."""
        return any(self.new.values())


UNCHANGED = {"atnet": False, "vgnet": False}


def choose(judge: MouthJudge, old: Bundle, new: Bundle, steps: Mapping[str, int]) -> Choice:
    """The combination of old and new networks that is best by the landmarks of the validation clips.

    A network counts as new only when its own result is better by more than noise: AT-net's drawn landmarks, VG-net's
    pictures on real landmarks. A combination must be better as a whole, too. ``steps`` are those of the new weights; 0
    are the old ones.
    """
    before_both = make_head(old, old.atnet, old.vgnet)
    validation: dict[str, dict[str, dict[str, float]]] = {}
    choices = {"atnet": [False], "vgnet": [False]}

    def compare(name: str, before: Mouths, after: Mouths) -> bool:
        validation[name] = {"before": before.summary(), "after": after.summary()}
        return after.better_than(before)

    if steps["atnet"] and compare("atnet", judge.drawn(before_both), judge.drawn(make_head(old, new.atnet, old.vgnet))):
        choices["atnet"].append(True)
    if steps["vgnet"] and compare(
        "vgnet", judge.painted(before_both, "vg_gt"), judge.painted(make_head(old, old.atnet, new.vgnet), "vg_gt")
    ):
        choices["vgnet"].append(True)
    candidates = [dict(zip(choices, one, strict=True)) for one in product(*choices.values()) if any(one)]
    if not candidates:
        return Choice(UNCHANGED, validation)
    before = judge.painted(before_both, "at_vg")
    after = [judge.painted(mixed_head(old, new, candidate), "at_vg") for candidate in candidates]
    better = [place for place, one in enumerate(after) if one.better_than(before)]
    best = min(better or range(len(after)), key=lambda place: after[place].lmd)
    validation["both"] = {"before": before.summary(), "after": after[best].summary()}
    return Choice(candidates[best] if better else UNCHANGED, validation)


def mixed_head(old: Bundle, new: Bundle, chosen: Mapping[str, bool]) -> TalkingHead:
    """The networks that are chosen, new or old, by name."""
    networks: dict[str, Any] = {name: getattr(new if chosen[name] else old, name) for name in UNCHANGED}
    return make_head(old, networks["atnet"], networks["vgnet"])
