"""Nobody gets what was not indexed, whatever stands where a video was."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

SECRET = b"moviola-secret" * 400


def video_named(served, name):
    found = served.json("/api/videos", top=1000)["videos"]
    return next(video for video in found if video["name"] == name)


def clip_of(served, name):
    moments = served.json("/api/search", q="red", top=1000, group="none")["moments"]
    return next(moment["id"] for moment in moments if moment["name"] == name)


def places_of(served, name) -> list[str]:
    """Every address that reads the file of a video."""
    video, clip = video_named(served, name)["video"], clip_of(served, name)
    return [
        f"/media/{video}",
        f"/media/{video}/preview?start=0&end=2",
        f"/media/{video}/cut?start=0&end=2",
        f"/media/clips/{clip}/poster",
        f"/media/clips/{clip}/sprite",
        f"/api/videos/{video}/playback",
    ]


def link_to_outside(path: Path, away: Path) -> None:
    path.unlink()
    path.symlink_to(away)


def link_to_a_hidden_file(path: Path, away: Path) -> None:
    hidden = path.parent / ".hidden"
    hidden.mkdir()
    shutil.copy(away, hidden / "x.mp4")
    path.unlink()
    path.symlink_to(hidden / "x.mp4")


def link_to_itself_in_a_hidden_folder(path: Path, away: Path) -> None:
    """The content is the indexed one, but its place is one that is never indexed."""
    hidden = path.parent / ".hidden"
    hidden.mkdir()
    path.rename(hidden / "x.mp4")
    path.symlink_to(hidden / "x.mp4")


def hard_link(path: Path, away: Path) -> None:
    path.unlink()
    os.link(away, path)


def text_in_place(path: Path, away: Path) -> None:
    path.write_bytes(away.read_bytes())


def text_of_the_same_size_and_time(path: Path, away: Path) -> None:
    before = path.stat()
    with path.open("r+b") as file:
        file.write(
            (away.read_bytes() * (1 + before.st_size // away.stat().st_size))[: before.st_size]
        )
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def another_video(path: Path, away: Path) -> None:
    shutil.copy(path.parent / "trips" / "green-blue.mp4", path)


def a_folder_of_links(path: Path, away: Path) -> None:
    path.unlink()
    path.mkdir()


SWAPS = [
    link_to_outside,
    link_to_a_hidden_file,
    link_to_itself_in_a_hidden_folder,
    hard_link,
    text_in_place,
    text_of_the_same_size_and_time,
    another_video,
    a_folder_of_links,
]


@pytest.mark.parametrize("swap", SWAPS, ids=lambda swap: swap.__name__)
def test_what_was_put_in_the_place_of_a_video_is_not_given(serve, own_world, tmp_path, swap):
    away = tmp_path / "secret.txt"
    away.write_bytes(SECRET)
    shutil.rmtree(own_world.library / "cache")
    swap(own_world.folder / "red-green.mp4", away)
    with serve(own_world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        for place in places_of(server, "red-green.mp4"):
            answer = server.get(place)
            assert answer.status_code in (409, 422), (place, answer.status_code)
            assert b"moviola-secret" not in answer.content
        assert server.get(places_of(server, "red-green.mp4")[0]).status_code == 409
    cached = (own_world.library / "cache").rglob("*")
    # The bank holds ordinary sentences, and nothing of any file.
    kept = [path for path in cached if path.is_file() and path.parent.name != "bank"]
    assert not kept, "nothing of a replaced file is cached"


def test_a_file_that_was_restored_from_a_backup_plays_again(serve, own_world):
    path = own_world.folder / "red-green.mp4"
    content = path.read_bytes()
    path.unlink()
    path.with_name("y").write_bytes(b"another inode")
    path.write_bytes(content)
    with serve(own_world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        for place in places_of(server, "red-green.mp4"):
            assert server.get(place).status_code == 200, place


def test_no_race_between_looking_and_opening_leaks(serve, own_world, tmp_path):
    away = tmp_path / "secret.txt"
    away.write_bytes(SECRET)
    path = own_world.folder / "red-green.mp4"
    other, link = path.with_name("kept.bin"), path.with_name("link.bin")
    shutil.copy2(path, other)
    content, over = path.read_bytes(), threading.Event()

    def swap() -> None:
        while not over.is_set():
            link.unlink(missing_ok=True)
            link.symlink_to(away)
            link.replace(path)
            os.link(other, link)
            link.replace(path)

    with serve(own_world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        video = video_named(server, "red-green.mp4")["video"]
        swapping = threading.Thread(target=swap)
        swapping.start()
        try:
            answers = [server.get(f"/media/{video}") for _ in range(300)]
        finally:
            over.set()
            swapping.join()
    assert {answer.status_code for answer in answers} <= {200, 404, 409}
    assert all(answer.content == content for answer in answers if answer.status_code == 200)
    assert not any(b"moviola-secret" in answer.content for answer in answers)
    assert sum(answer.status_code == 200 for answer in answers) > 10


def test_what_was_kept_of_a_video_is_not_shown_of_what_replaced_it(serve, own_world, tmp_path):
    path = own_world.folder / "red-green.mp4"
    with serve(own_world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        places = places_of(server, "red-green.mp4")[1:5]
        assert [server.get(place).status_code for place in places] == [200] * 4
        path.rename(tmp_path / "away.mp4")
        assert [server.get(place).status_code for place in places] == [404, 404, 404, 200]
        path.write_bytes(SECRET)
        assert [server.get(place).status_code for place in places] == [409] * 4
