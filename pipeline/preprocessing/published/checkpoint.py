"""Reads a published checkpoint without running code in it."""

import re
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from pipeline.preprocessing.published.layouts import Layout, build, recognize
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath


def read_network(path: StrPath, wanted: tuple[Layout, ...], option: str) -> tuple[nn.Module, Layout]:
    """Read the network in ``path`` and return it with its layout, one of ``wanted``.

    Raises PipelineError if the file is of another kind. The message names the first wrong key or shape, and the
    ``option`` that named the file.
    """
    path = Path(path)
    tensors = read_tensors(path)
    layout = recognize(tensors)
    advice = f"Give {wanted[0].published}, as its authors publish it, with {option}."
    if layout is None:
        first = next(iter(tensors), "nothing at all")
        raise PipelineError(f"{path} holds no network of the original release: its first key is {first}. {advice}")
    if layout not in wanted:
        first = next(key for key in tensors if key.removeprefix("module.").startswith(layout.mark))
        raise PipelineError(f"{path} holds {layout.title}, not {wanted[0].title}: it has the key {first}. {advice}")
    try:
        return build(layout, tensors), layout
    except PipelineError as error:
        raise PipelineError(f"{path} does not fit {layout.title} of the original release: {error}. {advice}") from error


def read_tensors(path: StrPath) -> dict[str, Tensor]:
    """Read a state dict that ``torch.save`` wrote, in its zip format or the older one, on the CPU.

    Only tensors are unpickled. A file with other objects is refused, and none of its code runs. Raises PipelineError
    that says what the file is instead.
    """
    path = Path(path)
    if not path.is_file():
        raise PipelineError(f"{path} is {'a folder' if path.exists() else 'missing'}. Give the downloaded .pth file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about formats that are refused below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler raises anything for other bytes
        raise PipelineError(f"{path} {_describe_other(path, error)}") from error
    if not isinstance(content, dict):
        raise PipelineError(f"{path} holds a {type(content).__name__}, not a state dict. Give the published file.")
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise PipelineError(
                f"{path} is not a plain state dict: {key} is a {type(value).__name__}, not a tensor. "
                "Give the published file."
            )
    return content


_OTHERS = (  # what other files begin with
    (
        rb"\s*<",
        "is a web page, saved in place of the download. Open the link in a browser, confirm the large file, and "
        "give what is saved then.",
    ),
    (rb".{4}\0\0\0\0{", "is a safetensors file. Give the published .pth; what was imported before needs no import."),
    (rb"[\x01-\x7f]+\Z", "is a text file, not a checkpoint. Give the published .pth."),
)


def _describe_other(path: Path, error: Exception) -> str:
    if named := re.search(r"GLOBAL ([\w.]+)", str(error)):
        return (
            f"holds Python objects ({named[1]}), not weights alone. Loading them would run code, so it is refused. "
            "Give the published state dict."
        )
    if "TorchScript" in str(error):
        return "is a TorchScript program, not a state dict. Give the published file."
    with path.open("rb") as file:
        head = file.read(512)
    cut_off = f"is not a whole checkpoint ({path.stat().st_size:,} bytes). It may be cut off: download it again."
    return next((text for begin, text in _OTHERS if re.match(begin, head, re.DOTALL)), cut_off)
