"""What is said, written and named, in a browser: chips, marks, transcripts, channels to add."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest

import moviola
from fixtures.subtitled import Track, make_film
from moviola.synthetic.shapes.texted import TextedVideo, generate_texted

pytestmark = pytest.mark.browser

SEED, VIDEOS = 7, 5
RUN = "window.__xss=1"
LONG = "w" * 4096
HOSTILE = (
    f"<script>{RUN}</script>",
    f'"><img src=x onerror={RUN}>',
    f"<svg onload={RUN}>",
    f"\u202e<b>{RUN}</b> gnihtemos",
    f"</bdi></button><img src=x onerror={RUN}>",
    LONG,
)


@dataclass(frozen=True)
class World:
    """A generated world with texts, and two libraries of it."""

    videos: Path
    drawn: list[TextedVideo]
    seen: Path
    unseen: Path


def write_signs(path: Path, drawn: list[TextedVideo]) -> Path:
    """Write what stands in the pictures as a table, which recognition would take minutes to."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("video", "start", "end", "text", "channel"))
        for each in drawn:
            for sign in each.texts.signs:
                start, end = each.video.spans[sign.shot]
                writer.writerow((each.file, start, end, sign.words, "writing"))
    return path


@pytest.fixture(scope="module")
def texted(tmp_path_factory) -> World:
    root = tmp_path_factory.mktemp("texted")
    drawn, _ = generate_texted(root, seed=SEED, count=VIDEOS)
    signs = write_signs(root / "signs.csv", drawn)
    models = {"seen": "shapes", "unseen": "none"}
    for name, model in models.items():
        moviola.index([root / "videos"], library=root / name, model=model, passages=signs)
    return World(root / "videos", drawn, root / "seen", root / "unseen")


def facts(world: World) -> dict[str, object]:
    """Choose a subtitle, a sign and the transcript that goes with them."""
    each = next(each for each in world.drawn if len(each.texts.said) > 1)
    said = each.texts.said[1]
    words = " ".join(said.text.rstrip(".").split()[2:6])
    passages = moviola.passages(world.videos / each.file, library=world.seen)
    first = min(each.video.spans[sign.shot][0] for sign in each.texts.signs)
    return {
        "said": {"words": words, "clock": f"0:{int(said.start):02d}"},
        "sign": {"words": each.texts.signs[0].words},
        "groups": ["Named", "Said", "Written"],
        "passages": len(passages),
        "jump": {"text": said.text, "start": said.start, "part": words.split()[0][:4]},
        "signs": [first],
    }


def test_texts_are_found_marked_read_and_exported(look, serving, texted):
    with serving(texted.seen) as server:
        look("texts", server, **facts(texted))


def test_a_library_of_words_alone(look, serving, texted):
    with serving(texted.unseen) as server:
        look("words-alone", server, words=facts(texted)["said"]["words"])


def test_a_channel_is_added_from_the_page(look, serving, tmp_path):
    videos, library = tmp_path / "videos", tmp_path / "library"
    videos.mkdir()
    make_film(videos / "talk.mkv", [Track("subrip", [(1, 2, "an umbrella")])], seconds=4)
    moviola.index([videos], library=library, model="none", without_channels=["subtitles"])
    with serving(library) as server:
        look("add-channel", server, words="umbrella")


def test_a_long_transcript_comes_in_parts(look, serving, tmp_path):
    videos, library = tmp_path / "videos", tmp_path / "library"
    videos.mkdir()
    make_film(videos / "long.mp4", seconds=60)
    cues = [(place / 20, place / 20 + 0.04, f"cue number {place}") for place in range(1180)]
    table = tmp_path / "cues.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("video", "start", "end", "text", "channel"))
        writer.writerows(("long.mp4", *cue, "notes") for cue in cues)
    moviola.index([videos], library=library, model="none", passages=table)
    with serving(library) as server:
        look("long-transcript", server, passages=len(cues) + 1)


def test_hostile_texts_are_texts_and_none_goes_to_the_log(look, serving, logs, tmp_path):
    videos, library = tmp_path / "videos", tmp_path / "library"
    videos.mkdir()
    table = tmp_path / "signs.csv"
    cues = [(place, place + 0.9, f"secretword {text}") for place, text in enumerate(HOSTILE)]
    make_film(videos / "evil.mkv", [Track("subrip", cues)], seconds=len(cues) + 1)
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("video", "start", "end", "text", "channel"))
        for channel in ("writing", "notes"):
            writer.writerows(("evil.mkv", *cue, channel) for cue in cues)
    moviola.index([videos], library=library, model="none", passages=table)
    with serving(library) as server:
        look("hostile-texts", server, payloads=list(HOSTILE), words="secretword")
    told = "".join(path.read_text() for path in logs.glob("library-*.log"))
    assert "Moviola is at" in told
    for text in ("secretword", "__xss", "onerror", "wwww"):
        assert text not in told


def test_looks_of_texts(look, serving, texted):
    data = facts(texted)
    with serving(texted.seen) as server:
        look("texts-looks", server, **data, library="seen", seconds=400)
    with serving(texted.unseen) as server:
        look("texts-looks", server, **data, library="unseen", seconds=400)
