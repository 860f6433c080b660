"""Other files than published checkpoints are rejected with a description, and their code does not run."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pipeline.preprocessing.published.checkpoint import read_network, read_tensors
from pipeline.preprocessing.published.layouts import ATNET, ATNET_SINGLE, VGNET
from pipeline.runtime.errors import PipelineError
from tests.preprocessing.published.original import Layouts, hollow

STATE = {f"module.{name}": tensor for name, tensor in nn.Linear(64, 64).state_dict().items()}


class Hostile:
    """Creates a file if it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trace),)


def written(path: Path, kind: str) -> Path:
    """Write a file of a kind that users may give."""
    path.parent.mkdir(exist_ok=True)
    match kind:
        case "zip" | "legacy":
            torch.save(STATE, path, _use_new_zipfile_serialization=kind == "zip")
        case "cut zip" | "cut legacy":
            whole = written(path, kind.removeprefix("cut ")).read_bytes()
            path.write_bytes(whole[: len(whole) // 2])
        case "module" | "legacy module":
            torch.save(nn.DataParallel(nn.Linear(2, 2)), path, _use_new_zipfile_serialization=kind == "module")
        case "hostile" | "legacy hostile":
            hostile = {"module.a": Hostile(path.parent / "trace")}
            torch.save(hostile, path, _use_new_zipfile_serialization=kind == "hostile")
        case "pickle":
            path.write_bytes(pickle.dumps(Hostile(path.parent / "trace"), protocol=4))
        case "training checkpoint":
            torch.save({"epoch": 18, "state_dict": STATE}, path)
        case "list":
            torch.save(list(STATE.values()), path)
        case "torchscript":
            torch.jit.script(nn.Linear(2, 2)).save(str(path))
        case "safetensors":
            save_file(STATE, path)
        case "npz":
            with path.open("wb") as file:
                np.savez(file, a=np.zeros(3))
        case "page":
            path.write_text("<!DOCTYPE html><html><title>Google Drive - Virus scan warning</title></html>")
        case "text":
            path.write_text("version https://git-lfs.github.com/spec/v1\n")
        case "bytes":
            path.write_bytes(np.random.default_rng(0).bytes(5000))
        case "empty":
            path.write_bytes(b"")
    return path


@pytest.mark.parametrize("kind", ["zip", "legacy"])
def test_both_formats_are_read(kind: str, tmp_path: Path) -> None:
    tensors = read_tensors(written(tmp_path / "a.pth", kind))
    assert list(tensors) == list(STATE)
    for key, tensor in STATE.items():
        assert torch.equal(tensors[key], tensor)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("cut zip", r"is not a whole checkpoint \([\d,]+ bytes\)\. It may be cut off: download it again"),
        ("cut legacy", r"is not a whole checkpoint \([\d,]+ bytes\)\. It may be cut off"),
        ("module", r"holds Python objects \(torch\.nn\.parallel\.data_parallel\.DataParallel\), not weights alone"),
        ("legacy module", r"holds Python objects \(torch\.nn\.parallel\.data_parallel\.DataParallel\)"),
        ("hostile", r"holds Python objects \(posix\.mkdir\).*it is refused"),
        ("legacy hostile", r"holds Python objects \(posix\.mkdir\)"),
        ("pickle", r"is not a whole checkpoint"),
        ("training checkpoint", r"is not a plain state dict: epoch is a int, not a tensor"),
        ("list", r"holds a list, not a state dict"),
        ("torchscript", r"is a TorchScript program"),
        ("safetensors", r"is a safetensors file"),
        ("npz", r"is not a whole checkpoint"),
        ("page", r"is a web page, saved in place of the download"),
        ("text", r"is a text file"),
        ("bytes", r"is not a whole checkpoint \(5,000 bytes\)"),
        ("empty", r"is not a whole checkpoint \(0 bytes\)"),
    ],
)
def test_other_files_are_described_and_rejected(kind: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path / "given.pth", kind)
    with pytest.raises(PipelineError, match=r"given\.pth " + message) as caught:
        read_tensors(path)
    assert "weights_only" not in str(caught.value)  # PyTorch's own advice would run the file
    assert not (tmp_path / "trace").exists()


def test_missing_files_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"none\.pth is missing"):
        read_tensors(tmp_path / "none.pth")
    with pytest.raises(PipelineError, match=r"is a folder"):
        read_tensors(tmp_path)


@pytest.mark.parametrize(
    ("given", "option", "message"),
    [
        (
            "discriminator",
            "--vgnet",
            r"holds the discriminator, not VG-net: it has the key module\.image_encoder_dis\.0\.0\.weight\. "
            r"Give generator_23\.pth, as its authors publish it, with --vgnet",
        ),
        ("vgnet_generator", "--atnet", r"holds VG-net, not AT-net: it has the key module\.image_encoder1"),
        ("atnet_lstm", "--vgnet", r"holds AT-net, not VG-net"),
    ],
)
def test_the_wrong_network_is_rejected(given: str, option: str, message: str, layouts: Layouts, tmp_path: Path) -> None:
    torch.save(hollow(layouts[given]["state_dict"]), tmp_path / "a.pth")
    with pytest.raises(PipelineError, match=message):
        read_network(tmp_path / "a.pth", (VGNET,) if option == "--vgnet" else (ATNET, ATNET_SINGLE), option)


def test_an_unknown_network_is_rejected_with_its_first_key(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "a.pth")
    with pytest.raises(PipelineError, match=r"no network of the original release: its first key is module\.weight\. "):
        read_network(tmp_path / "a.pth", (VGNET,), "--vgnet")


def test_a_wrong_shape_is_named_with_the_file(layouts: Layouts, tmp_path: Path) -> None:
    tensors = hollow(layouts["atnet_lstm"]["state_dict"])
    tensors["module.lstm_fc.0.weight"] = torch.zeros(20, 256)
    torch.save(tensors, tmp_path / "a.pth")
    message = r"a\.pth does not fit AT-net of the original release: module\.lstm_fc\.0\.weight has shape \(20, 256\)"
    with pytest.raises(PipelineError, match=message):
        read_network(tmp_path / "a.pth", (ATNET, ATNET_SINGLE), "--atnet")
