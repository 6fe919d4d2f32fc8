"""The demo has a library of its own, which makes way for the user's and never becomes it."""

from __future__ import annotations

import moviola
from moviola.synthetic import shapes

RED = (220, 20, 20)


def act(server, action: str):
    return server.client.post("/api/index", json={"action": action}, headers=server.writing)


def test_the_demo_is_shown_until_a_folder_is_indexed(serve, tmp_path, colour_video):
    library = tmp_path / "library"
    world = tmp_path / "library-demo"
    shapes.generate(world, seed=2026, videos={"test": 2}, workers=1)
    moviola.index(
        world / "videos", library=world / "library", model="shapes", segment="windows:2/1"
    )
    with serve(library) as server:
        status = server.wait(lambda status: status["state"] == "ready")
        assert status["is_demo"]
        assert not status["demo"]
        assert status["library"]["videos"] == 2
        assert "generated world" in status["model"]["note"]
        assert status["folders_known"] == 0
        assert act(server, "update").json()["error"]["code"] == "nothing"
        assert server.json("/api/search", q="a red circle")["moments"]
        assert not library.exists()

        (tmp_path / "mine").mkdir()
        colour_video(tmp_path / "mine" / "red.mp4", RED, seconds=2)
        moviola.index(tmp_path / "mine", library=library, model="moviola.testing:EchoEncoder")
        status = server.wait(lambda status: not status["is_demo"])
        status = server.wait(lambda status: status["state"] == "ready")
        assert status["model"]["note"] is None
        assert [hit["name"] for hit in server.json("/api/search", q="red")["moments"]] == [
            "red.mp4"
        ]
        assert {v["name"] for v in server.json("/api/videos")["videos"]} == {"red.mp4"}
        assert act(server, "demo").json()["error"]["code"] == "not_empty"
    assert [root.name for root in moviola.open_library(library).roots()] == ["mine"]


def test_a_demo_is_not_even_opened_beside_a_library(serve, own_world):
    (own_world.library.with_name("lib-demo") / "library").mkdir(parents=True)
    (own_world.library.with_name("lib-demo") / "library" / "library.json").write_text("{")
    with serve(own_world.library) as server:
        status = server.wait(lambda status: status["state"] == "ready")
        assert not status["is_demo"]
        assert status["problem"] is None
