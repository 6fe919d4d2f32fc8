"""Files that are not what they seem: each gets its code, and opens nothing else."""

from __future__ import annotations

import errno
import os
import random
import socket
import struct
import sys
from pathlib import Path

import av
import pytest

from moviola.core import FileCode, Span, UniformSampler, VideoUnreadableError
from moviola.video import VIDEO_SUFFIXES, DecodePool, GivenSegmenter, Limits
from moviola.video.decode.opening import check_file, check_unchanged, fault, structural_fault

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")

CONTENTS = {
    "one byte": b"\x00",
    "zeros": bytes(1 << 20),
    "random": random.Random(1).randbytes(1 << 20),  # noqa: S311 - repeatable
    "text": b"This is not a video.\n" * 40,
    "page": b"<!DOCTYPE html><html><body><h1>403 Forbidden</h1></body></html>",
    "pdf": b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\n" * 20,
    "zip": b"PK\x03\x04" + bytes(500),
    "midi": b"MThd\x00\x00\x00\x06" + bytes(100),
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_content_that_is_no_video(read, tmp_path, content, suffix):
    path = tmp_path / f"v{suffix}"
    path.write_bytes(content)
    _, done = read(path)
    assert done.code is FileCode.UNSUPPORTED_CONTAINER, done


def test_nothing_at_all(read, tmp_path):
    path = tmp_path / "v.mp4"
    path.touch()
    assert read(path)[1].code is FileCode.EMPTY


@pytest.mark.parametrize("codec", ["png", "mjpeg"])
def test_photographs_are_no_videos(read, tmp_path, codec, studio):
    picture = tmp_path / ("v.png" if codec == "png" else "v.jpg")
    with av.open(str(picture), "w", format="image2", options={"update": "1"}) as output:
        stream = output.add_stream(codec, rate=1)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "rgb24" if codec == "png" else "yuvj420p"
        frame = av.VideoFrame(64, 48, stream.pix_fmt)
        output.mux(stream.encode(frame))
        output.mux(stream.encode())
    named = tmp_path / "v.mp4"
    picture.rename(named)
    assert read(named)[1].code is FileCode.UNSUPPORTED_CONTAINER


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile {target}\n",
    "dash": (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT5S"><Period><AdaptationSet mimeType="video/mp4">'
        '<Representation id="1" bandwidth="1"><BaseURL>{target}</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>"
    ),
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video 5004 RTP/AVP 96\n",
    "smil": '<smil><body><video src="{target}"/></body></smil>',
}
ENDINGS = {"hls": ".m3u8", "concat": ".ffconcat", "dash": ".mpd", "sdp": ".sdp", "smil": ".smil"}


@posix
@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("named", ["v.mp4", "v.ts", "own"])
def test_playlists_open_no_other_file(studio, read, tmp_path, kind, named):
    # Opening the named pipe would hang until the time limit, and opening the film would succeed.
    os.mkfifo(tmp_path / "pipe.ts")
    studio.film(tmp_path / "film.ts", 10)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    with listener:
        port = listener.getsockname()[1]
        targets = [
            "pipe.ts",
            str(tmp_path / "pipe.ts"),
            "film.ts",
            f"../{tmp_path.name}/film.ts",
            f"http://127.0.0.1:{port}/film.ts",
        ]
        for target in targets:
            path = tmp_path / ("v" + ENDINGS[kind] if named == "own" else named)
            path.write_text(PLAYLISTS[kind].format(target=target))
            clips, done = read(path)
            assert not clips
            assert done.code is FileCode.UNSUPPORTED_CONTAINER, (target, done)
        with pytest.raises(BlockingIOError):
            listener.accept()


NAMES = [
    b"-leading-dash.mp4",
    b"http:x.mp4",
    b"concat:a|b.mp4",
    b"subfile,,start,0,end,0,,:rel.mp4",
    b"new\nline.mp4",
    b"esc\x1b[31m.mp4",
    b"not-\xff\xfe-utf8.mp4",
    "rtl\u202e4pm.mp4".encode(),
    "emoji🎬 漢字 é.mp4".encode(),
    b"..%2f%00#t=1?x&y.mp4",
    b"'quotes\" <img onerror>.mp4",
    b" spaces .mp4 ",
    b"%d.mp4",
    b"x" * 250 + b".mp4",
]


@posix
@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:20]))
@pytest.mark.parametrize("relative", [False, True])
def test_hostile_names_are_just_names(studio, read, tmp_path, monkeypatch, *, name, relative):
    source = studio.film(tmp_path / "source.mp4", 5)
    target = os.fsencode(tmp_path) + b"/" + name
    source.rename(os.fsdecode(target))
    where = os.fsdecode(name if relative else target)
    monkeypatch.chdir(tmp_path)
    clips, done = read(Path(where), sampler=UniformSampler(5))
    assert done.code is FileCode.OK, done
    assert [studio.number_of(picture) for picture in clips[0].frames.pixels] == list(range(5))


@posix
def test_things_that_are_no_files(read, tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    (tmp_path / "dangling.mp4").symlink_to("nowhere.mp4")
    (tmp_path / "device.mp4").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(tmp_path)  # the path of a socket is short
        server.bind("socket.mp4")
        codes = {path.name: read(path)[1] for path in tmp_path.iterdir()}
    assert {name: done.code for name, done in codes.items()} == {
        "dangling.mp4": FileCode.VANISHED,
        "device.mp4": FileCode.UNREADABLE,
        "folder.mp4": FileCode.UNREADABLE,
        "loop.mp4": FileCode.UNREADABLE,
        "pipe.mp4": FileCode.UNREADABLE,
        "socket.mp4": FileCode.UNREADABLE,
    }
    assert "named pipe" in codes["pipe.mp4"].message
    assert read(tmp_path / "folder.mp4" / "x.mp4")[1].code is FileCode.VANISHED
    assert read(tmp_path / ("d/" * 3000) / "x.mp4")[1].code is FileCode.UNREADABLE
    assert read(tmp_path / "nul\0.mp4")[1].code is FileCode.UNREADABLE


@posix
def test_a_file_without_permission(studio, read, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = studio.film(tmp_path / "v.mp4", 5)
    path.chmod(0)
    assert read(path)[1].code is FileCode.UNREADABLE


@posix
def test_a_symlink_is_followed(studio, read, tmp_path):
    studio.film(tmp_path / "v.mp4", 5)
    (tmp_path / "link.mp4").symlink_to("v.mp4")
    assert read(tmp_path / "link.mp4")[1].code is FileCode.OK


def test_a_file_that_changes_meanwhile(studio, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 5)
    before = check_file(path)
    check_unchanged(path, before)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(VideoUnreadableError) as changed:
        check_unchanged(path, before)
    assert changed.value.code is FileCode.CHANGED_WHILE_READING
    path.unlink()
    with pytest.raises(VideoUnreadableError) as gone:
        check_unchanged(path, before)
    assert gone.value.code is FileCode.VANISHED


def test_sound_alone_is_no_video(studio, read, tmp_path):
    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as output:
        studio._play(output, output.add_stream("aac", rate=16_000), 1.0)
    assert read(path)[1].code is FileCode.NO_VIDEO


def test_cover_art_is_no_video(studio, read, tmp_path):
    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as output:
        tone = output.add_stream("aac", rate=16_000)
        cover = output.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        studio._play(output, tone, 1.0)
        frame = av.VideoFrame(64, 48, "yuvj420p")
        frame.pts = 0
        output.mux(cover.encode(frame))
        output.mux(cover.encode())
    assert read(path)[1].code is FileCode.NO_VIDEO


def test_a_codec_that_is_not_on_the_list_needs_to_be_allowed(studio, read, tmp_path):
    path = studio.film(tmp_path / "v.avi", 5, codec="huffyuv", pix_fmt="yuv422p")
    _, done = read(path)
    assert done.code is FileCode.UNSUPPORTED_CODEC
    assert "huffyuv" in done.message
    with DecodePool(1, Limits(extra_codecs=("huffyuv",))) as by:
        clips, done = read(path, sampler=UniformSampler(5), by=by)
    assert done.code is FileCode.OK
    assert [studio.number_of(picture) for picture in clips[0].frames.pixels] == list(range(5))


def test_encryption_and_unknown_codecs(studio, read, tmp_path):
    data = studio.film(tmp_path / "v.mp4", 5).read_bytes()
    for tag in (b"encv", b"zzzz"):
        path = tmp_path / f"{tag.decode()}.mp4"
        path.write_bytes(data.replace(b"avc1\x00\x00\x00\x00\x00\x00", tag + bytes(6)))
        done = read(path)[1]
        assert done.code is FileCode.UNSUPPORTED_CODEC
        assert "--allow-codec" not in done.message, "there is no codec to allow"


def test_metadata_may_be_anything(studio, read, tmp_path):
    path = studio.film(
        tmp_path / "v.mp4", 5, metadata={"title": "T" * 40, "comment": "C" * 100_000}
    )
    data = path.read_bytes().replace(b"T" * 40, b"\xff\xfe<script>" + b"\xe9" * 30)
    path.write_bytes(data)
    assert read(path)[1].code is FileCode.OK


def test_pictures_larger_than_the_limit(studio, read, tmp_path):
    path = studio.film(tmp_path / "v.mkv", 2, codec="mjpeg", size=(640, 480), pix_fmt="yuvj420p")
    with DecodePool(1, Limits(max_pixels=640 * 480 - 1)) as by:
        _, done = read(path, by=by)
        assert done.code is FileCode.TOO_LARGE
        assert "640x480" in done.message
        # A header that claims less does not let a large picture through.
        data = bytearray(path.read_bytes())
        at = data.index(b"\xb0\x82\x02\x80")  # PixelWidth
        data[at + 2 : at + 4] = struct.pack(">H", 16)
        path.write_bytes(data)
        assert read(path, by=by)[1].code in (FileCode.TOO_LARGE, FileCode.CORRUPT)


@posix
def test_a_sparse_giant(read, tmp_path):
    path = tmp_path / "v.mp4"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert read(path)[1].code is FileCode.UNSUPPORTED_CONTAINER


def test_suffixes_are_lower_case_with_a_dot():
    assert {
        ".mp4",
        ".mov",
        ".mkv",
        ".webm",
        ".avi",
        ".flv",
        ".ts",
        ".3gp",
        ".gif",
    } <= VIDEO_SUFFIXES
    for suffix in VIDEO_SUFFIXES:
        assert suffix.startswith(".")
        assert suffix == suffix.lower()


def test_a_span_that_is_not_there_says_so(studio, read, tmp_path):
    _, done = read(studio.film(tmp_path / "v.mp4", 5), GivenSegmenter((Span(3, 4),)))
    assert done.code is FileCode.TRUNCATED


def _caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        av.error.MemoryError(errno.ENOMEM, "Cannot allocate memory"),
        _caused(ImportError("failed to map a library"), OSError(errno.ENOMEM, "no memory")),
        _caused(RuntimeError("a filter failed"), MemoryError()),
    ],
    ids=["python", "system", "ffmpeg", "import", "wrapped"],
)
def test_want_of_memory_is_told_whoever_reports_it(studio, tmp_path, error):
    path = studio.film(tmp_path / "v.mp4", 2)
    assert fault(error, path).code is FileCode.OUT_OF_MEMORY


@pytest.mark.parametrize("call", ["stat", "open"])
def test_want_of_memory_while_a_file_is_looked_at(tmp_path, monkeypatch, call):
    path = tmp_path / "v.mp4"
    path.write_bytes(b"something")

    def starved(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    if call == "stat":
        monkeypatch.setattr(os, "stat", starved)
        with pytest.raises(VideoUnreadableError) as caught:
            check_file(path)
        assert caught.value.code is FileCode.OUT_OF_MEMORY
    else:
        monkeypatch.setattr(type(path), "open", starved)
        assert structural_fault(path).code is FileCode.OUT_OF_MEMORY
