"""The ONNX files give the outputs of PyTorch, for any chunks of frames."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import onnx
import onnxruntime
import pytest
import scipy
import torch
from numpy.typing import NDArray
from torch import Tensor
from typer.testing import CliRunner

from pipeline.bundles.bundle import Bundle, load_bundle
from pipeline.bundles.location import pretrained_folder
from pipeline.bundles.network_files import save_model
from pipeline.bundles.onnx import export_onnx
from pipeline.cli import app
from pipeline.inference.inputs import opened_speech, read_reference
from pipeline.inference.talking_head import TalkingHead
from pipeline.media import read_audio
from pipeline.models.atnet import AtNet
from pipeline.models.vgnet import VgNet
from pipeline.runtime.errors import PipelineError
from pipeline.speech.features import SpeechFeatures
from pipeline.speech.normalisation import InitialStatistics
from pipeline.speech.sound import Sound
from pipeline.speech.streaming import stream_windows
from tests.factories import write_bundle

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parents[2]
CHUNKS = (7, 1, 12)
FRAMES = sum(CHUNKS)


@dataclass(frozen=True)
class Exported:
    bundle: Bundle
    folder: Path
    reference_BK: Tensor
    windows_BT1RC: Tensor
    image_BCHW: Tensor
    reference_BL: Tensor

    @property
    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads((self.folder / "networks.json").read_text())
        return record

    def run(self, name: str, cut: str, whole: NDArray[np.float32], **fixed: Tensor) -> dict[str, NDArray[np.float32]]:
        """Outputs over all chunks of the input `cut`, with the state carried from each to the next."""
        about = self.record[name]
        session = onnxruntime.InferenceSession(self.folder / about["file"])
        state = {name: np.zeros(about["inputs"][name], np.float32) for name in about["state"]}
        given = {one: tensor.numpy() for one, tensor in fixed.items()}
        outputs: dict[str, list[NDArray[np.float32]]] = {name: [] for name in about["outputs"]}
        for chunk in np.split(whole, np.cumsum(CHUNKS)[:-1], axis=1):
            answer = dict(zip(outputs, session.run(list(outputs), {**given, cut: chunk, **state}), strict=True))
            state = {one: answer[following] for one, following in about["state"].items()}
            for one, array in answer.items():
                outputs[one].append(array)
        last = about["state"].values()
        return {one: many[-1] if one in last else np.concatenate(many, axis=1) for one, many in outputs.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped models, as the command writes them."""
    folder = tmp_path_factory.mktemp("shipped")
    done = CliRunner().invoke(app, ["export", "onnx", "--to", str(folder / "onnx")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert re.search(r"/onnx/vgnet\.onnx: 1\d\.\d MB$", done.output, re.MULTILINE)
    assert re.search(r"/onnx/landmarks\.npz: \d+\.\d kB$", done.output, re.MULTILINE)
    return folder


def shipped(folder: Path) -> Exported:
    """The shipped models with a photograph and speech as inputs."""
    preprocessing = TalkingHead.from_pretrained().preprocessing
    reference = read_reference(ROOT / "docs/pictures/face.jpg", preprocessing)
    with opened_speech(ROOT / "docs/speech.wav", preprocessing) as heard:
        chunk_TRC = next(preprocessing.windows(Sound(heard.blocks), chunk=FRAMES))
    windows = torch.from_numpy(chunk_TRC)[None, :, None]
    image = torch.from_numpy(reference.image_HWC.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
    face = torch.from_numpy(preprocessing.normalize(reference.points_68x2[None], reference.points_68x2))
    coefficients = torch.from_numpy(preprocessing.project(face[0].numpy()))[None]
    return Exported(load_bundle(pretrained_folder()), folder / "onnx", coefficients, windows, image, face)


def untrained(folder: Path, size: int) -> Exported:
    """Small networks with noise as inputs."""
    bundle = load_bundle(write_bundle(folder / "models", size=size))
    export_onnx(folder / "models", folder / "onnx")
    torch.manual_seed(1)
    windows, image = torch.randn(1, FRAMES, 1, 28, 12), torch.rand(1, 3, size, size) * 2 - 1
    return Exported(bundle, folder / "onnx", torch.randn(1, 6), windows, image, torch.randn(1, 136))


@pytest.fixture(scope="module", params=["shipped", 256], ids=str)
def exported(request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The shipped models, whose faces have 128 pixels, and networks for faces of 256."""
    if request.param == "shipped":
        return shipped(folder)
    return untrained(tmp_path_factory.mktemp("untrained"), request.param)


def test_both_networks_equal_pytorch(exported: Exported) -> None:
    """PyTorch gets all frames at once and no state, and its batch normalisation is not folded."""
    with torch.inference_mode():
        expected, state = exported.bundle.atnet.stream(exported.reference_BK, exported.windows_BT1RC)
    assert state is not None
    found = exported.run("atnet", "windows_BT1RC", exported.windows_BT1RC.numpy(), reference_BK=exported.reference_BK)
    close(found["coefficients_BTK"], expected)
    close(found["next_hidden_3BD"], state[0])
    close(found["next_cell_3BD"], state[1])

    moved = (expected - exported.reference_BK).numpy() @ exported.bundle.trained_here.landmarks.basis.T
    landmarks = (exported.reference_BL.numpy() + moved).astype(np.float32)
    picture = {"image_BCHW": exported.image_BCHW, "reference_landmarks_BL": exported.reference_BL}
    with torch.inference_mode():
        out = exported.bundle.vgnet(*picture.values(), torch.from_numpy(landmarks))._asdict()
    found = exported.run("vgnet", "landmarks_BTL", landmarks, **picture)
    out["next_state_BCHW"] = out.pop("state_BCHW")
    assert list(found) == list(out)
    for name, array in found.items():
        close(array, out[name])


def close(array: NDArray[np.float32], expected: Tensor) -> None:
    np.testing.assert_allclose(array, expected.numpy(), atol=1e-3, rtol=0)


def test_the_record_describes_the_files(exported: Exported) -> None:
    assert {path.name for path in exported.folder.iterdir()} == {
        "atnet.onnx", "vgnet.onnx", "networks.json", "landmarks.npz",
    }  # fmt: skip
    for name in ("atnet", "vgnet"):
        about = exported.record[name]
        model = onnx.load(exported.folder / about["file"])
        onnx.checker.check_model(model, full_check=True)
        for kind, values in (("inputs", model.graph.input), ("outputs", model.graph.output)):
            sizes = {
                one.name: [axis.dim_param or axis.dim_value for axis in one.type.tensor_type.shape.dim]
                for one in values
            }
            assert sizes == about[kind]
    assert exported.record["crop"]["size"] == exported.bundle.vgnet.size
    with np.load(exported.folder / exported.record["landmarks"]["file"]) as arrays:
        np.testing.assert_array_equal(arrays["basis"], exported.bundle.trained_here.landmarks.basis)


def test_the_docs_program_generates_the_same_video(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program of docs/serving.md, unchanged."""
    (folder / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(folder)
    page = (ROOT / "docs/serving.md").read_text().split("\n## ONNX")[1]
    program, prepare = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(prepare, {})
    exec(program, names := dict[str, Any]())
    head = TalkingHead.from_pretrained(precision="float32")
    reference = read_reference("docs/pictures/face.jpg", head.preprocessing)
    heard = head.preprocessing.windows(Sound([read_audio("docs/speech.wav")]))
    painted = head.paint(reference, head.landmarks(reference, heard), spoken=True)
    expected = np.concatenate([chunk.frames_THWC for chunk in painted])
    found = np.stack(names["video"])
    assert found.shape == expected.shape == (75, 128, 128, 3)
    assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    "features",
    [
        SpeechFeatures.of(0.025, "log_mel", "clip"),
        SpeechFeatures.of(0.025, "log_mel", "adaptive", InitialStatistics((-8.0,) * 27, (3.0,) * 27, 20, 100, 30, 8.0)),
        SpeechFeatures.of(0.025, "mfcc"),
        SpeechFeatures.of(0.05, "mfcc"),
        SpeechFeatures.of(0.025, "embedding_mel"),
    ],
    ids=str,
)
def test_the_docs_describe_the_speech_windows(folder: Path, features: SpeechFeatures) -> None:
    """Computed step by step with libraries and the numbers of the record."""
    samples_N = read_audio(ROOT / "docs/speech.wav")
    expected = np.concatenate(list(stream_windows(Sound([samples_N]), features)))
    record = json.loads((folder / "onnx/networks.json").read_text())["speech"] | features.record()
    record["rows_before"] = features.after
    np.testing.assert_allclose(windows_of_table(record, samples_N), expected, atol=2e-3)


def windows_of_table(speech: dict[str, Any], samples_N: NDArray[np.int16]) -> NDArray[np.float32]:
    """Compute windows from the docs' table."""
    hop, size = speech["hop"], 512 if speech["window"] <= 0.032 else 2048
    count, length = len(samples_N) // hop, round(speech["window"] * speech["rate"])
    # Row t reads `size` samples about its middle, of which all but those under the window are nothing.
    sound = np.pad(samples_N / 32768, ((size - hop) // 2, size))
    cuts = np.stack([sound[row * hop : row * hop + size] for row in range(count)])
    hann = np.pad(scipy.signal.get_window("hann", length), (size - length) // 2)
    power = np.abs(np.fft.rfft(cuts * hann)) ** 2
    low, high = (60.0, 3800.0) if speech["kind"] == "embedding_mel" else (0.0, None)
    bands = np.log(
        power @ librosa.filters.mel(sr=speech["rate"], n_fft=size, n_mels=speech["bands"], fmin=low, fmax=high).T + 1e-8
    )
    if speech["kind"] == "embedding_mel":
        bands = 2 + (bands + np.log(2.0**30)) / np.log(10)
    if speech["kind"] == "mfcc":
        rows = scipy.fft.dct(bands, norm="ortho")[:, : speech["coefficients"]]
    else:
        rows = np.concatenate([bands.mean(axis=1, keepdims=True), bands], axis=1)
    if speech["normalise"] == "clip":
        rows = (rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), 1 / 1024)
    if speech["normalise"] == "adaptive":
        start, given, counted = speech["initial"], rows.copy(), list[int]()
        for row in range(count):
            levels = given[max(0, row + 1 - start["pause"]) : row + 1, 0]
            if len(levels) < start["pause"] or np.ptp(levels) >= start["variation"]:
                counted.append(row)
            last = given[counted[-start["memory"] :]]
            weight, mean = start["weight"] + len(last), np.array(start["mean"])
            first, second = start["weight"] * mean, start["weight"] * (mean**2 + np.array(start["deviation"]) ** 2)
            middle = (first + last.sum(axis=0)) / weight
            variance = (second + (last**2).sum(axis=0)) / weight - middle**2
            rows[row] = (given[row] - middle) / np.sqrt(np.maximum(variance, 1 / 1024**2))
    frames = -(-len(samples_N) // (hop * speech["rows_per_frame"]))
    first = speech["rows_per_frame"] * np.arange(frames) - speech["rows_before"]
    taken = (first[:, None] + np.arange(speech["rows"])).clip(0, count - 1)
    return np.asarray(rows[taken][:, :, speech["dropped"] :], np.float32)


def test_other_bundles_are_rejected(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "models")
    (tmp_path / "there").mkdir()
    with pytest.raises(PipelineError, match=r"there is there already\. Give a folder that is not\."):
        export_onnx(folder, tmp_path / "there")
    meta = json.loads((folder / "atnet/model.json").read_text())["meta"]
    save_model(folder / "atnet", "model", AtNet(width=8, recurrent=False), meta)
    without = r"models has a network without a state from frame to frame, an ablation that is not exported\. Train with"
    with pytest.raises(PipelineError, match=without):
        export_onnx(folder, tmp_path / "onnx")
    meta = {"landmarks": "published"}
    save_model(folder / "atnet", "model", AtNet(width=8), meta)
    save_model(folder / "vgnet", "model", VgNet(width=8, recurrence="batch"), meta)
    with pytest.raises(PipelineError, match=r"models has networks that are published by others\. Give a bundle that"):
        export_onnx(folder, tmp_path / "onnx")
    assert not (tmp_path / "onnx").exists()
