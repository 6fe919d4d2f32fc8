"""Real files of many kinds: what a player shows is read, and the rest has its code."""

from __future__ import annotations

import pytest

from moviola.core import FileCode, UniformSampler
from moviola.video import VIDEO_SUFFIXES, ClipRead, ReadRequest, WindowSegmenter

pytestmark = pytest.mark.shared

# Everything else plays, and must be `ok`.
EXPECTED = {
    "sample_audio_only.mp4": FileCode.NO_VIDEO,
    "bbb_1ch_48kHz_q10_opus.webm": FileCode.NO_VIDEO,
    "video_init.mp4": FileCode.NO_VIDEO,  # the header of a stream, without any picture
    "sample_fragmented_clearkey.mp4": FileCode.UNSUPPORTED_CODEC,
    "subsample_encrypted_altref.webm": FileCode.UNSUPPORTED_CODEC,
    "sample_malformed_free_box.mp4": FileCode.CORRUPT,  # a box of three bytes: FFmpeg gives up too
    "result.webm": FileCode.EMPTY,
    "corrupted.mp4": FileCode.OK_PARTIAL,
    "sample_with_invalid_nalu.mp4": FileCode.OK_PARTIAL,  # one packet is nothing but the bad unit
}
UPRIGHT = {
    "video_0.mov": (568, 320),
    "video_90.mov": (320, 568),
    "video_180.mov": (568, 320),
    "video_270.mov": (320, 568),
    "portrait_4k60.mp4": (2160, 3840),
    "sample_rotate_and_reflect.mp4": (720, 1080),
}


def test_every_shared_file_is_accounted_for(shared_data, pool):
    paths = sorted(
        path
        for path in (shared_data / "videos").rglob("*")
        if path.suffix.lower() in VIDEO_SUFFIXES
    )
    assert len(paths) >= 80
    requests = (
        ReadRequest(number, path, WindowSegmenter(), UniformSampler(4))
        for number, path in enumerate(paths)
    )
    means: dict[str, list[float]] = {}
    ends = {}
    for answer in pool.read(requests):
        name = paths[int(answer.key)].name
        if isinstance(answer, ClipRead):
            assert answer.frames.pixels.shape[1] * answer.frames.pixels.shape[2] <= 4 << 20
            means.setdefault(name, []).append(float(answer.frames.pixels.mean()))
        else:
            ends[name] = answer
    unexpected = {
        name: (end.code, end.message)
        for name, end in ends.items()
        if end.code is not EXPECTED.get(name, FileCode.OK)
    }
    assert not unexpected
    for name, size in UPRIGHT.items():
        assert (ends[name].info.width, ends[name].info.height) == size, name
    for name in ("hdr10-av1.mp4", "hlg10-color-test.mp4", "h264_10bits.mp4", "8k24fps_300ms.mp4"):
        assert max(means[name]) > 40, name  # no black pictures
