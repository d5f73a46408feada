"""Signatures, against the official SDK's validator: what we sign it accepts, what it would accept we accept."""

from random import Random
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped, unused-ignore]

from orchestrator.kernel.signing import sign, signed_url, verify

TOKEN = "12345"
# The worked example of Twilio's security documentation.
DOCUMENTED_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
DOCUMENTED_FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
]
DOCUMENTED_SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="

tokens = st.text(min_size=1, max_size=40)
fields = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=12)), max_size=12)
# Few names and values, so that a name comes several times and a pair comes twice.
crowded_fields = st.lists(st.tuples(st.sampled_from("aAbé"), st.sampled_from(["", "1", "2", "ü"])), max_size=12)
any_fields = fields | crowded_fields
hosts = st.sampled_from(["example.com", "Example.COM", "a-b.c", "192.0.2.1", "xn--bcher-kva.example"])
ports = st.sampled_from(["", ":443", ":80", ":8080"])
paths = st.lists(st.text(max_size=6).map(lambda text: quote(text, safe="~:@")), max_size=3).map("/".join)
queries = st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), max_size=3).map(urlencode)


@st.composite
def urls(draw: st.DrawFn) -> str:
    query = draw(queries)
    origin = f"{draw(st.sampled_from(['https', 'http']))}://{draw(hosts)}{draw(ports)}"
    return f"{origin}/{draw(paths)}{'?' if query else ''}{query}"


def official(token: str, url: str, form: list[tuple[str, str]]) -> str:
    return str(RequestValidator(token).compute_signature(url, MultiDict(form)))


def test_the_documented_example() -> None:
    assert sign(TOKEN, DOCUMENTED_URL, DOCUMENTED_FORM) == DOCUMENTED_SIGNATURE
    assert verify(TOKEN, DOCUMENTED_URL, DOCUMENTED_SIGNATURE, params=DOCUMENTED_FORM, body=b"CallSid=...")


@given(tokens, urls(), any_fields)
@example("t", "https://h/", [("a", "2"), ("a", "1"), ("a", "1"), ("aa", "")])
def test_forms_are_signed_as_the_official_sdk_does(token: str, url: str, form: list[tuple[str, str]]) -> None:
    assert sign(token, url, form) == official(token, url, form)
    assert RequestValidator(token).validate(url, MultiDict(form), sign(token, url, form))


@given(tokens, urls(), any_fields, st.randoms())
def test_the_order_of_fields_does_not_matter(token: str, url: str, form: list[tuple[str, str]], random: Random) -> None:
    shuffled = list(form)
    random.shuffle(shuffled)
    assert verify(token, url, official(token, url, form), params=iter(shuffled), body=urlencode(form).encode())


@given(tokens, urls(), ports, any_fields)
def test_ports_are_judged_as_the_official_validator_does(
    token: str, url: str, port: str, form: list[tuple[str, str]]
) -> None:
    netloc = urlsplit(url).netloc
    signature = official(token, url.replace(netloc, netloc.partition(":")[0] + port, 1), form)
    expected = RequestValidator(token).validate(url, MultiDict(form), signature)
    assert verify(token, url, signature, params=form, body=urlencode(form).encode()) == expected


@pytest.mark.parametrize(
    ("signed", "seen", "accepted"),
    [
        ("https://h/p", "https://h:443/p", True),
        ("https://h:443/p", "https://h/p", True),
        ("http://h:80/p", "http://h/p", True),
        ("https://h/p", "https://h:8443/p", True),
        ("https://h:8443/p", "https://h/p", False),
        ("https://h:8443/p", "https://h:8444/p", False),
        ("http://h/p", "https://h/p", False),
        ("https://[2001:db8::1]/p", "https://[2001:db8::1]:443/p", True),
        ("https://u:p@h/p", "https://u:p@h:443/p", True),
    ],
)
def test_ports(signed: str, seen: str, accepted: bool) -> None:
    assert verify(TOKEN, seen, sign(TOKEN, signed), params=(), body=b"") is accepted


@given(tokens, urls(), st.text(max_size=40))
def test_bodies_are_signed_as_the_official_sdk_does(token: str, url: str, text: str) -> None:
    target = signed_url(url, text.encode())
    signature = sign(token, target)
    assert RequestValidator(token).validate(target, text, signature)
    assert verify(token, target, signature, params=(), body=text.encode())
    assert parse_qsl(urlsplit(target).query, keep_blank_values=True)[:-1] == parse_qsl(
        urlsplit(url).query, keep_blank_values=True
    )


@given(urls(), st.binary(max_size=20), st.binary(max_size=20))
def test_another_body_is_refused(url: str, body: bytes, other: bytes) -> None:
    assume(body != other)
    target = signed_url(url, body)
    assert not verify(TOKEN, target, sign(TOKEN, target), params=(), body=other)


@given(urls(), any_fields, any_fields)
def test_another_form_is_refused(url: str, form: list[tuple[str, str]], other: list[tuple[str, str]]) -> None:
    expected = official(TOKEN, url, form) == official(TOKEN, url, other)
    assert verify(TOKEN, url, sign(TOKEN, url, form), params=other, body=urlencode(other).encode()) == expected


@pytest.mark.parametrize(
    ("token", "url", "signature", "body"),
    [
        ("54321", DOCUMENTED_URL, DOCUMENTED_SIGNATURE, b"x"),
        (TOKEN, DOCUMENTED_URL + "0", DOCUMENTED_SIGNATURE, b"x"),
        (TOKEN, DOCUMENTED_URL, DOCUMENTED_SIGNATURE.lower(), b"x"),
        (TOKEN, DOCUMENTED_URL, DOCUMENTED_SIGNATURE + "=", b"x"),
        (TOKEN, DOCUMENTED_URL, "", b"x"),
        (TOKEN, DOCUMENTED_URL, "é\udcff", b"x"),
        (TOKEN, "https://mycompany.com:http/myapp.php", DOCUMENTED_SIGNATURE, b"x"),
        (TOKEN, "https://[mycompany/", DOCUMENTED_SIGNATURE, b"x"),
    ],
)
def test_tampering_is_refused(token: str, url: str, signature: str, body: bytes) -> None:
    assert not verify(token, url, signature, params=DOCUMENTED_FORM, body=body)


@given(st.text(), st.text(), any_fields, st.binary())
def test_nothing_a_stranger_sends_raises(url: str, signature: str, params: list[tuple[str, str]], body: bytes) -> None:
    assert verify(TOKEN, url, signature, params=params, body=body) is False


def test_a_body_that_nothing_vouches_for_is_refused() -> None:
    url = "https://example.com/hook"
    assert verify(TOKEN, url, sign(TOKEN, url), params=(), body=b"")
    assert not verify(TOKEN, url, sign(TOKEN, url), params=(), body=b'{"any": "body"}')


def test_a_wrong_digest_is_refused_even_without_a_body() -> None:
    url = signed_url("https://example.com/hook", b"a body")
    assert not verify(TOKEN, url, sign(TOKEN, url), params=(), body=b"")
    assert not RequestValidator(TOKEN).validate(url, "", sign(TOKEN, url))


def test_a_digest_in_the_query_does_not_spoil_a_form() -> None:
    url, form = "https://example.com/hook?bodySHA256=abc", [("a", "1")]
    assert RequestValidator(TOKEN).validate(url, dict(form), sign(TOKEN, url, form))
    assert verify(TOKEN, url, sign(TOKEN, url, form), params=form, body=b"a=1")


def test_an_empty_token_verifies_nothing() -> None:
    assert not verify("", "https://example.com/", sign("", "https://example.com/"), params=(), body=b"")


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://h/p", "https://h/p?"),
        ("https://h/p?", "https://h/p?"),
        ("https://h/p#part?x", "https://h/p?"),
        ("https://h/p?a=%20+&b#part", "https://h/p?a=%20+&b&"),
        ("https://h/p?bodySHA256=0&a=1&body%53HA256=1&bodysha256=2", "https://h/p?a=1&bodysha256=2&"),
        ("https://h/p?bodySHA256", "https://h/p?"),
    ],
)
def test_the_digest_is_appended_to_what_the_query_says(url: str, base: str) -> None:
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert signed_url(url, b"x") == f"{base}bodySHA256={digest}"
    assert RequestValidator(TOKEN).validate(signed_url(url, b"x"), "x", sign(TOKEN, signed_url(url, b"x")))
