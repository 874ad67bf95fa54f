from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whybounce.checks.guard import MAX_NAME, DomainError, is_address, is_connectable, parse_domain, parse_networks, shown

PUBLIC = ("8.8.8.8", "193.0.6.139", "2606:4700::1111", "2a00:1450:4001:830::200e", "::ffff:8.8.8.8")
TRAPS = (
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::1",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "fc00::1",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "5f00::1",
    "100::1",
    "2130706433",
    "127.1",
    "0177.0.0.1",
    "example.com",
    "",
)


@pytest.mark.parametrize("address", PUBLIC)
def test_it_lets_checks_connect_to_public_addresses(address: str) -> None:
    assert is_connectable(address)


@pytest.mark.parametrize("address", TRAPS)
def test_it_keeps_checks_from_private_and_special_addresses(address: str) -> None:
    assert not is_connectable(address)


def test_an_operator_may_allow_a_private_network_and_nothing_beside_it() -> None:
    networks = parse_networks(["127.0.0.0/8", " fd00:1::/32 "])
    assert is_connectable("127.0.0.1", networks)
    assert is_connectable("::ffff:127.0.0.1", networks)
    assert is_connectable("fd00:1::25", networks)
    assert not is_connectable("10.0.0.1", networks)
    assert not is_connectable("fd00:2::25", networks)


def test_it_refuses_the_machines_own_public_address() -> None:
    assert not is_connectable("8.8.8.8", own_addresses=["8.8.8.8"])
    assert not is_connectable("::ffff:8.8.8.8", own_addresses=["8.8.8.8"])


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("Example.COM", "example.com"),
        (" example.com.\n", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("ＥＸＡＭＰＬＥ。com", "example.com"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_it_brings_a_domain_into_the_form_that_dns_uses(typed: str, domain: str) -> None:
    assert parse_domain(typed) == domain


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "No domain was given"),
        ("localhost", "this machine itself"),
        ("mail.localhost", "this machine itself"),
        ("example", "has no dot"),
        ("192.0.2.1", "is an IP address"),
        ("[192.0.2.1]", "is an IP address"),
        ("[IPv6:2001:db8::1]", "is an IP address"),
        ("10.0.0.256", "ends in a number"),
        ("exa mple.com", "holds a space"),
        ("example.com\r\nRCPT TO:<x>", "line break"),
        ("example.com\0.test", "NUL"),
        ("exam\u200bple.com", "invisible character (U+200B"),
        ("anna@example.com", "Type only the part after"),
        ("https://example.com/", "looks like a web address"),
        ("a..example.com", "a dot too many"),
        (".example.com", "a dot too many"),
        ("-a.example.com", "begins or ends with a hyphen"),
        ("ex!ample.com", "holds the character !"),
        ("a" * 64 + ".example.com", "has 64 characters"),
        ("a." * 130 + "com", "at most 253"),
        ("\u0301a.example", "internationalised"),
    ],
)
def test_it_says_what_is_wrong_with_a_domain(typed: str, says: str) -> None:
    with pytest.raises(DomainError) as caught:
        parse_domain(typed)
    assert says in str(caught.value)
    assert str(caught.value).endswith(".")


def outcome(text: str) -> tuple[str, str]:
    """The domain and "", or "" and the sentence."""
    try:
        return parse_domain(text), ""
    except DomainError as error:
        return "", str(error)


@given(st.text(max_size=300))
def test_it_gives_a_safe_name_or_a_sentence_for_any_text(text: str) -> None:
    domain, sentence = outcome(text)
    assert not set(sentence) & set("\r\n\0\u202e")
    if domain:
        assert parse_domain(domain) == domain
        assert len(domain) <= MAX_NAME
        assert set(domain) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_it_knows_address_literals() -> None:
    assert is_address("192.0.2.1")
    assert is_address("[IPv6:2001:db8::1]")
    assert not is_address("mx.example.com")


def test_it_shows_control_and_bidi_characters_as_code_points() -> None:
    assert shown("a\x1b[31m\r\n\u202eb") == "a\\x1b[31m\\x0d\\x0a\\u202eb"
    assert shown(b"caf\xc3\xa9 \x00") == "caf\\xc3\\xa9 \\x00"
    assert shown("x" * 20, limit=10) == "x" * 10 + "..."
