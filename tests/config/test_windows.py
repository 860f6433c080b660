import logging
from dataclasses import replace

import pytest

from pipeline.config.params import Params
from pipeline.config.training import AtNetParams, VgNetParams
from pipeline.config.windows import require_long_clips
from pipeline.runtime.errors import PipelineError

PARAMS = Params(atnet=AtNetParams(frames=16), vgnet=VgNetParams(frames=30))


def test_clips_that_are_long_enough_say_nothing(caplog: pytest.LogCaptureFixture) -> None:
    require_long_clips(PARAMS, {"train": [31, 75], "val": [31]})
    assert not caplog.records


@pytest.mark.parametrize("short", ["train", "val"])
def test_windows_longer_than_every_clip_name_the_param_and_what_it_may_be(short: str) -> None:
    lengths = {"train": [75, 75], "val": [75]} | {short: [30, 29]}
    message = rf"vgnet\.frames is 30, .* the longest of the {short} split has 30\. Set vgnet\.frames to 29 or less\."
    with pytest.raises(PipelineError, match=message):
        require_long_clips(PARAMS, lengths)


def test_whole_clips_validate_atnet() -> None:
    params = replace(PARAMS, atnet=AtNetParams(frames=80), vgnet=VgNetParams(frames=8))
    with pytest.raises(PipelineError, match=r"atnet\.frames is 80"):
        require_long_clips(params, {"train": [75], "val": [75]})
    require_long_clips(params, {"train": [81], "val": [75]})


def test_clips_that_are_left_out_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        require_long_clips(PARAMS, {"train": [75, 30, 20], "val": [75]})
    assert "2 of 3 clips of the train split are too short for vgnet.frames = 30" in caplog.text
