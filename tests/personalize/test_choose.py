"""The choice between the shipped networks and a copy with a worse AT-net."""

from pathlib import Path

import pytest
import torch

from pipeline.bundles.bundle import Bundle, load_bundle
from pipeline.bundles.location import pretrained_folder
from pipeline.personalize.choose import UNCHANGED, choose
from pipeline.personalize.mouths import MouthJudge
from pipeline.shards.clip_store import ClipStore

STEPS = {"atnet": 10, "vgnet": 10}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def judge(work: Path) -> MouthJudge:
    store = ClipStore(work)
    return MouthJudge(store, store.ids("test"))


def damaged() -> Bundle:
    """Return the shipped bundle with an AT-net that moves the mouth the wrong way."""
    bundle = load_bundle(pretrained_folder())
    with torch.no_grad():
        bundle.atnet.coefficients.weight.mul_(-1.0)
        bundle.atnet.coefficients.bias.mul_(-1.0)
    return bundle


def test_better_networks_are_kept(judge: MouthJudge) -> None:
    choice = choose(judge, damaged(), load_bundle(pretrained_folder()), {"atnet": 10, "vgnet": 0})
    assert choice.new == {"atnet": True, "vgnet": False}
    for name in ("atnet", "both"):
        assert choice.validation[name]["after"]["lmd"] < choice.validation[name]["before"]["lmd"]


def test_worse_networks_are_not_kept(judge: MouthJudge) -> None:
    choice = choose(judge, load_bundle(pretrained_folder()), damaged(), STEPS)
    assert choice.new == UNCHANGED
    assert choice.validation["atnet"]["after"]["lmd"] > choice.validation["atnet"]["before"]["lmd"]


def test_unchanged_networks_are_not_measured(judge: MouthJudge) -> None:
    bundle = load_bundle(pretrained_folder())
    choice = choose(judge, bundle, bundle, {"atnet": 0, "vgnet": 0})
    assert choice == (UNCHANGED, {})
