"""Good and malicious zips."""

import io
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpora.download import unpack
from pipeline.corpora.download.unpack import SafeZip
from pipeline.runtime.errors import PipelineError
from tests.corpora.download.conftest import zipped

NOISE = np.random.default_rng(1).bytes(50_000)


def unpack_all(path: Path, folder: Path) -> dict[str, int]:
    with SafeZip(path, "s1.zip") as archive:
        return archive.unpack({f"s1/{one.name}": one for one in archive.files}, folder)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def below(folder: Path) -> set[str]:
    return {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}


def test_files_without_macos_metadata(tmp_path: Path) -> None:
    members = {"s1/": b"", "s1/a.mpg": NOISE, "__MACOSX/s1/._a.mpg": b"x", "s1/.DS_Store": b"x", "deep/er/b.mpg": b"b"}
    path = write(tmp_path / "a.zip", zipped(members))
    assert unpack_all(path, tmp_path / "out") == {"s1/a.mpg": len(NOISE), "s1/b.mpg": 1}
    assert below(tmp_path / "out") == {"s1/a.mpg", "s1/b.mpg"}
    assert (tmp_path / "out/s1/a.mpg").read_bytes() == NOISE
    assert path.exists()


def test_only_missing_files_are_written(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", zipped({"a.mpg": b"good", "b.mpg": b"good", "c.mpg": b"good"}))
    (tmp_path / "out/s1").mkdir(parents=True)
    (tmp_path / "out/s1/a.mpg").write_bytes(b"mine")
    (tmp_path / "out/s1/b.mpg").write_bytes(b"half file")
    unpack_all(path, tmp_path / "out")
    assert [(tmp_path / f"out/s1/{name}.mpg").read_bytes() for name in "abc"] == [b"mine", b"good", b"good"]


def with_info(name: str, change: Callable[[zipfile.ZipInfo], None] = lambda one: None, data: bytes = b"x") -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("s1/good.mpg", NOISE)
        one = zipfile.ZipInfo(name)
        change(one)
        archive.writestr(one, data)
    return memory.getvalue()


def mode(kind: int) -> Callable[[zipfile.ZipInfo], None]:
    def change(one: zipfile.ZipInfo) -> None:
        one.create_system, one.external_attr = 3, (kind | 0o644) << 16

    return change


def encrypted(data: bytes) -> bytes:
    """Set the flag that says so in both headers of every member."""
    changed = bytearray(data)
    for magic, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = changed.find(magic)
        while place >= 0:
            changed[place + offset] |= 1
            place = changed.find(magic, place + 1)
    return bytes(changed)


def lying(data: bytes, size: int) -> bytes:
    """Give the last member another unpacked size in both headers."""
    changed = bytearray(data)
    for magic, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        place = changed.rfind(magic)
        changed[place + offset : place + offset + 4] = struct.pack("<I", size)
    return bytes(changed)


def lzma() -> bytes:
    return zipped({"a.mpg": NOISE}, zipfile.ZIP_LZMA)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: with_info("../evil.mpg"), r"the name '\.\./evil\.mpg' leads outside the folder"),
        (lambda: with_info("s1/../../evil.mpg"), r"leads outside"),
        (lambda: with_info("/etc/evil.mpg"), r"leads outside"),
        (lambda: with_info("C:evil.mpg"), r"leads outside"),
        (lambda: with_info("s1\\evil.mpg"), r"leads outside"),
        (lambda: with_info("__MACOSX/../../evil"), r"leads outside"),
        (lambda: with_info("s1/link.mpg", mode(stat.S_IFLNK), b"/etc/passwd"), r"s1/link\.mpg is a link or a device"),
        (lambda: with_info("s1/null.mpg", mode(stat.S_IFCHR)), r"is a link or a device"),
        (lambda: encrypted(with_info("s1/a.mpg")), r"s1/good\.mpg is encrypted"),
        (lzma, r"a\.mpg is compressed by method 14"),
        (lambda: zipped({"s1/bomb.mpg": bytes(20_000_000)}), r"its \d+ bytes would become 20000000"),
        (lambda: lying(with_info("s1/a.mpg"), 3_000_000_000), r"its \d+ bytes would become 3000050000"),
        (lambda: zipped({"s1/a.mpg": NOISE})[:-30], r"not a whole zip archive \(File is not a zip file\)"),
        (lambda: zipped({"s1/a.mpg": NOISE})[:20_000], r"not a whole zip archive"),
        (lambda: b"", r"not a whole zip archive"),
    ],
)
def test_refused_before_anything_is_written(tmp_path: Path, make: Callable[[], bytes], why: str) -> None:
    path = write(tmp_path / "a.zip", make())
    with pytest.raises(PipelineError, match=rf"^s1\.zip is refused: .*{why}.*The archive was deleted\."):
        unpack_all(path, tmp_path / "out")
    assert below(tmp_path) == set()


def test_too_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_MEMBERS", 3)
    path = write(tmp_path / "a.zip", zipped({f"{number}.mpg": b"" for number in range(4)}))
    with pytest.raises(PipelineError, match=r"it has 4 members, and none of the corpus has more than 3"):
        unpack_all(path, tmp_path / "out")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        # A bomb that claims to be small: no more than the claim is read.
        (lambda: lying(zipped({"s1/bomb.mpg": bytes(20_000_000)}), 1000), r"it is torn: Bad CRC-32"),
        (lambda: lying(with_info("s1/a.mpg"), 500), r"s1/a\.mpg has 1 bytes, and its header says 500"),
        (lambda: zipped({"s1/a.mpg": NOISE}, zipfile.ZIP_STORED).replace(NOISE[:9], b"otherwise"), r"Bad CRC-32"),
    ],
)
def test_wrong_headers(tmp_path: Path, make: Callable[[], bytes], why: str) -> None:
    path = write(tmp_path / "a.zip", make())
    with pytest.raises(PipelineError, match=rf"^s1\.zip is refused: .*{why}"):
        unpack_all(path, tmp_path / "out")
    assert below(tmp_path) <= {"out/s1/good.mpg"}


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.zip", zipped({"a.mpg": NOISE, "b.mpg": NOISE}))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=60_000))
    with pytest.raises(
        PipelineError, match=r"unpacking s1\.zip needs 100\.0 kB, and 60\.0 kB are free: 40\.0 kB are missing\."
    ):
        unpack_all(path, tmp_path / "out")
    assert below(tmp_path) == {"a.zip"}
    (tmp_path / "out/s1").mkdir(parents=True)
    write(tmp_path / "out/s1/a.mpg", NOISE)  # half of it is there
    assert len(unpack_all(path, tmp_path / "out")) == 2


@settings(max_examples=200)
@given(st.data())
def test_damaged_archives_write_nothing_wrong(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    whole = zipped({"s1/a.mpg": NOISE[:300], "s1/b.mpg": bytes(300), "__MACOSX/s1/._a.mpg": b"x"})
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("damage")
    path = write(folder / "a.zip", bytes(damaged[: data.draw(st.integers(len(whole) // 2, len(whole)))]))
    try:
        unpack_all(path, folder / "out")
    except PipelineError:
        assert not path.exists()
    assert all(name == "a.zip" or name.startswith("out/s1/") for name in below(folder))
    assert not any(name.endswith(".tmp") for name in below(folder))
