import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

pytest.importorskip("cv2", reason="the extra ocr is not installed")

from moviola.channels.writing.changes import changes, small_grey
from moviola.core import Box

SIZES = [(1920, 1080), (1280, 720), (854, 480), (426, 240)]


def picture(size, text, noise=0.0, seed=0):
    """Draw a text of at least 14 pixels on a grey picture `(H, W, 3)` with noise."""
    image = Image.new("RGB", size, (90, 110, 100))
    font = ImageFont.load_default(max(14, size[1] // 60))
    ImageDraw.Draw(image).text((size[0] // 3, size[1] // 2), text, fill="white", font=font)
    pixels = np.asarray(image).astype(float)
    pixels += np.random.default_rng(seed).normal(0, noise, pixels.shape)
    return pixels.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("noise", [0.0, 3.0])
@pytest.mark.parametrize(("one", "other"), [("12:00:01", "12:00:02"), ("12:00:03", "12:00:08")])
def test_one_digit_of_a_clock_is_a_change_where_it_stands(size, noise, one, other):
    before = small_grey(picture(size, one, noise, seed=1))
    changed = changes(before, small_grey(picture(size, other, noise, seed=2)))
    assert changed
    assert changed.touch(Box(0.3, 0.45, 0.5, 0.6))
    assert not changed.touch(Box(0.6, 0.1, 0.9, 0.3))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_noise_is_no_change(size, noise):
    before = small_grey(picture(size, "12:00:01", noise, seed=1))
    assert not changes(before, small_grey(picture(size, "12:00:01", noise, seed=2)))


def test_everything_is_new_in_the_first_picture_and_at_another_size():
    now = small_grey(picture((320, 240), "a"))
    assert changes(None, now).blocks.all()
    assert changes(small_grey(picture((240, 320), "a")), now).blocks.all()


def test_tiny_pictures_have_a_block():
    assert small_grey(np.zeros((1, 1, 3), np.uint8)).shape == (4, 4)
    assert small_grey(np.zeros((12, 10, 3), np.uint8)).shape == (12, 8)
