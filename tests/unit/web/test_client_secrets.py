from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from web.client_secrets import ClientSecrets, ServerKeys, bearer_token, new_session_id
from web.identity import Cookies, new_user_id

OURS = ClientSecrets(b"k" * 32)
SESSION = new_session_id()
EXPIRES_AT_S = int(time.time()) + 600
SECRET = OURS.build(SESSION, EXPIRES_AT_S)


def test_a_secret_says_which_session_it_opens_and_until_when() -> None:
    said = OURS.parse(SECRET)
    assert said is not None
    assert (said.session_id, said.expires_at_s) == (SESSION, EXPIRES_AT_S)


@given(st.data())
def test_no_altered_secret_passes(data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(SECRET)))
    end = data.draw(st.integers(begin, len(SECRET)))
    part = data.draw(st.text(max_size=8) | st.text("0123456789abcdefABCDEF_", max_size=8))
    altered = SECRET[:begin] + part + SECRET[end:]
    assert (OURS.parse(altered) is not None) == (altered == SECRET)


@given(st.binary(min_size=32, max_size=64).filter(lambda key: key != b"k" * 32))
def test_a_secret_that_another_key_signed_passes_nowhere(key: bytes) -> None:
    assert OURS.parse(ClientSecrets(key).build(SESSION, EXPIRES_AT_S)) is None


def test_signatures_of_cookies_and_client_secrets_are_not_interchangeable() -> None:
    cookie = Cookies(b"k" * 32).build(new_user_id())
    _, token, signature = cookie.split(".")
    assert OURS.parse(f"ek_v1_{token}_{EXPIRES_AT_S}_{signature}") is None
    assert Cookies(b"k" * 32).parse("v1." + ".".join(SECRET.split("_")[2::2])) is None


def test_only_our_own_session_ids_are_signed() -> None:
    with pytest.raises(ValueError, match="not one of ours"):
        OURS.build("cksess_1", EXPIRES_AT_S)


@pytest.mark.parametrize(
    ("values", "token"),
    [
        ([], None),
        (["Basic dTpw"], None),
        (["Bearer a.b"], "a.b"),
        (["bearer  a.b "], "a.b"),
        (["Bearer "], ""),
        (["Bearer"], ""),
        (["Bearer a", "Bearer a"], ""),
        (["Basic dTpw", "Bearer a"], ""),
    ],
)
def test_one_bearer_is_a_token_and_two_headers_are_none_that_we_signed(values: list[str], token: str | None) -> None:
    assert bearer_token(Headers(raw=[(b"authorization", value.encode()) for value in values])) == token


def test_a_server_key_is_known_by_its_name() -> None:
    keys = ServerKeys({"shop": "k" * 32, "desk": "o" * 40})
    assert [keys.find_name(key) for key in ("k" * 32, "o" * 40, "k" * 31, "", "ö", "\ud800")] == [
        "shop", "desk", None, None, None, None,
    ]  # fmt: skip
    assert "shop" in keys
    assert not ServerKeys({})
