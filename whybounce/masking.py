"""Masks what is personal in a reply: addresses, hosts, IP addresses, links, numbers, identifiers, dates, names.

What is left is the server's own wording. Too much masked is a word less in a pattern; too little is somebody's data kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from whybounce.failure import DeliveryFailure, domain_of

MASKS = ("address", "url", "ip", "host", "date", "id", "number", "name")
MASK = re.compile(r"\{(" + "|".join(MASKS) + r")\}")
_MOST_READ = 1500

Known = Callable[[str], bool]
"""Whether a word is one that servers use: such a word is nobody's name."""

_DAY = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_TIME = r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:\s?[ap]m\b)?(?:\s?(?:[+-]\d{4}|z\b|utc|gmt|[+-]\d\d:\d\d))?(?:\s\([a-z]{2,5}\))?"
_DATE = (
    rf"(?:{_DAY},?\s+)?(?:\d{{1,2}}\s+{_MONTH}\s+\d{{4}}|{_MONTH}\s+\d{{1,2}}(?:,?\s+\d{{4}})?|\d{{4}}[-/]\d\d[-/]\d\d|\d{{1,2}}[./]\d{{1,2}}[./]\d{{4}})"
    rf"(?:,?[t\s]\s?{_TIME})?(?:\s+\d{{4}})?|{_TIME}"
)
# In this order: at one place the first that fits counts.
_FOUND = re.compile(
    r"(?P<masked>\{(?:" + "|".join(MASKS) + r")\})"
    r"|(?P<code>(?<![\w.])[245]\d\d(?=[- ][245]\.\d{1,3}\.\d|-[^\W\d_])|(?<=: )[245]\d\d(?=[- ]))"
    r"|(?P<url>\b(?:https?|ftp)://[^\s<>\"']+|\bmailto:[^\s<>\"']+|\bwww\.[^\s<>\"']+)"
    r"|(?P<address>[^\s<>()\[\]\"',;:={}]+@[^\s<>()\"',;={}]+)"
    rf"|(?P<date>(?<![\w.])(?:{_DATE})(?![\w]))"
    r"|(?P<ip>(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?(?![\w])|(?<![\w:])(?=[0-9a-f:.]*:[0-9a-f]*:)[0-9a-f:]{3,39}(?:\.\d{1,3}){0,4}(?:/\d{1,3})?(?![\w:]))"
    r"|(?P<enhanced>(?<![\w.])[245]\.\d{1,3}\.\d{1,3}(?![\w]|\.\w))"
    r"|(?P<rfc>\brfc[ -]?\d{3,4}\b)"
    r"|(?P<path>/(?:home|users?|var/mail|var/spool/mail|export/home|mnt|data|vmail|nfs)/[^\s:;,]+)"
    r"|(?P<host>(?<![\w.])(?:[^\W_](?:[\w-]{0,61}\w)?\.){1,10}[^\W\d_][\w-]{1,24}(?![\w]))"
    r"|(?P<quoted>(?<!\w)[\"'`«“‘][^\s\"'`«»“”‘’<>]{1,80}[\"'`»”’](?!\w))"
    r"|(?P<bracketed><[^<>]{0,200}>)"
    r"|(?P<dotted>[^\s<>()\[\]{},;:\"']{1,80}(?=\.\.\.\s))"
    r"|(?P<token>[^\W_][\w+/=%*#~-]*(?:[.:_-]\w+)*|_+\w*)",
    re.IGNORECASE,
)
_OWN_CODE = re.compile(r"[A-Z]{1,6}[-:_#]?\d{1,4}|[A-Z]{2,12}(?:[-:_#][A-Z]{1,12}){0,3}(?:[-:_#]?\d{1,3})?|\d{1,2}[A-Z]{1,3}|IPv[46]")
_VERBS = {"HELO", "EHLO", "MAIL", "RCPT", "DATA", "AUTH", "STARTTLS", "FROM", "TO", "RSET", "BDAT", "QUIT", "NOOP", "VRFY", "EXPN", "LHLO"}
_WHOSE = {
    "user", "username", "userid", "mailbox", "account", "login", "recipient", "sender", "for", "alias", "inbox", "uid",
    "benutzer", "postfach", "empfänger", "absender", "konto", "utilisateur", "usuario", "utente", "destinatario", "destinataire", "gebruiker",
}  # fmt: skip
_BETWEEN = {"of", "the", "for", "named", "name", "id", "address", "von", "für", "de", "del", "di", "du", "van"}
_SENTENCE_END = ".!?:;(["
_SURNAME = re.compile(r"\b([^\W\d_]\w{1,30}) ([^\W\d_]\w{1,30})\b")
_FORENAME = re.compile(r"(?<=[^\W\d_] )[^\W\d_]\w{1,30} \{name\}")
_SPACE = re.compile(r"\s+")


def mask(failure: DeliveryFailure, known: Known, most: int) -> str:
    """The failure's text with `{address}` and the like in the place of what differs from case to case; at most `most` characters."""
    text = _SPACE.sub(" ", MASK.sub(r"(\1)", failure.text[:_MOST_READ])).strip()
    text = _without_facts(text, failure)
    text = _Masker(known).mask(text)
    text = _SURNAME.sub(lambda pair: _full_name(pair, known), text)
    text = _FORENAME.sub(_without_forename, text)
    return _shortened(text, most)


def shape_of(masked: str) -> str:
    """What replies that differ only in what is masked, in case and in white space have in common."""
    return _SPACE.sub(" ", re.sub(r"\{(\w+)\}(?:[\s,;:]*\{\1\})+", r"{\1}", masked)).strip().lower()


def _without_facts(text: str, failure: DeliveryFailure) -> str:
    """`text` without the names that the paste itself gives away: they stand in replies in any form, also without their domain."""
    addresses = (failure.recipient, failure.original_recipient, failure.envelope_sender, failure.header_from)
    names: list[tuple[str, str]] = [(address, "address") for address in addresses]
    names += [(address.rpartition("@")[0].strip("<>\" '"), "name") for address in addresses if "@" in address]
    hosts = [domain_of(address) for address in addresses] + [failure.remote_mta, failure.reporting_mta, failure.helo]
    names += [(host.strip("[]."), "host") for host in hosts]
    names += [(failure.queue_id, "id"), (failure.message_id.strip("<>"), "id"), (failure.sending_ip, "ip"), (failure.subject, "name")]
    for name, kind in sorted(set(names), key=lambda item: -len(item[0])):
        if len(name) >= 3 and not MASK.search(name):
            text = re.sub(rf"(?<![\w.+-]){re.escape(name)}(?![\w-])", f"{{{kind}}}", text, flags=re.IGNORECASE)
    return text


class _Masker:
    """Goes through a text once; what is a name depends on the word before it."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._before = ""
        self._at_start = True
        self._end = 0

    def mask(self, text: str) -> str:
        return _FOUND.sub(self._replace, text)

    def _replace(self, found: re.Match[str]) -> str:
        kind, word = found.lastgroup or "", found.group()
        start, self._at_start = self._at_start, False
        before = "" if any(mark in ",.;()" for mark in found.string[self._end : found.start()]) else self._before
        self._end = found.end()
        if not (before in _WHOSE and word.lower() in _BETWEEN):
            self._before = word.strip("\"'`<>:=").lower()
        if kind in ("masked", "code", "enhanced", "rfc"):
            self._at_start = start
            return word
        if kind in ("url", "address", "date", "ip"):
            tail = word[len(word.rstrip(".,;:!?)")) :] if kind != "date" else ""
            return f"{{{kind}}}{tail}"
        if kind == "host":
            return self._host(word)
        if kind == "bracketed":
            return word if word == "<>" else "<{address}>" if "@" in word else "<{name}>"
        if kind == "quoted":
            return word if word[1:-1] in _VERBS else f"{word[0]}{{name}}{word[-1]}"
        if kind == "path":
            return f"{word[: word.index('/', 1)]}/{{name}}"
        if kind == "dotted":
            return "{name}"
        return self._token(found, before, at_start=start)

    def _host(self, word: str) -> str:
        """A host's name, or words that nobody put a space between, or a program's own name of an error."""
        labels = word.split(".")
        if all(label.isalpha() and self._known(label) for label in labels) and (labels[-1][0].isupper() or len(labels[-1]) > 6):
            return word
        return "{host}"

    def _token(self, found: re.Match[str], before: str, *, at_start: bool) -> str:
        word = found.group()
        key, _equals, value = word.partition("=")
        if value and key.lower() in _WHOSE:
            return f"{key}={{name}}"
        if word.isdigit():
            return word if at_start and len(word) == 3 and word[0] in "245" else "{number}"
        digits = sum(letter.isdigit() for letter in word)
        if digits and at_start and re.fullmatch(r"[245]\d\d-?", word):
            return word
        if _OWN_CODE.fullmatch(word) and before not in _WHOSE and (digits or len(word) < 20):
            return word
        if digits:
            if not word.isascii() and sum(letter.isascii() for letter in word) * 2 < len(word):  # a sentence of a script without spaces
                return re.sub(r"\d{3,}", "{number}", word)
            if digits / len(word) < 0.25 and all(self._known(part) for part in re.findall(r"[^\W\d_]{3,}", word)):
                return re.sub(r"\d+", "{number}", word)
            return "{id}"
        if len(word) > 30 and word.isascii():
            return "{id}"
        inside = found.string[: found.start()].rstrip()[-1:] not in _SENTENCE_END
        name = before in _WHOSE or (inside and word[0].isupper() and word[1:].islower())
        return "{name}" if name and not self._known(word) else word


def _full_name(pair: re.Match[str], known: Known) -> str:
    """ "Anna Smith": two words with capitals in the middle of nowhere, neither of which servers use."""
    words = pair.groups()
    capitals = all(word[0].isupper() and word[1:].islower() for word in words)
    return "{name}" if capitals and not any(known(word) for word in words) else pair.group()


def _without_forename(pair: re.Match[str]) -> str:
    """A forename that servers' texts know from examples, before a surname that they do not."""
    word = pair.group().partition(" ")[0]
    return "{name}" if word[0].isupper() and word[1:].islower() and word.lower() not in _WHOSE else pair.group()


def _shortened(text: str, most: int) -> str:
    """The beginning of `text`, cut between two words."""
    if len(text) <= most:
        return text
    return text[:most].rpartition(" ")[0] or text[:most].partition("{")[0]


def words_of(masked: str) -> Iterable[str]:
    """The words of a masked text that are the server's own."""
    return re.findall(r"[^\W\d_]{3,}|[^\W\d_a-zA-Z]{2,}", MASK.sub(" ", masked))


_LOCAL_PART = re.compile(r"[^\s<>\"'(){}\[\],;:=@]+(?=@)")
_LETTERS = re.compile(r"[^\W\d_]{2,}")


def names_in(texts: Sequence[str]) -> frozenset[str]:
    """Words of example texts, lower case, that stand mostly in the local parts of addresses ("anna", "miller"): no servers' words, but names."""
    lowered = [text.lower() for text in texts]
    all_words = Counter(word for text in lowered for word in _LETTERS.findall(text))
    local = Counter(word for text in lowered if "@" in text for part in _LOCAL_PART.findall(text) for word in _LETTERS.findall(part))
    return frozenset(word for word, count in local.items() if count * 3 >= all_words[word])
