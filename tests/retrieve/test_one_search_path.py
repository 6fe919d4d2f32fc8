"""The command line, Python and the page find the same moments with the same scores."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient
from typer.testing import CliRunner

import moviola
from moviola.cli.app import app
from moviola.core import VideoUnreadableError
from moviola.library import VideoFilter
from moviola.serve import Settings, create_app
from moviola.synthetic import shapes

PORT = 7861
TOP = 12
DEEP = "deep"  # the folder that some of the videos lie in


@dataclass
class Place:
    """A library, its server, and a picture."""

    library: Path
    videos: Path
    picture: Path
    client: TestClient
    uploaded: str
    clip: str
    folder: str


@dataclass(frozen=True)
class Asked:
    """One query in the words of each front; `{…}` stand for facts of the place."""

    text: str
    line: tuple[str, ...] = ()
    python: dict[str, Any] = field(default_factory=dict)
    http: dict[str, Any] = field(default_factory=dict)


def filtered(line: tuple[str, ...], http: dict[str, Any], **filters: Any) -> Asked:
    return Asked("a red circle", line, {"filters": VideoFilter(**filters)}, http)


QUERIES = [
    # Plain ones.
    Asked("a red circle moves to the right"),
    Asked("a blue square"),
    Asked("a green triangle moves up"),
    Asked("a dog on a skateboard"),
    Asked("  many   blanks\tand straße "),
    Asked("x-ray of a t-shirt at -5"),
    Asked("a square", ("--per-video", "0"), {"per_video": None}, {"group": "none"}),
    Asked("a circle", ("--show-duplicates",), {"fold": False}, {"duplicates": "show"}),
    Asked("a triangle", ("--top", "3"), {"top": 3}, {"top": 3}),
    # What is not wanted.
    Asked("a circle -red"),
    Asked("-moving a square"),
    Asked('-"a red circle" something blue'),
    Asked('a shape -small -"to the left" -triangle'),
    Asked("a red circle -red", ("--show-duplicates",), {"fold": False}, {"duplicates": "show"}),
    # One thing after another.
    *(
        Asked(
            text,
            tuple(word for step in then for word in ("--then", step))
            + (() if within is None else ("--within", str(within))),
            {"then": then} | ({} if within is None else {"within": within}),
            {"then": then} | ({} if within is None else {"within": within}),
        )
        for text, then, within in (
            ("a circle", ["a square"], None),
            ("a red shape", ["a blue shape"], 2),
            ("a square", ["a circle", "a triangle"], 60),
            ("a square -red", ["a circle"], 4.5),
            ("a square", ["-red"], None),
        )
    ),
    # Pictures and clips.
    Asked("", ("--image", "{picture}"), {"picture": "{picture}"}, {"picture": "{uploaded}"}),
    Asked(
        "a square", ("--image", "{picture}"), {"picture": "{picture}"}, {"picture": "{uploaded}"}
    ),
    Asked(
        "a square -red",
        ("--image", "{picture}", "--weight", "0.2"),
        {"picture": "{picture}", "weight": 0.2},
        {"picture": "{uploaded}", "weight": 0.2},
    ),
    Asked("", ("--like", "{clip}"), {"like": "{clip}"}, {"clip": "{clip}"}),
    Asked("a circle", ("--like", "{clip}"), {"like": "{clip}"}, {"clip": "{clip}"}),
    Asked(
        "",
        ("--like", "{clip}", "--image", "{picture}", "--then", "a circle"),
        {"like": "{clip}", "picture": "{picture}", "then": ["a circle"]},
        {"clip": "{clip}", "picture": "{uploaded}", "then": ["a circle"]},
    ),
    # Filters.
    filtered(("--folder", "{deep}"), {"folder": "{folder}"}, below="{deep}"),
    filtered(("--min-duration", "9.5"), {"shortest": 9.5}, shortest=9.5),
    filtered(("--max-duration", "9.5"), {"longest": 9.5}, longest=9.5),
    filtered(("--with-sound",), {"sound": True}, has_sound=True),
    filtered(("--without-sound",), {"sound": False}, has_sound=False),
    filtered(("--after", "2000-01-01"), {"since": "2000-01-01"}, since=date(2000, 1, 1)),
    filtered(("--before", "2000-01-01"), {"until": "2000-01-01"}, until=date(2000, 1, 1)),
    filtered(
        ("--folder", "{deep}", "--after", "2000-01-01", "--min-duration", "1"),
        {"folder": "{folder}", "since": "2000-01-01", "shortest": 1},
        below="{deep}",
        since=date(2000, 1, 1),
        shortest=1.0,
    ),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("fronts")
    shapes.generate(root, seed=11, videos={"test": 10}, workers=2)
    videos = root / "videos"
    (videos / DEEP).mkdir()
    files = sorted(videos.glob("*.mp4"))
    for path in files[:4]:
        path.rename(videos / DEEP / path.name)
    copy = videos / "copy.mp4"  # the same pictures in another file
    shutil.copyfile(files[-1], copy)
    with copy.open("ab") as file:
        file.write(b"\0\0\0\x08free")
    library = root / "library"
    moviola.index([videos], library=library, model="shapes", segment="windows:2/1", workers=1)
    picture = root / "picture.png"
    drawn = Image.new("RGB", (96, 96), (20, 20, 20))
    drawn.paste((220, 30, 30), (30, 30, 70, 70))
    drawn.save(picture)
    clip = moviola.search("a blue square", library=library, top=1)[0].clip
    settings = Settings(library, PORT)
    base = f"http://127.0.0.1:{PORT}"
    with TestClient(create_app(settings), base_url=base) as client:
        client.get("/api/search", params={"q": "red"}).raise_for_status()
        headers = {"sec-fetch-site": "same-origin", "x-moviola-token": settings.token}
        sent = client.post(
            "/api/pictures",
            content=picture.read_bytes(),
            headers=headers | {"content-type": "image/png"},
        )
        folders = {f["path"]: f["id"] for f in client.get("/api/folders").json()["folders"]}
        uploaded, deep = sent.json()["picture"], folders[f"videos/{DEEP}"]
        yield Place(library, videos, picture, client, uploaded, clip, deep)


def filled(value: Any, place: Place) -> Any:
    """Put the facts of the place into what is asked."""
    if isinstance(value, str) and value.startswith("{"):
        named = {"{deep}": place.videos / DEEP}
        return named[value] if value in named else getattr(place, value[1:-1])
    if isinstance(value, (list, tuple)):
        return type(value)(filled(each, place) for each in value)
    if isinstance(value, dict):
        return {key: filled(each, place) for key, each in value.items()}
    if isinstance(value, VideoFilter) and value.below is not None:
        return VideoFilter(below=place.videos / DEEP, since=value.since, shortest=value.shortest)
    return value


def rows(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What must agree of each moment to the letter: what is found, and how it stands."""
    return [
        (
            *(moment["clip"], moment["video"], moment["band"], len(moment.get("duplicates") or ())),
            *(len(moment.get("steps") or ()), moment.get("others", 0)),
        )
        for moment in found
    ]


def by_command_line(asked: Asked, place: Place) -> list[dict[str, Any]]:
    words = [str(word) for word in filled(asked.line, place)]
    top = [] if "--top" in words else ["--top", str(TOP)]
    line = ["search", asked.text, "--library", str(place.library), "--json", *top, *words]
    done = CliRunner().invoke(app, line, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


NAMES = (
    *("clip", "video", "band", "start", "end", "peak"),
    *("score", "probability", "others", "duplicates", "steps"),
)


def by_python(asked: Asked, place: Place) -> list[dict[str, Any]]:
    options = {"top": TOP} | filled(asked.python, place)
    found = moviola.search(asked.text, library=place.library, **options)
    return [{name: getattr(moment, name) for name in NAMES} for moment in found]


def by_http(asked: Asked, place: Place) -> list[dict[str, Any]]:
    params = {"q": asked.text, "top": TOP} | filled(asked.http, place)
    answer = place.client.get("/api/search", params=params)
    assert answer.status_code == 200, answer.text
    return [moment | {"clip": moment["id"]} for moment in answer.json()["moments"]]


@pytest.mark.parametrize("asked", QUERIES, ids=lambda asked: f"{asked.text} {asked.line}")
def test_every_front_gives_the_same(asked, place):
    fronts = [front(asked, place) for front in (by_command_line, by_python, by_http)]
    first, *others = fronts
    for other in others:
        assert rows(other) == rows(first)
        # Edges lie where scores cross a level, and scores of one batch are not those of another.
        within = {"score": 2e-6, "probability": 2e-6, "start": 2e-3, "end": 2e-3, "peak": 2e-3}
        for name, most in within.items():
            assert [moment[name] for moment in other] == pytest.approx(
                [moment[name] for moment in first], abs=most
            )


def test_the_table_is_no_comparison_of_nothing(place):
    found = [by_python(asked, place) for asked in QUERIES]
    assert len(QUERIES) >= 30
    assert sum(not moments for moments in found) <= 3  # with sound, and long ago
    plain, less = (moviola.search(q, library=place.library) for q in ("a circle", "a circle -red"))
    assert [(m.clip, m.score) for m in plain] != [(m.clip, m.score) for m in less]
    assert any(moment["duplicates"] for moments in found for moment in moments)
    assert any(len(moment["steps"]) == 3 for moments in found for moment in moments)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["--like", "c-0"], "there is no clip 'c-0'"),
        (["--image", "nothing.png"], "there is no picture nothing.png"),
        (["a", "--within", "0"], "seconds"),
        (["-red"], "as well"),
        ([], "empty"),
        (["--tpo"], "no option --tpo"),
        (["a", *["--then", "b"] * 5], "5 steps"),
        (["--like", "{clip}", "--rerank", "shapes"], "by a text"),
    ],
)
def test_mistakes_say_the_way_out(line, says, place, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    words = [str(word) for word in filled(line, place)]
    done = CliRunner().invoke(app, ["search", *words, "--library", str(place.library)])
    assert done.exit_code != 0
    assert says in f"{done.output}{done.exception}"


def test_a_picture_that_is_none_is_refused_with_its_code(place, tmp_path):
    wrong = tmp_path / "picture.png"
    wrong.write_text("no picture")
    with pytest.raises(VideoUnreadableError):
        moviola.search(library=place.library, picture=wrong)
