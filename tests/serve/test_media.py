"""Files by id: ranges, traversal, sheets, previews, cuts."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from urllib.parse import quote

import anyio
import av
import numpy as np
import pytest
from PIL import Image

import moviola
from moviola.core import FileIdentity, Span
from moviola.serve.media.descriptor_response import DescriptorResponse
from moviola.video import DecodePool, read_waveform


def video_named(served, name):
    found = served.json("/api/videos", top=1000)["videos"]
    return next(video for video in found if video["name"] == name)


@pytest.fixture(scope="module")
def red(served):
    return video_named(served, "red-green.mp4")


@pytest.fixture(scope="module")
def content(world):
    return (world.folder / "red-green.mp4").read_bytes()


def test_the_file_as_it_is(served, red, content):
    answer = served.get(f"/media/{red['video']}")
    assert answer.content == content
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"
    head = served.client.head(f"/media/{red['video']}")
    assert head.status_code == 200
    assert int(head.headers["content-length"]) == len(content)
    assert not head.content


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [("bytes=0-", 0, None), ("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=-5", -5, None)],
)
def test_ranges(served, red, content, *, given, first, last):
    answer = served.get(f"/media/{red['video']}", headers={"range": given})
    assert answer.status_code == 206
    assert answer.content == content[first:last]
    assert answer.headers["content-range"].endswith(f"/{len(content)}")


@pytest.mark.parametrize(
    "given",
    ["bytes=99999999-", "bytes=5-2", "bytes=x", "bytes=99999999999999999999-", "rows=1-2"],
)
def test_ranges_that_are_none_break_nothing(served, red, given):
    answer = served.get(f"/media/{red['video']}", headers={"range": given})
    assert answer.status_code in (200, 400, 416)
    assert answer.status_code == 200 or "error" in answer.text or answer.status_code in (400, 416)


def test_a_hundred_and_one_ranges_cost_no_more_than_the_file(served, red, content):
    many = "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 202, 2))
    answer = served.get(f"/media/{red['video']}", headers={"range": many})
    assert answer.status_code in (200, 400, 416)
    assert len(answer.content) <= len(content)


def test_if_range_of_another_file_gives_the_whole(served, red, content):
    headers = {"range": "bytes=0-9", "if-range": '"of another"'}
    answer = served.get(f"/media/{red['video']}", headers=headers)
    assert (answer.status_code, answer.content) == (200, content)
    tag = answer.headers["etag"]
    headers = {"range": "bytes=0-9", "if-range": tag}
    assert served.get(f"/media/{red['video']}", headers=headers).status_code == 206


def test_names_with_signs_of_addresses_play(served, world):
    odd = video_named(served, "blue #2?%41.mp4")
    path = world.folder / "trips" / "sea" / "blue #2?%41.mp4"
    assert served.get(f"/media/{odd['video']}").content == path.read_bytes()


def strings_of_traversal(secret: Path) -> list[str]:
    """More than 200 ways to ask for a file that is none of ours."""
    targets = ["etc/passwd", "proc/self/environ", "secret.txt", "windows/win.ini", "app.py"]
    ups = ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%252f", "%252e%252e%252f", "..\\", "..%5c"]
    ups += ["..;/", "....//", "%c0%ae%c0%ae/", "..%00/", "./../", "%uff0e%uff0e/"]
    found = [up * depth + target for up in ups for depth in (1, 3, 8) for target in targets]
    whole = str(secret)
    found += [whole, "/" + whole, quote(whole, safe=""), quote(quote(whole, safe=""), safe="")]
    found += ["file://" + whole, "//server/share/x", "\\\\server\\share\\x", "C:\\x", "~/.ssh/id"]
    found += [f"%00{whole}", f"{whole}%00.mp4", "...", "con", "nul.mp4", "%0a", "-", "_"]
    return found


def test_no_address_leads_to_another_file(served, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("moviola-secret")
    strings = strings_of_traversal(secret)
    assert len(strings) >= 200
    page = served.get("/").content
    places = ("/media/{}", "/static/{}", "/media/clips/{}/sprite", "/media/pictures/{}", "/{}")
    for text in strings:
        for place in places:
            answer = served.get(place.format(text))
            body = answer.content
            assert b"moviola-secret" not in body
            assert b"root:" not in body
            assert b"def create_app" not in body
            assert answer.status_code in (400, 404, 422) or body == page, (place, text)


@pytest.mark.parametrize("name", ["x", "..", "../lib", "trips%2fsea"])
def test_parameters_are_no_paths(served, name):
    for field in ("folder", "video", "clip", "picture", "only"):
        answer = served.get(f"/api/search?q=red&{field}={name}")
        assert answer.status_code in (200, 404, 422)
        if answer.status_code == 200:
            assert answer.json()["moments"] == [] or field == "only"


def test_a_file_that_became_a_link_to_elsewhere_is_not_served(serve, own_world, tmp_path):
    secret = tmp_path / "secret.mp4"
    secret.write_text("moviola-secret")
    path = own_world.folder / "red-green.mp4"
    path.unlink()
    path.symlink_to(secret)
    sibling = own_world.folder.with_name("videos-of-others")
    sibling.mkdir()
    shutil.copy(secret, sibling / "x.mp4")
    blue = own_world.folder / "trips" / "sea" / "blue.mp4"
    blue.unlink()
    blue.symlink_to(sibling / "x.mp4")
    with serve(own_world.library) as server:
        for name in ("red-green.mp4", "blue.mp4"):
            video = video_named(server, name)["video"]
            answer = server.get(f"/media/{video}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "file_changed")


def test_a_missing_file_is_said_and_the_moment_still_shown(serve, own_world):
    (own_world.folder / "red-green.mp4").unlink()
    with serve(own_world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        first = server.json("/api/search", q="red")["moments"][0]
        assert first["name"] == "red-green.mp4"
        for path in (
            f"/media/{first['video']}",
            f"/media/{first['video']}/preview?start=0&end=2",
            f"/media/clips/{first['id']}/poster",
            f"/api/videos/{first['video']}/playback",
        ):
            answer = server.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "file_missing")
            assert "red-green.mp4" in answer.json()["error"]["message"]
        known = server.json(f"/api/videos/{first['video']}")
        assert (known["name"], known["playable"]) == ("red-green.mp4", None)
        # The sheet was made when it was indexed.
        assert server.get(f"/media/clips/{first['id']}/sprite").status_code == 200


def test_sheets_are_made_while_indexing_and_again_when_they_are_gone(serve, own_world):
    cache = own_world.library / "cache" / "sprites"
    assert len(list(cache.rglob("*.jpg"))) == sum(1 for _ in cache.rglob("*.jpg")) > 4
    with serve(own_world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        clip = server.json("/api/search", q="red")["moments"][0]
        before = server.get(f"/media/clips/{clip['id']}/sprite")
        shutil.rmtree(cache)
        after = server.get(f"/media/clips/{clip['id']}/sprite")
        assert after.status_code == 200
        assert list(cache.rglob("*.jpg"))
        for answer in (before, after):
            sheet = Image.open(io.BytesIO(answer.content))
            times = [float(time) for time in answer.headers["x-moviola-times"].split(",")]
            assert sheet.size == (4 * 64, 2 * 48)
            assert len(times) == 8
            assert times == sorted(times)
            for place, time in enumerate(times):
                x, y = place % 4 * 64 + 32, place // 4 * 48 + 24
                r, g, _ = sheet.getpixel((x, y))
                assert (r > g) == (time < 6.0)  # red for six seconds, then green
        tag = after.headers["etag"]
        again = server.get(f"/media/clips/{clip['id']}/sprite", headers={"if-none-match": tag})
        assert again.status_code == 304


def test_a_poster_shows_the_middle(served):
    clip = served.json("/api/search", q="green")["moments"][0]
    answer = served.get(f"/media/clips/{clip['id']}/poster")
    assert answer.headers["content-type"] == "image/jpeg"
    r, g, b = Image.open(io.BytesIO(answer.content)).getpixel((20, 20))
    assert g > max(r, b)


def test_posters_are_made_while_indexing_and_again_when_they_are_gone(serve, own_world):
    cache = own_world.library / "cache" / "sprites"
    indexed = {path.name: path.read_bytes() for path in cache.rglob("*.poster.jpg")}
    with serve(own_world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        found = server.json("/api/search", q="red", group="none", duplicates="show")["moments"]
        for clip in found:
            poster = server.get(f"/media/clips/{clip['id']}/poster").content
            assert poster == indexed[f"{clip['id']}.poster.jpg"]
        shutil.rmtree(cache)
        made = server.get(f"/media/clips/{found[0]['id']}/poster").content
        kept = next(cache.rglob("*.poster.jpg"))
        assert kept.read_bytes() == made
        pictures = [Image.open(io.BytesIO(data)) for data in (made, indexed[kept.name])]
        assert pictures[0].size == pictures[1].size
        kept.write_bytes(b"kept")
        assert server.get(f"/media/clips/{found[0]['id']}/poster").content == b"kept"


def test_a_picture_that_nobody_waits_for_is_not_made(serve, own_world, monkeypatch):
    from moviola.serve.routes import media

    async def gone(_):
        return True

    monkeypatch.setattr(media.Request, "is_disconnected", gone)
    shutil.rmtree(own_world.library / "cache")
    with serve(own_world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        clip = server.json("/api/search", q="red")["moments"][0]["id"]
        for kind in ("poster", "sprite"):
            assert server.get(f"/media/clips/{clip}/{kind}").status_code == 499
    assert not list((own_world.library / "cache").rglob("*.jpg"))


def opened(data: bytes):
    return av.open(io.BytesIO(data))


def test_a_cut_is_the_span_and_nothing_else(served, red):
    answer = served.get(f"/media/{red['video']}/cut?start=4&end=9")
    assert "attachment" in answer.headers["content-disposition"]
    with opened(answer.content) as film:
        (stream,) = film.streams
        assert stream.codec_context.name == "h264"
        frames = list(film.decode(video=0))
    assert float(stream.duration * stream.time_base) == pytest.approx(5, abs=0.1)
    assert float(frames[0].pts * frames[0].time_base) == 0
    for frame in frames:
        r, g, _ = frame.to_ndarray(format="rgb24")[24, 32]
        assert (r > g) == (float(frame.pts * frame.time_base) < 2 - 1e-6)


def test_a_preview_is_cached(served, red):
    place = f"/media/{red['video']}/preview?start=1&end=3"
    first = served.get(place)
    assert (first.status_code, first.headers["content-type"]) == (200, "video/mp4")
    second = served.get(place, headers={"range": "bytes=0-3"})
    assert second.status_code == 206
    assert second.content == first.content[:4]
    films = list((served.settings.library / "cache" / "previews").glob("*.mp4"))
    assert len([film for film in films if film.read_bytes() == first.content]) == 1


@pytest.mark.parametrize(
    "span",
    ["start=3&end=3", "start=5&end=4", "start=100&end=200", "start=-1&end=2", "start=nan&end=2"],
)
def test_spans_that_are_none_are_refused(served, red, span):
    for kind in ("preview", "cut"):
        answer = served.get(f"/media/{red['video']}/{kind}?{span}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")


def test_a_file_that_browsers_play_is_played_as_it_is(served, red):
    answer = served.json(f"/api/videos/{red['video']}/playback", start=1, end=3)
    assert answer["mode"] == "direct"
    assert (answer["url"], answer["offset"]) == (f"/media/{red['video']}", 0)
    forced = served.json(f"/api/videos/{red['video']}/playback", start=1, end=3, direct=False)
    assert forced["mode"] == "preview"
    assert forced["offset"] == 1
    assert served.get(forced["url"]).status_code == 200
    assert served.json("/api/search", q="red")["moments"][0]["playable"] is True


@pytest.fixture(scope="module")
def unplayable(tmp_path_factory, serve):
    """Files that browsers do not play, with a flash and a beep at two seconds."""
    place = tmp_path_factory.mktemp("unplayable")
    (place / "videos").mkdir()
    film_flash(place / "videos" / "deep.mp4", "libx265", "yuv420p10le")
    film_flash(place / "videos" / "old.avi", "mpeg4", "yuv420p")
    film_flash(place / "videos" / "box.mkv", "libx264", "yuv420p")
    moviola.index(
        [place / "videos"], library=place / "lib", model="moviola.testing:EchoEncoder", workers=1
    )
    with serve(place / "lib") as server:
        server.wait(lambda status: status["state"] == "ready")
        yield server


def film_flash(path: Path, codec: str, pixels: str) -> None:
    """Five seconds of black with white from 2.0 to 2.2 s, and a tone at the same time."""
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    with av.open(str(path), "w") as output:
        video = output.add_stream(codec, rate=25, options=options)
        video.width, video.height, video.pix_fmt = 96, 64, pixels
        audio = output.add_stream("mp3" if path.suffix == ".avi" else "aac", rate=48_000)
        for number in range(125):
            white = 50 <= number < 55
            frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), 255 * white, np.uint8))
            output.mux(video.encode(frame.reformat(format=pixels)))
        output.mux(video.encode())
        times = np.arange(5 * 48_000) / 48_000
        tone = np.where((times >= 2) & (times < 2.2), 0.8 * np.sin(2 * np.pi * 1000 * times), 0)
        for first in range(0, tone.size, 1152):
            block = np.repeat(tone[None, first : first + 1152], 2, axis=0).astype(np.float32)
            sound = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", "stereo")
            sound.sample_rate, sound.pts = 48_000, first
            output.mux(audio.encode(sound))
        output.mux(audio.encode())


@pytest.mark.parametrize(
    ("name", "words"), [("deep.mp4", "hevc (10 bit)"), ("old.avi", "mpeg4"), ("box.mkv", "mkv")]
)
def test_what_browsers_cannot_play_is_made_playable_and_sound_stays_in_step(
    unplayable, tmp_path, name, words
):
    video = video_named(unplayable, name)["video"]
    told = unplayable.json(f"/api/videos/{video}/playback", start=1.5, end=3)
    assert told["mode"] == "preview"
    assert words in told["message"]
    answer = unplayable.get(told["url"])
    assert answer.status_code == 200, answer.text
    path = tmp_path / "film.mp4"
    path.write_bytes(answer.content)
    with av.open(str(path)) as film:
        assert [stream.codec_context.name for stream in film.streams] == ["h264", "aac"]
        lit = [
            float(frame.pts * frame.time_base)
            for frame in film.decode(video=0)
            if frame.to_ndarray(format="gray").mean() > 128
        ]
    flash, beep = source_times(unplayable.settings.library.parent / "videos" / name)
    wave = read_waveform(path, Span(0, 1.5), rate=48_000).samples[0]
    loud = np.flatnonzero(np.abs(wave) > 0.2) / 48_000
    assert lit[0] == pytest.approx(flash - told["offset"], abs=0.001)
    assert loud[0] == pytest.approx(beep - told["offset"], abs=0.03)
    assert loud[-1] == pytest.approx(beep + 0.2 - told["offset"], abs=0.05)


def source_times(path: Path) -> tuple[float, float]:
    """When the file itself shows white, and when it sounds, by reading it from its start."""
    with DecodePool(1) as pool:
        frames = pool.read_frames_at(path, [0.02 + number / 25 for number in range(125)])
    white = frames.pixels.mean(axis=(1, 2, 3)) > 128
    wave = read_waveform(path, Span(0, 5), rate=48_000).samples[0]
    return float(frames.times[white][0]), float(np.flatnonzero(np.abs(wave) > 0.2)[0] / 48_000)


def test_a_container_that_browsers_do_not_play_is_not_served_as_it_is(unplayable):
    for name in ("old.avi", "box.mkv"):
        video = video_named(unplayable, name)["video"]
        answer = unplayable.get(f"/media/{video}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unplayable")


def test_a_broken_file_has_no_preview(served):
    broken = served.json("/api/failures")["failures"][0]["video"]
    told = served.json(f"/api/videos/{broken}/playback")
    assert (told["mode"], told["url"]) == ("none", None)
    answer = served.get(f"/media/{broken}/preview?start=0&end=1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unreadable")


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    ["*.avi", "*h265*.mp4", "*hdr*.mp4", "*.mkv", "*.webm", "*.ts", "*.flv"],
)
def test_real_files_have_previews(shared_data, name, tmp_path):
    from moviola.core import VideoUnreadableError
    from moviola.video import make_film

    found = sorted((shared_data / "videos").rglob(name))[:2]
    if not found:
        pytest.skip(f"there is no {name}")
    with DecodePool(1) as pool:
        for path in found:
            try:
                info = pool.probe(path)
            except VideoUnreadableError:
                continue
            pieces: list[bytes] = []
            end = min(info.duration, 2.0)
            make_film(pool, path, Span(0, end), pieces.append, lines=240, swift=True)
            with opened(b"".join(pieces)) as film:
                frames = list(film.decode(video=0))
            assert frames
            assert float(frames[0].pts * frames[0].time_base) == 0
            wide, high = frames[0].width, frames[0].height
            assert wide / high == pytest.approx(info.width / info.height, rel=0.05)


def test_a_file_that_shrank_is_not_the_one_that_was_indexed(serve, own_world):
    with serve(own_world.library) as server:
        video = video_named(server, "red-green.mp4")["video"]
        path = own_world.folder / "red-green.mp4"
        before = server.get(f"/media/{video}").headers["etag"]
        os.truncate(path, 100)
        answer = server.get(f"/media/{video}", headers={"range": "bytes=0-", "if-range": before})
        assert answer.status_code == 409
        assert server.get("/api/status").status_code == 200


def test_an_answer_breaks_off_where_its_file_changes_while_it_is_sent(tmp_path):
    path = tmp_path / "v.mp4"
    path.write_bytes(bytes(1 << 20))
    descriptor = os.open(path, os.O_RDONLY)
    response = DescriptorResponse(
        descriptor, FileIdentity.of(os.fstat(descriptor)), "video/mp4", {}
    )
    sent: list[dict] = []

    async def send(message):
        sent.append(message)
        if len(sent) == 2:
            os.truncate(path, 300_000)

    async def receive():
        return {"type": "http.request"}

    anyio.run(response, {"type": "http", "method": "GET", "headers": []}, receive, send)
    assert dict(sent[0]["headers"])[b"content-length"] == b"1048576"
    assert sum(len(message.get("body", b"")) for message in sent) == 256 << 10
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
