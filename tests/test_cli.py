"""The command line as a user calls it: help, and errors without a traceback."""

import importlib.metadata
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
import typer
from numpy.typing import NDArray
from typer.testing import CliRunner

from pipeline.bundles.bundle import write_card
from pipeline.cli import app
from pipeline.media import read_audio
from tests import forked
from tests.factories import write_bundle
from tests.media.pictures import count_frames
from tests.small_disk import run_on_small_disk

ATVGNET = str(Path(sys.executable).parent / "atvgnet")


def atvgnet(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.run(folder, *arguments, environment={"COLUMNS": "200", "TERM": "dumb"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text(Path("params.yaml").read_text())
    return tmp_path


def test_help_names_the_commands(folder: Path) -> None:
    """The installed program itself, which starts without torch."""
    shown = subprocess.run([ATVGNET, "--help"], cwd=folder, capture_output=True, text=True)
    assert shown.returncode == 0
    commands = (
        *("generate", "app", "personalize", "use", "fetch", "export", "import-upstream", "evaluate", "params"),
        *("report", "compare", "gate"),
    )
    for command in commands:
        assert command in shown.stdout


def commands_of(group: typer.core.TyperGroup, *above: str) -> Iterator[tuple[str, ...]]:
    """Yield every command and group as words."""
    yield above
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from commands_of(command, *above, name)
        else:
            yield (*above, name)


@pytest.mark.parametrize("words", list(commands_of(cast(typer.core.TyperGroup, typer.main.get_command(app)))))
def test_every_help_is_readable_in_80_columns(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """-h equals --help, every option has a description, and no name or list of values is broken."""
    monkeypatch.setenv("COLUMNS", "80")
    long, short = (CliRunner().invoke(app, [*words, option]) for option in ("--help", "-h"))
    assert long.exit_code == short.exit_code == 0
    assert long.output == short.output
    assert max(map(len, long.output.splitlines())) <= 80
    shown: Any = typer.main.get_command(app)
    for word in words:
        shown = shown.commands[word]
    assert shown.help
    for param in shown.params:
        assert param.help, param.name
        assert all(name in long.output for name in param.opts)
    assert not re.search(r"<\w+\|[^>\n]*\n", long.output)  # a list of values that continues in the next line


def test_a_shell_completes_the_commands(folder: Path) -> None:
    request = {"_ATVGNET_COMPLETE": "complete_bash", "COMP_WORDS": "atvgnet per", "COMP_CWORD": "1"}
    done = subprocess.run([ATVGNET], cwd=folder, env={**os.environ, **request}, capture_output=True, text=True)
    assert done.stdout.split() == ["personalize"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report"], "metrics.csv is missing. Run `dvc repro` first."),
        (["report", "--md"], "metrics.csv is missing. Run `dvc repro` first."),
        (["compare", "HEAD"], "HEAD: the project's folder with git and DVC is needed to read revisions."),
        (["gate", "--baseline", "HEAD", "--metric", "lmdd"], "'lmdd' is not a metric. Choose of psnr, ssim, "),
        (
            ["use", "grit"],
            "corpus is 'grit'; it must be one of folder, grid, lrw, portraits, sample, union. Did you mean grid?",
        ),
        (["use", "grid", "--root", "nowhere"], "nowhere is not a folder. With --root, give the folder of the files of"),
        (["use", "folder"], "data/raw/folder is not a folder. Run: atvgnet use folder --root FOLDER\n"),
        (["use", "nonsense"], "must be one of folder, grid, lrw, portraits, sample, union.\n"),
        (
            ["generate", "--models", "models", "-p", "a.jpg", "-i", "b.wav", "-o", "c.mp4"],
            "models is missing. Train the models with `dvc repro`, or",
        ),
        (
            ["personalize", "--models", "models", "--video", "a.mp4", "-o", "me"],
            "models is missing. Train the models with `dvc repro`, or give the folder of a bundle.",
        ),
    ],
)
def test_errors_are_one_message(folder: Path, arguments: list[str], message: str) -> None:
    done = atvgnet(folder, *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_use_prints_its_changes_and_the_next_command(folder: Path) -> None:
    videos = folder / "data/raw/mine"
    videos.mkdir(parents=True)
    for name in "abcd":
        (videos / f"{name}.mp4").touch()
    done = atvgnet(folder, "use", "folder", "--root", str(videos))
    assert done.stdout.splitlines() == [
        "corpus: sample -> folder",
        f"corpora.folder.root: data/raw/folder -> {videos}",
        "Now run: dvc repro",
    ]


def test_version(folder: Path) -> None:
    assert atvgnet(folder, "--version").stdout == f"atvgnet {importlib.metadata.version('atvgnet')}\n"


@pytest.mark.parametrize("command", ["report", "params", "use grid", "generate --models models -p a -i b -o c.mp4"])
def test_in_a_subfolder_the_project_is_named(folder: Path, command: str) -> None:
    (folder / "dvc.yaml").touch()
    (folder / "deep" / "below").mkdir(parents=True)
    done = atvgnet(folder / "deep" / "below", *command.split())
    assert done.returncode == 1
    assert done.stderr.strip().endswith(f"The project is in {folder}: run the command there.")


def test_a_full_disk_behind_the_output(folder: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = forked.run(folder, "params", stdout=full.fileno())
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("atvgnet: [Errno 28] No space left on device. Free space")


@pytest.fixture
def speaking(folder: Path, photograph: NDArray[np.uint8]) -> Path:
    """A folder with a bundle, a picture, a minute of speech, and the subfolder `temporary` for temporary files."""
    write_bundle(folder / "models")
    cv2.imwrite(str(folder / "face.jpg"), photograph[:320, :, ::-1])  # below, some versions find a second face
    samples = (np.random.default_rng(0).standard_normal(16000 * 60) * 3000).astype(np.int16)
    soundfile.write(folder / "speech.wav", samples, 16000)
    (folder / "temporary").mkdir()
    return folder


def generating(*files: str, models: str = "models") -> list[str]:
    picture, speech, out = files or ("face.jpg", "speech.wav", "out.mp4")
    return ["generate", "--models", models, "-p", picture, "-i", speech, "-o", out]


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["temporary/*/speech.raw", ".*.tmp"])
def test_an_interrupted_generate_leaves_a_playable_video_or_nothing(speaking: Path, moment: str) -> None:
    before = sorted(speaking.iterdir())
    temporary = {"TMPDIR": str(speaking / "temporary")}
    with forked.started(speaking, *generating(), environment=temporary) as program:
        while not any(path.stat().st_size > 50_000 for path in speaking.glob(moment)):
            assert program.process.is_alive()
            time.sleep(0.02)
        program.process.terminate()
        done = program.finished()
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stderr.count("\n") == 1
    assert not list((speaking / "temporary").iterdir())
    out = speaking / "out.mp4"
    if "speech" in moment:
        assert done.stderr.startswith("atvgnet: Stopped (SIGTERM). Run the same command again")
        assert sorted(speaking.iterdir()) == before
    else:
        frames = count_frames(out)
        assert 0 < frames < 1500
        message = re.fullmatch(
            r"atvgnet: Stopped \(SIGTERM\)\. out\.mp4 holds about the first ([\d.]+) s\.\n", done.stderr
        )
        assert message
        assert float(message[1]) == pytest.approx(frames / 25, abs=0.1)
        assert abs(len(read_audio(out)) - frames * 640) < 1700  # a frame and a block of AAC
        assert sorted(speaking.iterdir()) == sorted([*before, out])


@pytest.mark.slow
def test_pipes_for_speech_and_video(speaking: Path) -> None:
    """The first frames come before the speech ends. Messages go to standard error."""
    wav = (speaking / "speech.wav").read_bytes()
    (speech, microphone), (frames, video) = os.pipe(), os.pipe()
    with forked.started(speaking, *generating("face.jpg", "-", "-"), stdin=speech, stdout=video) as program:
        os.close(speech)
        os.close(video)
        os.write(microphone, wav[: 44 + 32000])
        with os.fdopen(frames, "rb") as received, os.fdopen(microphone, "wb") as more:
            start = os.read(frames, 8)  # would block without frames

            def write() -> None:
                more.write(wav[44 + 32000 : 44 + 32000 * 3])
                more.close()

            writing = threading.Thread(target=write)
            writing.start()
            rest = received.read()
            writing.join()
        done = program.finished()
    (speaking / "streamed.mp4").write_bytes(start + rest)
    assert count_frames(speaking / "streamed.mp4") == 75
    summary, times = done.stderr.splitlines()[-2:]
    assert summary == "standard output: 75 frames, 3.00 s, 512x320 pixels"
    assert re.fullmatch(r"took [\d.]+ s: speech \d+%, face \d+%, .*encoding \d+%", times)


@pytest.mark.slow
def test_a_silent_pipe_is_warned_of(speaking: Path) -> None:
    wav = (speaking / "speech.wav").read_bytes()[:44] + bytes(32000)
    speech, microphone = os.pipe()
    os.write(microphone, wav)
    os.close(microphone)
    with (speaking / "out.mp4").open("wb") as out, os.fdopen(speech) as silence:
        done = forked.run(speaking, *generating("face.jpg", "-", "-"), stdin=silence.fileno(), stdout=out.fileno())
    assert done.returncode == 0
    assert "Standard input was silent, or nearly so: nothing moved. Pipe speech in." in done.stderr


@pytest.mark.slow
def test_a_batch(speaking: Path) -> None:
    soundfile.write(speaking / "short.wav", soundfile.read(speaking / "speech.wav")[0][:8000], 16000)
    (speaking / "jobs.csv").write_text("picture,speech,out\nface.jpg,short.wav,a.mp4\nno.jpg,short.wav,b.mp4\n")
    done = atvgnet(speaking, "generate", "--models", "models", "--batch", "jobs.csv", "--jobs", "2")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "jobs.results.csv: 1 of 2 rows have their video"
    warning, error = done.stderr.splitlines()
    assert warning.startswith("jobs.csv: 1 of 2 rows cannot be generated. Row 2: no.jpg does not exist.")
    assert error.startswith("atvgnet: 1 of 2 rows failed, the first so: no.jpg does not exist.")
    assert count_frames(speaking / "a.mp4") == 13


@pytest.mark.slow
@pytest.mark.parametrize("full", ["small", "temporary"])
def test_generate_on_a_full_disk(speaking: Path, full: str) -> None:
    (speaking / "small").mkdir()
    environment = ["env", f"TMPDIR={speaking}/temporary"]
    files = (f"{speaking}/{name}" for name in ("face.jpg", "speech.wav", "small/out.mp4"))
    command = [*environment, ATVGNET, *generating(*files, models=f"{speaking}/models")]
    done = run_on_small_disk(speaking / full, *command, kilobytes=100)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr
    assert "Free space" in done.stderr


def test_generate_prints_what_the_models_were_trained_on(speaking: Path) -> None:
    write_card(speaking / "models", {"trained_on": {"corpus": "sample"}})
    soundfile.write(speaking / "short.wav", np.full(100, 0.1), 16000)  # rejected after the models are loaded
    done = atvgnet(speaking, *generating("face.jpg", "short.wav", "out.mp4"))
    assert done.stdout.startswith("models: trained on the corpus sample. They know one face,")


def test_generate_does_not_replace_its_inputs(speaking: Path) -> None:
    """Nor other files. Both are rejected before the models are loaded."""
    (speaking / "mine.mp4").write_bytes((speaking / "speech.wav").read_bytes())
    (speaking / "link.mp4").symlink_to("mine.mp4")
    for out in ("mine.mp4", "link.mp4"):
        done = atvgnet(speaking, *generating("face.jpg", "mine.mp4", out))
        assert done.returncode == 1
        assert done.stderr == f"atvgnet: The output {out} is the input mine.mp4. Give the output another place.\n"
        assert done.stdout == ""
    done = atvgnet(speaking, *generating("face.jpg", "speech.wav", "mine.mp4"))
    assert done.stderr.startswith("atvgnet: mine.mp4 is there already.")
    assert done.stdout == ""
    assert (speaking / "mine.mp4").read_bytes() == (speaking / "speech.wav").read_bytes()
