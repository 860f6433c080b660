"""Picture files are read as they are meant to be shown, or raise an error."""

import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from pipeline.media.picture import read_picture
from pipeline.runtime.errors import PipelineError

ROOT = Path(__file__).parents[2]
GREEN, SKIN = (0, 255, 0), (200, 100, 50)


def drawn(width: int = 240, height: int = 160) -> Image.Image:
    """A picture that is not symmetrical and hard to compress."""
    noise = np.random.default_rng(0).integers(0, 60, (height, width, 3))
    slopes = np.stack([*np.mgrid[:height, :width], np.zeros((height, width))], axis=-1) * 180 / width
    return Image.fromarray((noise + slopes).astype(np.uint8))


def cut_out() -> Image.Image:
    """Invisible green on the left; skin on the right, half transparent in its upper third."""
    pixels = np.zeros((60, 80, 4), np.uint8)
    pixels[:, :40, :3] = GREEN
    pixels[:, 40:] = (*SKIN, 255)
    pixels[:20, 40:, 3] = 128
    return Image.fromarray(pixels)


def encoded(picture: Image.Image, kind: str, **how: Any) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tiff", "bmp"])
@pytest.mark.parametrize("grey", [False, True])
def test_ordinary_pictures_equal_opencvs(tmp_path: Path, kind: str, grey: bool) -> None:
    path = tmp_path / f"a.{kind}"
    pixels = np.asarray(drawn().convert("L") if grey else drawn())
    cv2.imwrite(str(path), pixels)
    picture = read_picture(path)
    np.testing.assert_array_equal(picture, cv2.imread(str(path), cv2.IMREAD_COLOR_RGB))
    assert picture.flags.writeable
    assert picture.flags.c_contiguous


ALPHA: dict[str, bytes] = {
    "png": encoded(cut_out(), "PNG"),
    "png palette": encoded(cut_out().quantize(16), "PNG"),
    "png palette, one colour": encoded(cut_out().convert("RGB").quantize(16), "PNG", transparency=0),
    "png key": encoded(cut_out().convert("RGB"), "PNG", transparency=GREEN),
    "webp": encoded(cut_out(), "WEBP", lossless=True),
    "webp lossy": encoded(cut_out(), "WEBP"),
    "tiff": encoded(cut_out(), "TIFF"),
    "gif": encoded(cut_out(), "GIF"),
    "png 16 bit": cv2.imencode(".png", np.asarray(cut_out())[..., [2, 1, 0, 3]].astype(np.uint16) * 257)[1].tobytes(),
}


@pytest.mark.parametrize("kind", ALPHA)
def test_hidden_colours_are_not_shown(tmp_path: Path, kind: str) -> None:
    picture = read_picture(written(tmp_path / "a", ALPHA[kind])).astype(int)
    if "one colour" in kind:  # the palette decides which colour has number 0
        assert (picture == 255).all(axis=2).any()
        return
    assert (picture[30, 10] == 255).all()
    np.testing.assert_allclose(picture[50, 70], SKIN, atol=3)
    if kind not in ("gif", "png key"):  # these have no partial transparency
        np.testing.assert_allclose(picture[5, 70], (np.array(SKIN) + 255) / 2, atol=3)


def test_grey_with_transparency(tmp_path: Path) -> None:
    picture = read_picture(written(tmp_path / "a.png", encoded(cut_out().convert("LA"), "PNG")))
    assert (picture[30, 10] == 255).all()
    assert np.ptp(picture[50, 70]) == 0


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bit_grey(tmp_path: Path, suffix: str) -> None:
    grey = np.asarray(drawn().convert("L"))
    cv2.imwrite(str(tmp_path / f"a.{suffix}"), grey.astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_picture(tmp_path / f"a.{suffix}"), np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_as_exif_says(tmp_path: Path, kind: str, orientation: int, capfd: pytest.CaptureFixture[str]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = read_picture(written(tmp_path / "a", encoded(drawn(), kind, exif=exif))).astype(int)
    pixels = np.asarray(drawn()).astype(int)
    mirrored = {2: pixels[:, ::-1], 4: pixels[::-1], 5: pixels.swapaxes(0, 1), 7: pixels[::-1, ::-1].swapaxes(0, 1)}
    turned = {1: pixels, 3: np.rot90(pixels, 2), 6: np.rot90(pixels, -1), 8: np.rot90(pixels)}
    expected = {**mirrored, **turned}[orientation]
    assert picture.shape == expected.shape
    assert np.abs(picture - expected).mean() < (30 if kind in ("JPEG", "WEBP") else 0.1)  # lossy formats lose noise
    assert capfd.readouterr() == ("", "")


KINDS: dict[str, dict[str, Any]] = {
    "JPEG": {},
    "JPEG progressive": {"progressive": True},
    "PNG": {},
    "PNG palette": {},
    "WEBP": {},
    "WEBP lossless": {"lossless": True},
    "TIFF": {},
    "TIFF packed": {"compression": "tiff_lzw"},
    "GIF": {},
    "BMP": {},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.85, 0.99])
def test_an_incomplete_file(tmp_path: Path, kind: str, share: float, capfd: pytest.CaptureFixture[str]) -> None:
    picture = drawn().quantize(64) if "palette" in kind else drawn()
    content = encoded(picture, kind.split()[0], **KINDS[kind])
    read_picture(written(tmp_path / "whole", content))
    kept = content[: int(len(content) * share)]
    endings = [b""]
    if kind.split()[0] in ("JPEG", "PNG", "WEBP"):  # in other formats zeros are black pixels
        endings.append(bytes(len(content) - len(kept)))  # space that a downloader reserved and never filled
    for ending in endings:
        with pytest.raises(PipelineError, match=r"part.*(fetch|[Cc]opy or download) it again"):
            read_picture(written(tmp_path / "part", kept + ending))
    assert capfd.readouterr() == ("", "")


def test_a_damaged_byte(tmp_path: Path) -> None:
    content = bytearray(encoded(drawn(), "PNG"))
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(PipelineError, match="damaged or incomplete: fetch it again"):
        read_picture(written(tmp_path / "a.png", bytes(content)))


def test_zeros_after_the_end_are_ignored(tmp_path: Path) -> None:
    for kind in ("JPEG", "PNG"):
        read_picture(written(tmp_path / "a", encoded(drawn(), kind) + bytes(500)))


def test_files_that_are_no_picture(tmp_path: Path) -> None:
    with pytest.raises(
        PipelineError, match=r"a\.jpg is neither a picture nor a video that can be read\. Give a JPEG or PNG"
    ):
        read_picture(written(tmp_path / "a.jpg", b"text" * 100))
    with pytest.raises(PipelineError, match=r"cannot be read as a picture: Is a directory"):
        read_picture(tmp_path)
    with pytest.raises(PipelineError, match="no known range"):
        read_picture(written(tmp_path / "a.tiff", encoded(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF")))


def test_a_colour_profile_is_applied(tmp_path: Path) -> None:
    """The profile swaps red and green."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    names = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ", b"rTRC": b"gTRC", b"gTRC": b"rTRC"}
    table = b"".join(names.get(srgb[at : at + 4], srgb[at : at + 4]) for at in range(0, len(srgb), 4))
    other = table.replace("sRGB".encode("utf-16-be"), "GRBs".encode("utf-16-be"))
    picture = Image.fromarray(np.full((40, 40, 3), SKIN, np.uint8))
    for profile, expected in ((srgb, SKIN), (other, (100, 200, 50)), (b"no profile" * 20, SKIN)):
        picture_HWC = read_picture(written(tmp_path / "a.png", encoded(picture, "PNG", icc_profile=profile)))
        np.testing.assert_allclose(picture_HWC[5, 5].astype(int), expected, atol=3)


def test_a_picture_of_forty_megapixels_is_reduced(tmp_path: Path) -> None:
    large = drawn(200, 133).resize((7746, 5164), Image.Resampling.NEAREST)
    for content in (encoded(large, "JPEG", quality=50), encoded(large, "PNG", compress_level=1)):
        picture = read_picture(written(tmp_path / "a", content))
        assert picture.shape == (2582, 3873, 3)
        small = cv2.resize(picture, (200, 133), interpolation=cv2.INTER_AREA).astype(int)
        assert np.abs(small - np.asarray(drawn(200, 133))).mean() < 8


def test_sides_stay_within_the_detectors_limit(tmp_path: Path) -> None:
    for size in ((60_000, 100), (100, 60_000), (60_000, 1)):
        for content in (encoded(Image.new("RGB", size, SKIN), "JPEG"), encoded(Image.new("RGB", size, SKIN), "PNG")):
            picture = read_picture(written(tmp_path / "a", content))
            assert max(picture.shape) == 15_000
            assert (np.abs(picture.astype(int) - SKIN) <= 2).all()


def test_postscript_is_not_executed(tmp_path: Path) -> None:
    text = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"
    with pytest.raises(
        PipelineError, match=r"a\.eps is neither a picture nor a video that can be read\. Give a JPEG or PNG"
    ):
        read_picture(written(tmp_path / "a.eps", text))


@pytest.mark.parametrize("turned", [1, 6])
def test_heic_of_a_phone(tmp_path: Path, turned: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    large = drawn().resize((360, 240), Image.Resampling.BICUBIC)
    picture = read_picture(written(tmp_path / "a.HEIC", encoded(large, "HEIF", quality=90, exif=exif.tobytes())))
    expected = np.asarray(large if turned == 1 else large.rotate(-90, expand=True)).astype(int)
    assert picture.shape == expected.shape
    assert np.abs(picture - expected).mean() < 8


def test_fifty_megapixels_take_less_than_a_gigabyte(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jpg", encoded(Image.new("RGB", (8660, 5774), SKIN), "JPEG"))
    program = (
        "import sys\nfrom pathlib import Path\nfrom pipeline.media.picture import read_picture\n"
        "from tests.peak import peak\nread_picture(Path(sys.argv[1]))\nprint(peak())"
    )
    used = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert float(used.stdout) < 400


@pytest.mark.parametrize("size", [(12000, 9001), (40000, 30000)])
def test_too_many_pixels(tmp_path: Path, size: tuple[int, int]) -> None:
    """The header alone is enough."""
    content = bytearray(encoded(Image.new("L", (8, 8)), "PNG"))
    content[16:24] = b"".join(side.to_bytes(4, "big") for side in size)
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    with pytest.raises(PipelineError, match=r"a\.png has too many pixels to read\. Give it with at most 108 "):
        read_picture(written(tmp_path / "a.png", bytes(content)))
