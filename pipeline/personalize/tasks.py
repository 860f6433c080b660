"""The trainings of both networks, with the best weights chosen by the mouth's landmarks."""

from typing import Any

from torch import nn

from pipeline.inference.loading import load_preprocessing
from pipeline.inference.talking_head import TalkingHead
from pipeline.models.bundle import Bundle
from pipeline.personalize.mouths import MouthJudge, Mouths
from pipeline.runtime.devices import best_device
from pipeline.training.atnet import AtNetTask
from pipeline.training.task import Validation
from pipeline.training.vgnet import VgNetTask


def make_head(base: Bundle, atnet: Any, vgnet: Any) -> TalkingHead:
    """Both networks with the preprocessing of the bundle `base`."""
    return TalkingHead(atnet, vgnet, load_preprocessing(base), best_device(), card=base.card)


class MouthAtNetTask(AtNetTask):
    """AT-net, whose best weights are those with the lowest LMD of the drawn landmarks."""

    criterion = "lmd"

    def judge_with(self, judge: MouthJudge, base: Bundle) -> "MouthAtNetTask":
        """What validates, beside VG-net of the bundle `base`."""
        self._judge_mouths, self._base = judge, base
        return self

    def validate(self, network: nn.Module) -> Validation:
        """`lmd` and `opening` of the drawn landmarks, and what every training of AT-net has."""
        found = super().validate(network)
        return _with(found, self._judge_mouths.drawn(make_head(self._base, network, self._base.vgnet)))


class MouthVgNetTask(VgNetTask):
    """VG-net, whose best weights are those with the lowest LMD of pictures painted on real landmarks."""

    criterion = "lmd"

    def judge_with(self, judge: MouthJudge, base: Bundle) -> "MouthVgNetTask":
        """What validates, beside AT-net of the bundle `base`."""
        self._judge_mouths, self._base = judge, base
        return self

    def validate(self, network: nn.Module) -> Validation:
        """`lmd` and `opening` of the pictures, and what every training of VG-net has."""
        found = super().validate(network)
        head = make_head(self._base, self._base.atnet, network)
        return _with(found, self._judge_mouths.painted(head, "vg_gt"))


def _with(found: Validation, mouths: Mouths) -> Validation:
    return Validation({**mouths.summary(), **found.metrics}, found.pictures)
