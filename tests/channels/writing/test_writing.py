import logging
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from moviola.channels import writing
from moviola.core import FileCode, Frames, MissingExtraError, VideoInfo, VideoUnreadableError
from moviola.testing import MemoryTools, check_channel

pytest.importorskip("rapidocr", reason="the extra ocr is not installed")
VIDEO = Path("signs.mp4")


def info(seconds):
    return VideoInfo(seconds, 426, 240, round(25 * seconds), "h264", "mp4", has_sound=False)


def picture(*signs, size=(426, 240), ink="white", paper=(60, 70, 80)):
    """Draw texts at places, `(x, y, height of the font, text)`, as pixels `(1, H, W, 3)`."""
    image = Image.new("RGB", size, paper)
    draw = ImageDraw.Draw(image)
    for x, y, height, text in signs:
        draw.text((x, y), text, fill=ink, font=ImageFont.load_default(height))
    return np.asarray(image)[None]


def shown(*pixels, every=1.0, **kwargs):
    """Show pictures `every` so many seconds."""
    frames = [Frames(each, np.array([i * every])) for i, each in enumerate(pixels)]
    return MemoryTools(pictures=frames, **kwargs)


@pytest.fixture(scope="module")
def channel():
    return writing.load()


def read(channel, tools, seconds):
    return [
        (passage.span.start, passage.span.end, passage.text)
        for passage in check_channel(channel, VIDEO, info(seconds), tools)
    ]


def test_a_burnt_in_clock_is_found_at_each_second(channel):
    clock = [picture((10, 200, 18, f"PTS = {s}.0s"), (200, 30, 22, "EXIT")) for s in range(5)]
    found = read(channel, shown(*clock), 5.0)
    assert found[:1] == [(0, 5, "EXIT")]
    assert found[1:] == [(s, s + 1, f"PTS = {s}.0s") for s in range(5)]


def test_where_a_sign_stands_is_told_in_shares_of_the_picture(channel):
    [passage] = check_channel(
        channel, VIDEO, info(1.0), shown(picture((213, 120, 24, "Ausgang"), size=(426, 240)))
    )
    assert passage.text == "Ausgang"
    assert passage.confidence is not None
    assert passage.confidence > 0.9
    assert passage.box is not None
    assert passage.box.left == pytest.approx(0.5, abs=0.03)
    assert passage.box.top == pytest.approx(0.52, abs=0.05)


@pytest.mark.parametrize("height", [14, 18, 28])
@pytest.mark.parametrize("ink", ["white", "black", (250, 220, 60)])
def test_signs_from_fourteen_pixels_on_are_read_at_240p(channel, height, ink):
    sign = picture((40, 60, height, "Platform nine"), ink=ink, paper=(110, 130, 140))
    assert read(channel, shown(sign), 1.0) == [(0, 1, "Platform nine")]


def test_a_sign_that_stays_while_the_picture_moves_is_one_passage(channel):
    def moving(step):
        pixels = picture((10, 20, 20, "NO ENTRY")).copy()
        pixels[0, 120:200, 40 * step : 40 * step + 80] = (200, 60, 40)
        return pixels

    assert read(channel, shown(*map(moving, range(4))), 4.0) == [(0, 4, "NO ENTRY")]


def test_unchanged_pictures_are_not_looked_at(channel, monkeypatch):
    calls = []
    find = channel._reader.find if channel._reader else None
    assert find is not None, "the reader is loaded by the tests before"
    monkeypatch.setattr(channel._reader, "find", lambda pixels: calls.append(1) or find(pixels))
    tools = shown(*[picture((10, 20, 20, "NO ENTRY"))] * 6)
    list(channel.passages(VIDEO, info(6.0), tools))
    assert len(calls) == 1


def test_pictures_without_text_give_nothing(channel):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (1, 240, 426, 3), np.uint8) for _ in range(2)]
    flat = [np.full((1, 240, 426, 3), level, np.uint8) for level in (0, 128, 255)]
    tiny = [np.zeros((1, 1, 1, 3), np.uint8), np.zeros((1, 12, 10, 3), np.uint8)]
    assert read(channel, shown(*noise, *flat, *tiny), 7.0) == []
    assert read(channel, MemoryTools(), 7.0) == []


def test_what_came_before_a_file_broke_off_is_kept(channel):
    broken = shown(
        picture((10, 20, 20, "NO ENTRY")),
        broken=VideoUnreadableError("the file ends", code=FileCode.TRUNCATED),
    )
    reading = channel.passages(VIDEO, info(9.0), broken)
    assert next(reading).text == "NO ENTRY"
    with pytest.raises(VideoUnreadableError):
        next(reading)


def test_nothing_is_fetched_and_nothing_is_told(monkeypatch, capfd, caplog):
    def no_network(*args, **kwargs):
        raise AssertionError("the network is asked")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    with caplog.at_level(logging.DEBUG):
        fresh = writing.load()
        tools = shown(picture((10, 20, 20, "NO ENTRY")), picture())
        assert list(fresh.passages(VIDEO, info(2.0), tools))
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "")
    assert "ENTRY" not in caplog.text


def test_open_cv_keeps_its_threads(channel):
    import cv2

    before = cv2.getNumThreads()
    list(channel.passages(VIDEO, info(1.0), shown(picture((10, 20, 20, "NO ENTRY")))))
    assert cv2.getNumThreads() == before


def test_the_version_names_the_models_release(channel):
    assert channel.version.startswith("writing:")
    assert "rapidocr:3" in channel.version
    assert writing.load(threads=2).version == channel.version


def test_a_missing_extra_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(writing.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"moviola\[ocr\]"):
        writing.load()


def test_no_threads_are_refused():
    with pytest.raises(ValueError, match="at least 1 thread, got 0"):
        writing.load(threads=0)
