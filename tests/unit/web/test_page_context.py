from __future__ import annotations

import pytest

from tests.unit.web.edge import JSON, Edge, FakeServer, logged_text, use_case
from turns.request_context import RequestContext
from web.page_context import MAX_HEADER_CHARS, parse_time_zone


async def received_context(edge: Edge, names: tuple[str, ...], headers: list[tuple[str, str]]) -> RequestContext:
    server = FakeServer()
    app = edge.app(use_case("guide", server, headers=names))
    async with edge.client(app) as client:
        answer = await client.post("/chatkit/guide", content=b"{}", headers=[*JSON.items(), *headers])
    assert answer.status_code == 200
    return server.requests[0][1]


async def test_the_named_headers_arrive_in_lower_case_and_no_others(edge: Edge) -> None:
    sent = [("X-Page-Id", "p-12"), ("X-Other", "no"), ("Cookie", "a=b"), ("Authorization", "Basic abc")]
    context = await received_context(edge, ("X-Page-ID", "x-missing"), sent)
    assert context.headers == {"x-page-id": "p-12"}
    with pytest.raises(TypeError):
        context.headers["x-page-id"] = "another"  # type: ignore[index]


async def test_without_a_name_no_header_arrives(edge: Edge) -> None:
    assert (await received_context(edge, (), [("X-Page-Id", "p-12")])).headers == {}


async def test_a_header_that_comes_twice_is_one_value(edge: Edge) -> None:
    context = await received_context(edge, ("x-tag",), [("X-Tag", "a"), ("X-Tag", "b")])
    assert context.headers == {"x-tag": "a, b"}


async def test_a_value_that_is_too_long_is_left_out_and_logged(edge: Edge, log: pytest.LogCaptureFixture) -> None:
    longest, secret = "x" * MAX_HEADER_CHARS, "y" * (MAX_HEADER_CHARS + 1)
    context = await received_context(edge, ("x-fits", "x-long"), [("X-Fits", longest), ("X-Long", secret)])
    assert context.headers == {"x-fits": longest}
    assert "too long" in logged_text(log)
    assert secret not in logged_text(log)


async def test_control_characters_of_a_header_are_blanks(edge: Edge) -> None:
    context = await received_context(edge, ("x-page",), [("X-Page", "a\tb\x1bc")])
    assert context.headers == {"x-page": "a b c"}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("Cookie",), "'cookie' carries a secret"),
        (("AUTHORIZATION",), "'authorization' carries a secret"),
        (("proxy-authorization",), "carries a secret"),
        (("x page",), "is no name of a header"),
        (("",), "is no name of a header"),
        ((7,), "is no name of a header"),
        ("x-page", "must be a sequence of names"),
        (tuple(f"x-{number}" for number in range(33)), "33 names are more than 32"),
    ],
)
def test_names_that_cannot_be_had_are_refused_when_the_use_case_is_made(names: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        use_case("guide", headers=names)


@pytest.mark.parametrize(
    ("accept", "zone"),
    [
        ("text/event-stream;time-zone=Europe%2FZurich, application/json, */*;q=0.1", "Europe/Zurich"),
        ("text/event-stream; time-zone=America%2FArgentina%2FBuenos_Aires", "America/Argentina/Buenos_Aires"),
        ("text/event-stream;time-zone=Etc%2FGMT%2B3;q=1", "Etc/GMT+3"),
        ("text/event-stream;time-zone=UTC", "UTC"),
        ("*/*", None),
        ("", None),
        ("text/event-stream;time-zone=", None),
        ("text/event-stream;time-zone=Mars%2FOlympus", None),
        ("text/event-stream;time-zone=..%2F..%2Fetc%2Fpasswd", None),
        ("text/event-stream;time-zone=%2Fetc%2Fpasswd", None),
        ("text/event-stream;time-zone=Europe%00Zurich", None),
        ("text/event-stream;time-zone=Europe", None),
        (f"text/event-stream;time-zone={'a' * 200}", None),
    ],
)
async def test_the_time_zone_is_one_that_python_knows(edge: Edge, accept: str, zone: str | None) -> None:
    assert parse_time_zone(accept) == zone
    assert (await received_context(edge, (), [("Accept", accept)])).time_zone == zone


@pytest.mark.parametrize(
    ("accept", "is_resumable"),
    [
        ("text/event-stream;resumable=1;time-zone=UTC, application/json, */*;q=0.1", True),
        ("text/event-stream; resumable=1", True),
        ("text/event-stream;resumable=10", False),
        ("text/event-stream;resumable=0", False),
        ("text/event-stream", False),
        ("resumable=1", False),
    ],
)
async def test_a_client_says_by_accept_that_it_can_join_an_answer_again(
    edge: Edge, accept: str, is_resumable: bool
) -> None:
    assert (await received_context(edge, (), [("Accept", accept)])).is_resumable is is_resumable
