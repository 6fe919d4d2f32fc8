"""Pictures and sound for channels: out of the encoder's own pass, or out of one of their own."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.subtitled import Track, make_film
from moviola.core import FileCode, PictureSpec, RateSampler, SoundSpec, UniformSampler
from moviola.video import (
    ClipRead,
    DecodePool,
    FileTexts,
    PicturePart,
    ReadRequest,
    SideWants,
    SoundPart,
    VideoDone,
    WholeSegmenter,
    WindowSegmenter,
)


class Ear:
    """Keeps all that it is handed."""

    def __init__(self, wants: SideWants) -> None:
        self.wants = wants
        self.infos, self.parts, self.results = [], [], []

    def begin(self, info) -> None:
        assert not self.results
        self.infos.append(info)

    def take(self, part) -> None:
        assert not self.results
        self.parts.append(part)

    def end(self, code, message) -> None:
        self.results.append((code, message))

    def pictures(self, stream: int = 0) -> list[PicturePart]:
        return [p for p in self.parts if isinstance(p, PicturePart) and p.stream == stream]

    def sound(self, stream: int = 0) -> list[SoundPart]:
        return [p for p in self.parts if isinstance(p, SoundPart) and p.stream == stream]


WANTS = SideWants(
    texts=True,
    pictures=(PictureSpec(1.0, 64), PictureSpec(0.4, 4000)),
    sounds=(SoundSpec(16_000, 1), SoundSpec(8_000, 2)),
)


@pytest.fixture
def film(tmp_path):
    cue = Track("subrip", [(0.5, 1.5, "hello")])
    return make_film(tmp_path / "film.mkv", [cue], seconds=3.3, sound=True)


def together(pool, film, sampler=None, sound=None) -> tuple[list[ClipRead], Ear]:
    ear = Ear(WANTS)
    request = ReadRequest(
        "it", film, WindowSegmenter(2, 1), sampler or UniformSampler(3), sound, side=ear
    )
    *clips, done = pool.read([request])
    assert isinstance(done, VideoDone)
    assert (done.code, done.clips) == (FileCode.OK, len(clips))
    return clips, ear


def check(ear: Ear) -> None:
    assert ear.results == [(FileCode.OK, "")]
    assert ear.infos[0].duration == pytest.approx(3.3, abs=0.05)
    texts = [part for part in ear.parts if isinstance(part, FileTexts)]
    assert [cue.text for cue in texts[0].tracks[0].cues] == ["hello"]
    times = [part.frames.times[0] for part in ear.pictures(0)]
    assert times == pytest.approx([0, 1, 2, 3], abs=0.021)
    assert times == sorted(times)
    assert len(ear.pictures(1)) == 9  # 0, 0.4, ... 3.2
    assert ear.pictures(0)[0].frames.pixels.shape == (1, 43, 64, 3)
    assert ear.pictures(1)[0].frames.pixels.shape == (1, 64, 96, 3)
    for part in ear.pictures(1):  # each picture is the one of its time: brighter with every frame
        assert part.frames.pixels.mean() == pytest.approx(part.frames.times[0] * 25, abs=4)
    (low,) = ear.sound(1)
    assert low.sound.samples.shape == (2, round(ear.infos[0].duration * 8000))
    (full,) = ear.sound(0)
    assert (full.sound.rate, full.sound.start) == (16_000, 0)
    assert np.abs(full.sound.samples[0, 4000:40_000]).max() == pytest.approx(0.5, abs=0.1)


def test_what_channels_want_comes_out_of_the_encoders_pass(pool, film):
    clips, ear = together(pool, film)
    assert [clip.index for clip in clips] == [0, 1, 2]
    check(ear)


def test_and_out_of_a_pass_without_clips_the_same(pool, film):
    ear = Ear(WANTS)
    pool.read_side(film, ear)
    check(ear)
    _, beside = together(pool, film)
    for one, other in zip(ear.pictures(1), beside.pictures(1), strict=True):
        assert one.frames.times == other.frames.times
        np.testing.assert_array_equal(one.frames.pixels, other.frames.pixels)


def test_clips_are_the_same_with_channels_and_without(pool, film):
    for sampler, sound in ((UniformSampler(3), None), (RateSampler(4.0, 8), SoundSpec(16_000, 1))):
        request = ReadRequest("it", film, WindowSegmenter(2, 1), sampler, sound)
        *alone, _ = pool.read([request])
        beside, ear = together(pool, film, sampler, sound)
        check(ear)
        for one, other in zip(alone, beside, strict=True):
            np.testing.assert_array_equal(one.frames.pixels, other.frames.pixels)
            np.testing.assert_array_equal(one.frames.times, other.frames.times)
            if sound is not None:
                np.testing.assert_array_equal(one.frames.sound.samples, other.frames.sound.samples)


def test_sound_alone_decodes_no_picture(pool, tmp_path):
    film = make_film(tmp_path / "long.mp4", seconds=25.0, sound=True)
    ear = Ear(SideWants(sounds=(SoundSpec(16_000, 1),)))
    pool.read_side(film, ear)
    starts = [part.sound.start for part in ear.sound()]
    assert starts == [0, 10, 20]  # in chunks, without gaps
    lengths = [part.sound.samples.shape[1] for part in ear.sound()]
    assert sum(lengths) == round(ear.infos[0].duration * 16_000)
    assert ear.pictures() == []


def test_a_film_without_sound_gives_none(pool, tmp_path):
    ear = Ear(SideWants(sounds=(SoundSpec(16_000, 1),)))
    pool.read_side(make_film(tmp_path / "mute.mp4"), ear)
    assert (ear.parts, ear.results) == ([], [(FileCode.OK, "")])


def test_a_picture_that_stands_for_long_comes_once(pool, tmp_path, studio):
    path = studio.film(tmp_path / "slow.mp4", 3, ticks=[0, 25 * 60, 25 * 90])
    ear = Ear(SideWants(pictures=(PictureSpec(1.0),)))
    pool.read_side(path, ear)
    assert [part.frames.times[0] for part in ear.pictures()] == pytest.approx([0, 60, 90])


def test_a_file_that_cannot_be_read_tells_its_code(pool, tmp_path):
    path = tmp_path / "x.mp4"
    path.write_text("no film")
    ear, beside = Ear(WANTS), Ear(WANTS)
    pool.read_side(path, ear)
    (done,) = pool.read([ReadRequest(1, path, WholeSegmenter(), UniformSampler(2), side=beside)])
    for result in (ear.results, beside.results):
        assert result[0][0] is FileCode.UNSUPPORTED_CONTAINER is done.code
    assert ear.parts == []


def test_a_slow_listener_holds_up_its_own_video_alone(pool, tmp_path):
    import threading

    go = threading.Event()

    class Slow(Ear):
        def take(self, part) -> None:
            assert go.wait(30)
            super().take(part)

    slow = Slow(SideWants(pictures=(PictureSpec(0.1),)))
    first, second = make_film(tmp_path / "a.mp4"), make_film(tmp_path / "b.mp4")
    reading = pool.read(
        [
            ReadRequest("slow", first, WholeSegmenter(), UniformSampler(2), side=slow),
            ReadRequest("quick", second, WholeSegmenter(), UniformSampler(2)),
        ]
    )
    seen = []
    for event in reading:
        seen.append(event.key)
        if isinstance(event, VideoDone):
            go.set()
    assert seen[:2] == ["quick", "quick"]
    assert len(slow.pictures()) == 40


def test_texts_alone_leave_a_long_video_to_be_read_in_units_and_come_once(tmp_path):
    film = make_film(tmp_path / "long.mkv", [Track("subrip", [(0.5, 1.5, "hello")])], seconds=9)
    seen = {}
    for name, wants in (("texts", SideWants(texts=True)), ("pictures", WANTS)):
        ear = Ear(wants)
        with DecodePool(2) as pool:
            pool.unit_seconds = 3.0
            request = ReadRequest("it", film, WindowSegmenter(2, 1), UniformSampler(3), side=ear)
            *clips, done = pool.read([request])
        assert isinstance(done, VideoDone)
        assert done.code is FileCode.OK
        assert ear.results == [(FileCode.OK, "")]
        assert sum(isinstance(part, FileTexts) for part in ear.parts) == 1
        seen[name] = {clip.index: clip.frames.pixels for clip in clips}
    assert seen["texts"].keys() == seen["pictures"].keys() == set(range(8))
    for index, pixels in seen["texts"].items():
        np.testing.assert_array_equal(pixels, seen["pictures"][index])
