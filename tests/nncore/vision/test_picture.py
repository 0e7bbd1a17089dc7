"""Reading pictures: every kind gives the right pixels, and no damaged one gives anything but one sentence."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from nncore.errors import DataError
from nncore.vision import picture as picture_module
from nncore.vision import read_picture, resample

GREY = np.arange(0, 240, 5, dtype=np.uint8).reshape(6, 8)
COLOUR = np.stack([GREY, GREY[::-1], 255 - GREY], axis=2)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">II", zlib.crc32(chunk), 100) + b"IDAT" + bytes(20)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "TGA", "WEBP"])
def test_lossless_kinds_give_the_pixels(tmp_path: Path, kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    file = tmp_path / "picture"
    file.write_bytes(saved(Image.fromarray(COLOUR), kind, **options))
    np.testing.assert_array_equal(read_picture(file), COLOUR)


def test_grey_has_one_channel() -> None:
    np.testing.assert_array_equal(read_picture(saved(Image.fromarray(GREY)))[..., 0], GREY)
    one_bit = read_picture(saved(Image.fromarray(GREY > 100)))
    np.testing.assert_array_equal(one_bit[..., 0], np.where(GREY > 100, 255, 0))


def test_sixteen_bits_are_scaled() -> None:
    np.testing.assert_array_equal(read_picture(saved(Image.fromarray(GREY.astype(np.uint16) * 257)))[..., 0], GREY)


def test_palette_cmyk_and_jpeg_give_about_the_colours() -> None:
    red = Image.new("RGB", (16, 16), (200, 30, 40))
    for content in (saved(red.quantize(4)), saved(red, "JPEG", quality=95), saved(red.convert("CMYK"), "TIFF"), saved(red, "GIF")):
        pixels = read_picture(content)
        assert pixels.shape == (16, 16, 3)
        np.testing.assert_allclose(pixels[8, 8], (200, 30, 40), atol=6)


def test_exif_turns_the_picture() -> None:
    image = Image.fromarray(COLOUR)
    exif = image.getexif()
    exif[0x0112] = 6
    np.testing.assert_array_equal(read_picture(saved(image, exif=exif)), np.rot90(COLOUR, -1))


def test_the_first_frame_of_an_animation_is_taken() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((250, 0, 0), (0, 0, 250))]
    assert read_picture(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))[0, 0, 0] > 240


@pytest.mark.parametrize("ink", [(0, 0, 0), (255, 255, 255), (220, 220, 40)])
def test_ink_in_the_alpha_channel_stands_out(ink: tuple[int, int, int]) -> None:
    pixels = np.zeros((20, 20, 4), np.uint8)
    pixels[..., :3] = ink
    pixels[5:15, 8:12, 3] = 255
    seen = read_picture(saved(Image.fromarray(pixels))).astype(int)
    assert np.abs(seen[10, 10] - seen[0, 0]).max() > 150 and tuple(seen[10, 10]) == ink


def test_rounded_corners_become_paper() -> None:
    pixels = np.full((40, 40, 4), 255, np.uint8)
    pixels[15:25, 18:22, :3] = 10
    pixels[:4, :4] = 0
    assert read_picture(saved(Image.fromarray(pixels)))[0, 0].tolist() == [255, 255, 255]


def test_a_fully_transparent_picture_is_white() -> None:
    assert (read_picture(saved(Image.new("RGBA", (5, 5)))) == 255).all()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a picture"),
        (b"hello, I am a text", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
        (saved(Image.fromarray(COLOUR))[:60], "damaged"),
        (saved(Image.fromarray(np.zeros((99, 99), np.uint8)), "JPEG")[:-80], "damaged"),
        (png_header(60_000, 60_000), "pixels; make it smaller"),
        (png_header(10_000, 5_001), "10,000×5,001, over 50,000,000 pixels"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_that_names_it(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "strange.png"
    file.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=says) as told:
            read_picture(file)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert "strange.png" in str(told.value) and "\n" not in str(told.value)


def test_a_damaged_picture_prints_nothing(tmp_path: Path) -> None:
    content = saved(Image.fromarray(COLOUR), "TIFF")
    # Tag 277, samples per pixel: 259 of them.
    damaged = content.replace(struct.pack("<HHIHH", 277, 3, 1, 3, 0), struct.pack("<HHIHH", 277, 3, 1, 259, 0))
    assert damaged != content
    file = tmp_path / "damaged.tiff"
    file.write_bytes(damaged)
    # In a process of its own: pytest catches what is logged here.
    code = """if True:
        import sys
        from nncore.errors import DataError
        from nncore.vision import read_picture
        try:
            read_picture(sys.argv[1])
        except DataError:
            print("told")
    """
    answer = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    assert (answer.stdout, answer.stderr) == ("told\n", "")


def test_folders_and_missing_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a file"):
        read_picture(tmp_path)
    with pytest.raises(DataError, match="No such file"):
        read_picture(tmp_path / "nothing.png")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize(
    "good",
    [
        saved(Image.fromarray(COLOUR)),
        saved(Image.fromarray(COLOUR), "JPEG"),
        saved(Image.fromarray(COLOUR), "GIF"),
        saved(Image.fromarray(GREY), "TIFF"),
        saved(Image.fromarray(COLOUR), "BMP"),
    ],
    ids=["png", "jpeg", "gif", "tiff", "bmp"],
)
@given(changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=6), length=st.integers(1, 2000))
def test_any_mutation_gives_pixels_or_a_data_error(good: bytes, changes: list[tuple[int, int]], length: int) -> None:
    content = bytearray(good)
    for place, value in changes:
        content[place % len(content)] = value
    try:
        pixels = read_picture(bytes(content[:length]))
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] in (1, 3)


def test_a_large_webp_picture_is_decoded_apart_and_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_module, "APART", 40)
    file = saved(Image.fromarray(COLOUR), "WEBP", lossless=True)
    np.testing.assert_array_equal(read_picture(file), COLOUR)
    for damaged in (file[:-20], file[:40] + bytes(len(file) - 40)):
        with pytest.raises(DataError, match="damaged"):
            read_picture(damaged)
    monkeypatch.setattr(sys, "executable", sys.executable + "-that-is-not-there")
    np.testing.assert_array_equal(read_picture(file), COLOUR)


def test_large_pictures_are_resized_as_pillow_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resample, "AT_ONCE", 5000)
    generator = np.random.default_rng(0)
    for size in ((120, 160), (40, 30), (200, 90), (300, 9)):
        for shape in ((150, 200), (301, 187, 3), (150, 200, 1)):
            pixels = generator.integers(0, 256, shape, np.uint8) if len(shape) == 3 else generator.random(shape, np.float32)
            image = Image.fromarray(pixels[..., 0] if shape[-1] == 1 else pixels)
            wanted = np.array(image.resize(size[::-1], Image.Resampling.BILINEAR, reducing_gap=3.0)).reshape(*size, *shape[2:])
            np.testing.assert_allclose(resample.resized(pixels, size).astype(float), wanted, atol=1.0 if len(shape) == 3 else 1e-6)
