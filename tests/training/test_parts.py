"""The loop's parts, each alone."""

import math
import re
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.config.training import AtNetParams, VgNetParams
from pipeline.models.vgnet import VgNet
from pipeline.runtime.devices import to_floats, to_pictures
from pipeline.runtime.errors import PipelineError
from pipeline.training.callbacks import History, Progress
from pipeline.training.loop import schedule, set_learning_rates
from pipeline.training.pictures import draw_curves
from pipeline.training.random_weights import init_generator
from pipeline.training.state import Ema, LossMonitor


def test_params_out_of_range_name_the_key() -> None:
    with pytest.raises(ValueError, match=r"lr must be above 0 and below 1; it is -0\.1"):
        VgNetParams(lr=-0.1)
    with pytest.raises(ValueError, match="width must be a multiple of 8, at least 8; it is 12"):
        AtNetParams(width=12)
    with pytest.raises(ValueError, match="mouth_weight must be above 0; it is 0"):
        VgNetParams(mouth_weight=0)


def test_learning_rate_climbs_and_falls() -> None:
    params = AtNetParams(warmup=4, schedule="cosine")
    shares = [schedule(params, index, 104) for index in range(104)]
    assert shares[:5] == pytest.approx([0.25, 0.5, 0.75, 1, 1])
    assert shares[54] == pytest.approx(0.5)
    assert shares[-1] < 1e-3
    assert all(later <= earlier for earlier, later in pairwise(shares[3:]))
    assert {schedule(AtNetParams(warmup=0, schedule="constant"), index, 10) for index in range(10)} == {1.0}


def test_every_optimiser_keeps_its_own_highest_rate() -> None:
    fast, slow = (torch.optim.Adam(nn.Linear(1, 1).parameters(), lr) for lr in (0.1, 0.02))
    for share in (0.5, 0.25):
        set_learning_rates([fast, slow], share)
    assert (fast.param_groups[0]["lr"], slow.param_groups[0]["lr"]) == pytest.approx((0.025, 0.005))


def test_initial_generator_has_standardised_landmarks_and_copies_the_reference() -> None:
    torch.manual_seed(0)
    network = VgNet(width=8)
    landmarks_NL = torch.randn(136) + 0.01 * torch.randn(500, 136)
    init_generator(network, landmarks_NL)
    with torch.inference_mode():
        read_NC = network.landmark_map[0](landmarks_NL)
        image = torch.rand(1, 3, 128, 128) * 2 - 1
        out = network.eval()(image, landmarks_NL[:1], landmarks_NL[None, 1:3])
    np.testing.assert_allclose(read_NC.mean(dim=0), 0, atol=1e-3)
    np.testing.assert_allclose(read_NC.std(dim=0), 1, atol=1e-3)
    assert out.attention_BT1HW.mean() < 0.25
    assert (out.frames_BTCHW - image[:, None]).abs().mean() < 0.25


def test_ema_follows_the_formula() -> None:
    torch.manual_seed(0)
    linear = nn.Linear(2, 2)
    network = nn.Sequential(linear, nn.BatchNorm1d(2))
    average = Ema(network, 0.5)
    expected = linear.weight.detach().numpy().copy()
    for step in range(1, 6):
        with torch.no_grad():
            linear.weight += 1
        network(torch.randn(4, 2))
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * linear.weight.detach().numpy()
    state = average.network.state_dict()
    np.testing.assert_allclose(state["0.weight"].numpy(), expected, rtol=1e-6)
    assert state["1.num_batches_tracked"] == 5
    assert not average.network.training


def test_ema_with_decay_0_equals_the_weights() -> None:
    network = nn.Linear(2, 2)
    average = Ema(network, 0.0)
    nn.init.constant_(network.weight, 7.0)
    average.update(1)
    assert torch.equal(average.network.state_dict()["weight"], network.weight)


def test_monitor_returns_means() -> None:
    monitor = LossMonitor()
    for step in range(1, 5):
        monitor.add(step, {"loss": torch.tensor(float(step)), "other": torch.tensor(1.0)})
        if step == 2:
            monitor.check()
    monitor.check()
    assert monitor.means() == {"loss": 2.5, "other": 1.0}
    assert monitor.latest == 4.0


@pytest.mark.parametrize("value", [math.nan, math.inf, 5000.0])
def test_monitor_stops_a_diverged_training(value: float) -> None:
    monitor = LossMonitor()
    monitor.add(1, {"loss": torch.tensor(2.0)})
    monitor.check()
    for step, loss in ((2, 3.0), (3, value), (4, 2.0)):
        monitor.add(step, {"loss": torch.tensor(loss)})
    with pytest.raises(PipelineError, match=r"failed at step 3: the loss `loss` is .* with other params it begins at"):
        monitor.check()


def test_history_has_a_row_per_validation(tmp_path: Path) -> None:
    path = tmp_path / "new" / "history.csv"
    history = History(path)
    history.metrics(10, {"train.loss": 1 / 3})
    history.metrics(20, {"train.loss": 0.25, "val.loss": 1e-7})
    assert path.read_text() == "step,train.loss,val.loss\n10,0.333333,\n20,0.25,1e-07\n"
    assert len(list(path.parent.iterdir())) == 1


def test_progress_prints_steps_and_validations(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(every=0.1)
    progress.start("vgnet", 100)
    progress.progress(10, 0.5)  # where a resumed training begins: there is no rate yet
    progress.progress(30, 0.25)
    time.sleep(0.2)
    progress.metrics(50, {"train.loss": 1.0, "val.pixel": 0.125, "val.psnr": 20.5, "lr": 1e-3})
    progress.done(100, {"val.pixel": 0.125, "step": 50})
    began, on_the_way, *_, validated, done = capsys.readouterr().out.splitlines()
    assert began == "vgnet: 100 steps"
    assert re.fullmatch(r"vgnet: 30 of 100, loss 0\.2500, [\d.]+ per second, [\d:]+ to go", on_the_way)
    assert validated == "vgnet 50/100: val.pixel 0.125, val.psnr 20.5"
    assert done == "vgnet 100/100: done, the weights of step 50 are kept"


def test_pictures_convert_to_floats_and_back() -> None:
    pictures = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    floats = to_floats(pictures, torch.device("cpu"))
    assert floats.shape == (1, 3, 16, 16)
    assert (floats.min().item(), floats.max().item()) == (-1, 1)
    assert floats.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_array_equal(to_pictures(floats), pictures)


def test_curves_are_drawn() -> None:
    true_TK = np.sin(np.arange(40))[:, None] * np.ones((1, 6))
    picture = draw_curves([(true_TK, 0 * true_TK), (true_TK, true_TK)])
    assert picture.shape == (240, 1440, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 3


def test_training_imports_only_what_a_bare_machine_has() -> None:
    code = (
        "import sys; import pipeline.training.__main__; "
        "import pipeline.preprocessing.published.checkpoint; "
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"torch", "numpy", "pyarrow", "cv2", "safetensors"} <= loaded
    assert not loaded & {
        "pandas",
        "yaml",
        "psutil",
        "joblib",
        "mlflow",
        "dvc",
        "dlib",
        "librosa",
        "torchmetrics",
        "rich",
        "skimage",
        "av",
    }
