"""The parts of a conversation with a mail server: replies, commands, paths, certificates."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.bad_smtp import BadSmtp
from whybounce.checks.certificates import authorities, name_matches, verify_chain
from whybounce.checks.conversation_path import PathError, envelope_for, mailbox
from whybounce.checks.conversation_reply import MAX_REPLY_LINES, ReplyError, parse_extensions, take_reply
from whybounce.checks.conversation_wire import CommandError, Wire

# --- replies


def test_a_reply_is_taken_whole_and_the_rest_stays() -> None:
    buffer = bytearray(b"250-mx\r\n250-SIZE 10\r\n250 \r\n354 Go")
    reply = take_reply(buffer)
    assert reply is not None
    assert (reply.code, reply.kind, reply.lines) == (250, 2, (b"mx", b"SIZE 10", b""))
    assert bytes(buffer) == b"354 Go"
    assert take_reply(buffer) is None


@pytest.mark.parametrize("data", [b"250\r\n", b"250 \r\n", b"250-\r\n250\r\n", b"571 x\r\n", b"220 caf\xc3\xa9 \x00\x1b\n\r\n"])
def test_odd_but_whole_replies_are_read(data: bytes) -> None:
    assert take_reply(bytearray(data)) is not None


@pytest.mark.parametrize(
    "data", [b"\r\n", b"25 x\r\n", b"2500\r\n", b"150 x\r\n", b"650 x\r\n", b" 250 x\r\n", b"250-a\r\n251 b\r\n", b"250_a\r\n", b"250-a\r\nb\r\n"]
)
def test_what_is_no_reply_is_refused(data: bytes) -> None:
    with pytest.raises(ReplyError):
        take_reply(bytearray(data))


def test_lines_and_octets_of_a_reply_are_bounded() -> None:
    with pytest.raises(ReplyError, match="lines"):
        take_reply(bytearray(b"250-x\r\n" * (MAX_REPLY_LINES + 1)))
    with pytest.raises(ReplyError, match="32 kB"):
        take_reply(bytearray(b"2" * 40_000))


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_reply_a_refusal_or_not_yet_whole(data: bytes) -> None:
    buffer = bytearray(data)
    try:
        reply = take_reply(buffer)
    except ReplyError:
        return
    if reply is not None:
        assert reply.text.isprintable()
        assert len(buffer) + reply.octets == len(data)
        parse_extensions(reply)


def test_the_enhanced_code_is_of_the_class_of_the_code() -> None:
    for data, enhanced in [
        (b"550 5.1.1 No\r\n", "5.1.1"),
        (b"550 4.1.1 No\r\n", None),
        (b"550 No 5.1.1\r\n", None),
        (b"550-5.7.1 a\r\n550 5.7.1 b\r\n", "5.7.1"),
    ]:
        reply = take_reply(bytearray(data))
        assert reply is not None
        assert (str(reply.enhanced) if reply.enhanced else None) == enhanced


def test_extensions_are_read_by_their_keywords() -> None:
    reply = take_reply(bytearray(b"250-mx SIZE\r\n250-size 100\r\n250-AUTH=LOGIN\r\n250-\x1b[0m\r\n250 8BITMIME\r\n"))
    assert reply is not None
    assert parse_extensions(reply) == {"SIZE": "100", "AUTH": "LOGIN", "8BITMIME": ""}


# --- commands and paths


@pytest.mark.parametrize("command", ["RCPT TO:<a@b>\r\nDATA", "MAIL FROM:<a\n>", "EHLO a\0b", "EHLO " + "x" * 2000])
def test_a_command_with_a_line_break_or_too_long_is_never_sent(command: str) -> None:
    async def scenario(port: int) -> None:
        wire = await Wire.open("127.0.0.1", port, 1, asyncio.get_running_loop().time() + 2)
        await wire.reply()
        with pytest.raises(CommandError):
            wire.send("NOOP", command)
        wire.send("QUIT")
        await wire.reply()
        wire.close()

    with BadSmtp() as server:
        asyncio.run(scenario(server.port))
    assert server.lines == ["QUIT"]


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("Anna.B+x@Example.TEST", ("Anna.B+x", "example.test")),
        ("<anna@example.test>", ("anna", "example.test")),
        ('"anna b"@example.test', ('"anna b"', "example.test")),
        ("jürgen@bücher.example", ("jürgen", "xn--bcher-kva.example")),
    ],
)
def test_a_mailbox_is_written_as_smtp_wants_it(address: str, path: tuple[str, str]) -> None:
    assert mailbox(address) == path


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "@example.test",
        "a b@example.test",
        'a"b@example.test',
        "a@b@example.test",
        "a\x7f@example.test",
        "a@[192.0.2.1]",
        "a@exa mple.test",
    ],
)
def test_what_is_no_mailbox_is_refused(address: str) -> None:
    with pytest.raises(PathError):
        mailbox(address)


@given(st.text(max_size=80))
def test_no_text_breaks_out_of_a_path(text: str) -> None:
    try:
        envelope = envelope_for(text, "example.test", text)
    except PathError:
        return
    for path in (envelope.sender, envelope.recipient, envelope.stranger):
        assert not set(path) & set("\r\n\0<>")


# --- certificates


@pytest.mark.parametrize(
    ("pattern", "host", "matches"),
    [
        ("mx.example.test", "MX.example.test.", True),
        ("*.example.test", "mx.example.test", True),
        ("*.example.test", "a.mx.example.test", False),
        ("*.example.test", "example.test", False),
        ("m*.example.test", "mx.example.test", False),
        ("*.test", "example.test", False),
        ("mx.*.test", "mx.example.test", False),
        ("*", "test", False),
        ("", "", False),
    ],
)
def test_names_match_label_by_label(pattern: str, host: str, matches: bool) -> None:
    assert name_matches(pattern, host) is matches


Signed = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certificate(name: str, issuer: Signed | None = None, is_authority: bool | None = None, may_sign: bool | None = None) -> Signed:
    """A certificate with no more in it than is asked for, as small tools make them."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        issuer[0].subject if issuer else subject,
        subject,
        key.public_key(),
        x509.random_serial_number(),
        now - timedelta(days=1),
        now + timedelta(days=1),
    )
    if is_authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(is_authority, None), critical=True)
    if may_sign is not None:
        use = x509.KeyUsage(True, False, False, False, False, may_sign, False, False, False)
        builder = builder.add_extension(use, critical=True)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def test_only_an_authority_vouches_for_others() -> None:
    root = certificate("root", is_authority=True)
    between = certificate("between", root, is_authority=True)
    may = certificate("may", root, is_authority=True, may_sign=True)
    may_not = certificate("may not", root, is_authority=True, may_sign=False)
    plain, no_authority = certificate("plain", root), certificate("no authority", root, is_authority=False)
    now = datetime.now(UTC)
    assert verify_chain([certificate("mx", root)[0]], [root[0]], now) == ""
    assert verify_chain([certificate("mx", between)[0], between[0]], [root[0]], now) == ""
    assert verify_chain([certificate("mx", between)[0]], [root[0]], now) != ""
    assert verify_chain([certificate("mx", may)[0], may[0]], [root[0]], now) == ""
    for impostor in (plain, no_authority, may_not):
        assert verify_chain([certificate("mx", impostor)[0], impostor[0]], [root[0]], now) != ""
    assert verify_chain([certificate("mx")[0]], [root[0]], now) == "it is signed by itself"
    assert verify_chain([certificate("mx", root)[0]], [root[0]], now + timedelta(days=9)) != ""
    assert verify_chain([certificate("mx", root)[0]], [], now) != ""


def test_authorities_come_from_a_file_or_the_system(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    assert authorities(str(path)) == ()
    path.write_text("-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n")
    assert authorities(str(path)) == ()
    trustme.CA().cert_pem.write_to_path(str(path), append=True)
    assert len(authorities(str(path))) == 1
