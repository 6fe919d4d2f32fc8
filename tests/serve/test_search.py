"""What the API finds, and how it tells it."""

from __future__ import annotations

from urllib.parse import quote

import pytest

PARTS = {"strong", "likely", "unsure"}


def moments(served, path="/api/search", **params):
    return served.json(path, **params)["moments"]


def names(found):
    return [moment["name"] for moment in found]


def test_a_sentence_finds_the_moment(served):
    answer = served.json("/api/search", q="red")
    first = answer["moments"][0]
    assert first["name"] == "red-green.mp4"
    assert first["start"] == 0
    assert 4.5 <= first["end"] <= 7.5
    assert first["start"] <= first["peak"] <= first["end"]
    assert first["band"] in PARTS
    assert first["folder"] == "videos"
    assert answer["found"] == len(answer["moments"]) == len(set(names(answer["moments"])))
    scores = [moment["score"] for moment in answer["moments"]]
    assert scores == sorted(scores, reverse=True)
    assert served.json(f"/api/clips/{first['id']}")["video"] == first["video"]


def test_only_the_best_moment_of_a_video_is_shown_and_the_others_are_counted(served):
    grouped = moments(served, q="green")
    apart = moments(served, q="green", group="none")
    assert len(apart) == sum(1 + moment["others"] for moment in grouped)


def test_negative_terms_take_off_what_shows_them_and_nothing_else(served):
    plain = {m["name"]: m["score"] for m in moments(served, q="green", duplicates="show")}
    answer = served.json("/api/search", q="green -blue", duplicates="show")
    assert answer["query"]["text"] == "green"
    assert answer["query"]["not"] == ["blue"]
    less = {m["name"]: m["score"] for m in answer["moments"]}
    assert less["red-green.mp4"] == pytest.approx(plain["red-green.mp4"], abs=1e-5)
    assert less["blue.mp4"] < plain["blue.mp4"] - 0.4


@pytest.mark.parametrize(
    ("typed", "text", "without"),
    [
        ("a street -car", "a street", ["car"]),
        ('a street -"red car" at night -people', "a street at night", ["red car", "people"]),
        ("x-ray of a t-shirt", "x-ray of a t-shirt", []),
        ("5 -3 is 2", "5 -3 is 2", []),
        ("a - b", "a - b", []),
        ("straße -größe", "straße", ["größe"]),
        ("' OR 1=1 -- x", "' OR 1=1 -- x", []),
    ],
)
def test_what_counts_as_a_negative_term(served, typed, text, without):
    query = served.json("/api/search", q=typed)["query"]
    assert (query["text"], query["not"]) == (text, without)


def test_one_thing_after_another(served):
    (first, *_) = moments(served, q="green", then="blue", within=20)
    assert first["name"] == "green-blue.mp4"
    one, two = first["steps"]
    assert one["start"] < two["start"]
    assert first["start"] == one["start"]
    assert first["end"] == two["end"]
    backwards = moments(served, q="blue", then="green", within=20)
    assert backwards[0]["score"] < first["score"]


def test_steps_beyond_within_are_no_sequence(served):
    near = moments(served, q="red", then="green", within=20)[0]
    far = moments(served, q="red", then="green", within=1)
    assert not far or far[0]["score"] < near["score"]


def test_like_this_one(served):
    blues = moments(served, q="blue", duplicates="show")
    blue = next(m for m in blues if m["name"].startswith("blue"))
    found = moments(served, "/api/similar", clip=blue["id"], duplicates="show")
    assert blue["video"] not in {moment["video"] for moment in found}
    assert "blue" in found[0]["name"]
    with_own = moments(served, "/api/similar", clip=blue["id"], own=True, duplicates="show")
    assert blue["video"] in {moment["video"] for moment in with_own}


def test_near_duplicates_are_folded_into_the_better_one(served):
    shown = moments(served, q="blue", duplicates="show")
    folded = moments(served, q="blue")
    blues = [m for m in shown if m["score"] > 0.9]
    assert len(blues) >= 3
    assert len(folded[0]["duplicates"]) == len(blues) - 1
    assert sum(1 + len(m["duplicates"]) for m in folded) == len(shown)


def test_filters(served):
    everything = set(names(moments(served, q="blue", duplicates="show")))
    folders = {f["path"]: f["id"] for f in served.json("/api/folders")["folders"]}
    assert set(folders) == {"videos", "videos/trips", "videos/trips/sea"}

    def found(**filters):
        return set(names(moments(served, q="blue", duplicates="show", **filters)))

    sea = {"blue.mp4", "blue #2?%41.mp4"}
    assert found(folder=folders["videos/trips/sea"]) == sea
    assert found(folder=folders["videos/trips"]) == {*sea, "green-blue.mp4"}
    assert found(folder=folders["videos"]) == everything
    assert found(shortest=11) == {"red-green.mp4", "green-blue.mp4"}
    assert found(longest=4.5) == {"blue.mp4"}
    assert found(resolution=48) == everything
    assert found(resolution=49) == set()
    assert found(sound="true") == set()
    assert found(sound="false") == everything
    assert found(since="2000-01-01") == everything
    assert found(until="2000-01-01") == set()


def test_folders_count_what_is_below_them(served):
    folders = {f["path"]: f for f in served.json("/api/folders")["folders"]}
    assert folders["videos"]["videos"] == 4
    assert folders["videos/trips"]["videos"] == 3
    assert folders["videos/trips/sea"]["parent"] == folders["videos/trips"]["id"]
    assert folders["videos"]["depth"] == 0


def test_the_order_that_is_asked_for(served):
    found = names(moments(served, q="blue", duplicates="show", sort="name"))
    assert found == sorted(found, key=str.casefold)
    answer = served.json("/api/search", q="blue", sort="date")
    assert answer["unsure_from"] is None


def test_unsure_ones_begin_where_it_is_said(served):
    answer = served.json("/api/search", q="nothing of that", duplicates="show")
    bands = [moment["band"] for moment in answer["moments"]]
    first = answer["unsure_from"]
    assert set(bands[first:]) == {"unsure"}
    assert first == 0 or bands[first - 1] != "unsure"


def test_there_are_more_than_were_asked_for(served):
    assert served.json("/api/search", q="blue", top=1)["more"] is True
    assert served.json("/api/search", q="blue", top=1000)["more"] is False


def test_browsing_without_a_question(served):
    answer = served.json("/api/videos", sort="name")
    found = names(answer["videos"])
    assert answer["found"] == len(found) == 4
    assert found == sorted(found, key=str.casefold)
    assert all(video["score"] is None for video in answer["videos"])
    page = served.json("/api/videos", sort="name", top=2, offset=2)
    assert names(page["videos"]) == found[2:]


def test_a_curve_rises_where_the_moment_is(served):
    first = moments(served, q="red")[0]
    curve = served.json(f"/api/videos/{first['video']}/curve", q="red")
    assert len(curve["starts"]) == len(curve["ends"]) == len(curve["scores"])
    assert curve["starts"] == sorted(curve["starts"])
    best = curve["scores"].index(max(curve["scores"]))
    assert curve["starts"][best] <= first["peak"] <= curve["ends"][best]
    assert curve["high"] == pytest.approx(first["score"], abs=1e-4)
    assert curve["moments"][0]["peak"] == pytest.approx(first["peak"])
    assert curve["duration"] == pytest.approx(first["duration"])


@pytest.mark.parametrize(
    ("path", "status", "code", "word"),
    [
        ("/api/search?q=", 422, "invalid", "empty"),
        ("/api/search?q=%20%20", 422, "invalid", "empty"),
        ("/api/search", 422, "invalid", "q"),
        ("/api/search?q=red&top=0", 422, "invalid", "top"),
        ("/api/search?q=red&top=1001", 422, "invalid", "top"),
        ("/api/search?q=red&weight=2", 422, "invalid", "weight"),
        ("/api/search?q=red&since=yesterday", 422, "invalid", "since"),
        ("/api/search?q=red&folder=f-0", 404, "not_found", "folder"),
        ("/api/search?q=red&picture=p-0", 404, "not_found", "picture"),
        ("/api/similar?clip=0", 404, "not_found", "clip"),
        ("/api/similar", 422, "invalid", "clip"),
        ("/api/clips/0", 404, "not_found", "clip"),
        ("/api/videos/0", 404, "not_found", "video"),
        ("/api/videos/0/curve?q=red", 404, "not_found", "video"),
        ("/media/0", 404, "not_found", "video"),
        ("/api/nothing", 404, "not_found", ""),
    ],
)
def test_mistakes_are_named(served, path, status, code, word):
    answer = served.get(path)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert word in error["message"]


@pytest.mark.parametrize(
    "text", ["x" * 10_000, "🎬" * 100, "' OR 1=1 --", "\x00\x07", "<img onerror>", "\ud800x"]
)
def test_any_text_is_plain_text(served, text):
    answer = served.get("/api/search?q=" + quote(text.encode("utf-8", "surrogatepass")))
    assert answer.status_code == 200, answer.text


def test_too_long_is_said(served):
    answer = served.get("/api/search", params={"q": "y" * 10_001})
    assert answer.status_code == 422
    assert "10000" in answer.json()["error"]["message"]


def test_nothing_tells_where_the_library_lies(served, world):
    place = str(world.folder.parent)
    video = moments(served, q="red")[0]["video"]
    for path in (
        "/api/search?q=red",
        "/api/status",
        "/api/failures",
        "/api/folders",
        f"/api/videos/{video}",
        "/api/export?q=red&format=json",
        "/api/export?q=red&format=edl",
        "/openapi.json",
    ):
        answer = served.get(path)
        assert answer.status_code == 200
        assert place not in answer.text


def test_whole_paths_when_asked_for(serve, world):
    with serve(world.library, show_paths=True) as server:
        server.wait(lambda status: status["state"] == "ready")
        assert moments(server, q="red")[0]["folder"] == str(world.folder)


def test_failures_say_why(served):
    (failure,) = served.json("/api/failures")["failures"]
    assert failure["name"] == "broken.mp4"
    assert failure["code"] == "unsupported_container"
    assert failure["message"]
