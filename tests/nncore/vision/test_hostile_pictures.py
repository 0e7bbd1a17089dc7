"""Whatever comes as a picture, it is pixels or one sentence, in little memory."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nncore.errors import DataError
from nncore.vision import read_picture
from tests.hostile_pictures import COLOUR, GREY, HOSTILE, SOUND

TURNS = 60
"""Damaged copies of each sound file."""


@pytest.mark.parametrize("name", SOUND)
def test_an_odd_picture_that_is_sound_is_read(name: str) -> None:
    pixels = read_picture(SOUND[name])
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] in (1, 3)
    if name.startswith("turned"):
        assert pixels.shape[:2] == COLOUR.shape[1::-1]
        np.testing.assert_allclose(pixels.mean(axis=(0, 1)), COLOUR.mean(axis=(0, 1)), atol=6)
    elif name.startswith(("16 bits", "fractions")):
        np.testing.assert_allclose(pixels[..., 0], GREY, atol=1)
    elif name.startswith(("animated", "several", "lossless", "packed", "cmyk", "progressive")):
        np.testing.assert_allclose(pixels.astype(int), COLOUR, atol=60)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_picture_is_one_sentence(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(HOSTILE[name])
    with pytest.raises(DataError) as told:
        read_picture(file)
    assert "\n" not in str(told.value) and name in str(told.value)


@pytest.mark.parametrize("name", SOUND)
def test_a_damaged_picture_is_pixels_or_one_sentence(name: str) -> None:
    rng = random.Random(name)
    for _ in range(TURNS):
        content = bytearray(SOUND[name])
        for _ in range(rng.randint(1, 5)):
            # More often where sizes and tables stand.
            place = rng.randrange(min(len(content), rng.choice((40, 200, len(content)))))
            content[place] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        del content[rng.choice((len(content), len(content), rng.randrange(1, len(content) + 1))) :]
        try:
            pixels = read_picture(bytes(content))
        except DataError as error:
            assert "\n" not in str(error)
        else:
            assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] in (1, 3)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere memory is counted in other units")
def test_a_webp_of_40_megapixels_takes_less_than_a_gigabyte(tmp_path: Path) -> None:
    file = tmp_path / "large.webp"
    page = np.full((5000, 8000, 3), 250, np.uint8)
    page[2000:3000, 3900:4100] = 10
    Image.fromarray(page).save(file, quality=50, method=0)
    code = """if True:
        import resource, subprocess, sys
        done = subprocess.run([sys.executable, "-m", "app", "predict", sys.argv[1]], capture_output=True, text=True)
        print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, done.stdout)
    """
    answer = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    status, megabytes, words = answer.stdout.split(" ", 2)
    assert (status, answer.stderr) == ("0", "") and ": 1 (" in words and int(megabytes) < 1000
