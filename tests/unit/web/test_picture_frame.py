from __future__ import annotations

import pytest

from tests.unit.web.edge import Edge

FRAME = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "same-origin"}


async def test_a_frame_of_our_page_shows_the_one_picture_and_nothing_else(edge: Edge) -> None:
    address = 'https://img.example/a.png?x=1&y="><script>'
    async with edge.client(edge.app()) as client:
        response = await client.get("/picture", params={"src": address}, headers=FRAME)
    assert response.status_code == 200
    assert '<img src="https://img.example/a.png?x=1&amp;y=&quot;&gt;&lt;script&gt;"' in response.text
    assert "<title>img.example</title>" in response.text
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; img-src http: https:; ")
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert response.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "headers", [{}, FRAME | {"Sec-Fetch-Dest": "document"}, FRAME | {"Sec-Fetch-Site": "cross-site"}]
)
async def test_nobody_else_can_show_pictures_under_our_name(edge: Edge, headers: dict[str, str]) -> None:
    async with edge.client(edge.app()) as client:
        response = await client.get("/picture", params={"src": "https://img.example/a.png"}, headers=headers)
    assert response.status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/own.png",
        "javascript:alert(1)",
        "data:image/png;base64,x",
        "https://u:p@img.example/",
        "http://[",
        "http://",
        "https://img.example/" + "x" * 4_000,
    ],
)
async def test_invalid_addresses_of_pictures_are_not_found(edge: Edge, address: str) -> None:
    async with edge.client(edge.app()) as client:
        response = await client.get("/picture", params={"src": address}, headers=FRAME)
    assert response.status_code == 404
