"""Names: of files, folders, containers and chapters."""

from __future__ import annotations

from pathlib import Path

from moviola.channels.names import load
from moviola.core import ContainerTexts, Span, VideoInfo
from moviola.testing.channels import MemoryTools, check_channel

INFO = VideoInfo(60.0, 320, 240, 1500, "h264", "mov", has_sound=True)


def found(tools: MemoryTools) -> list[tuple[str, Span]]:
    passages = check_channel(load(), Path("/videos/IMG_2041.mp4"), INFO, tools)
    return [(passage.text, passage.span) for passage in passages]


def test_files_folders_tags_and_chapters_are_names():
    texts = ContainerTexts(
        {"title": "A day\n out", "encoder": "Lavf", "comment": "IMG_2041", "description": "<b>"},
        ((Span(30, 90), "Beach"), (Span(0, 30), "Break  fast"), (Span(70, 80), "late")),
    )
    names = (Path("Summer trip/IMG_2041.mp4"), Path("copy of it.mp4"))
    whole = Span(0, 60)
    assert found(MemoryTools(names=names, texts=texts)) == [
        ("IMG_2041", whole),
        ("Summer trip", whole),
        ("copy of it", whole),
        ("A day out", whole),
        ("<b>", whole),
        ("Break fast", Span(0, 30)),
        ("Beach", Span(30, 60)),
    ]


def test_undecodable_and_decomposed_names_are_text():
    names = (Path("caf\udce9.mp4"), Path("cafe\u0301/\u202egnp.mp4"))
    texts = [text for text, _ in found(MemoryTools(names=names))]
    assert "café" in texts
    for text in texts:
        text.encode()


def test_without_other_names_the_path_is_one():
    assert found(MemoryTools()) == [("IMG_2041", Span(0, 60))]
