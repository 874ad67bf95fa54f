"""A reply as tokens, and the features by which the text model knows them.

A reply becomes tokens: lower case, codes kept ("550", "5.1.1"), and what differs from case to case masked (addresses, hosts,
IP addresses, URLs, long numbers). Units are the tokens and the pairs of those that stand next to each other or but one apart.
The features of a unit do not depend on its neighbours.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from whybounce.status import is_enhanced_code, is_reply_code

MAX_TOKENS = 160
_MAX_WORD = 24
_MAX_KEPT = 60  # a longer piece (base64, a URL) hardly comes twice: its tokens are not kept in memory
_LONGEST_DOMAIN = 8  # the last label of a host; a longer one is a name in a program ("RESOLVER.ADR.RecipNotFound")
_NGRAMS = (3, 4, 5)
_IDEOGRAPHS = "\u2e80"  # from here on Chinese, Japanese and Korean
_IDEOGRAPH_NGRAMS = (1, 2, 3)
# What counts how much was chosen by bench/accuracy.py, which leaves whole providers out.
_NGRAM_WEIGHT = 0.3  # n-grams help with unseen inflections and other languages; whole words should lead
_IDEOGRAPH_WEIGHT = 0.8
_PAIR_WEIGHT = 0.8
_SKIPPING_WEIGHT = 0.6
_NUMBER_WEIGHT = 1.3
_DOMAIN_WEIGHT = 1.0
_SUBJECT_WEIGHT = 0.4
_DETAIL_WEIGHT = 0.6
_RESERVED = ("example", "test", "invalid", "localhost", "local", "lan")
_EDGES = " \t\r\n\"'`´.,;:!?()[]{}<>«»“”„‘’*=|#~-_/\\"


def _words_of(piece: str) -> tuple[str, ...]:
    """The tokens of one piece of text without white space, lower case: `"<anna@example.net>:"` -> `("@addr",)`."""
    heads: list[str] = []
    core = piece.strip(_EDGES)
    while core[3:4] == "-" and is_reply_code(core[:3]):  # "550-5.1.1"
        heads.append(core[:3])
        core = core[4:].strip(_EDGES)
    return (*heads, *_unprefixed(core))


_common_words_of = lru_cache(maxsize=100_000)(_words_of)


def _unprefixed(core: str) -> tuple[str, ...]:
    if not core:
        return ()
    if is_reply_code(core) or is_enhanced_code(core):
        return (core,)
    if "://" in core or core.startswith("www."):
        return (_named("@url", core.partition("://")[2] or core),)
    if "@" in core:
        return ("@addr",)
    if _is_address(core):
        return ("@ip",)
    if core.isdigit():
        return ("@num",) if len(core) > 3 else (core,)
    if _is_host(core):
        return (_named("@host", core),)
    words: list[str] = []
    word = ""
    for letter in core:
        if letter.isalnum() or letter == "'":
            word += letter
        elif word:
            words.append(word)
            word = ""
    words.append(word)
    return tuple(_mask_number(chunk) for item in words if item for chunk in _chunks(item))


def _named(mask: str, host: str) -> str:
    """The mask of a host or URL with the domain it is in: `"@host:spamhaus.org"`. The domains of documents (RFC 2606) name nobody."""
    labels = host.partition("/")[0].partition("?")[0].partition(":")[0].strip(".").split(".")
    count = 3 if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) < 4 else 2  # example.co.uk
    if len(labels) < count or labels[-count] == "example" or labels[-1] in _RESERVED:
        return mask
    return f"{mask}:{'.'.join(labels[-count:])}"


def _chunks(word: str) -> Iterable[str]:
    """A word in pieces of bounded length: text without spaces (Japanese, Chinese, base64) must not make one endless token."""
    return (word[i : i + _MAX_WORD] for i in range(0, min(len(word), 4 * _MAX_WORD), _MAX_WORD))


def _mask_number(word: str) -> str:
    digits = sum(letter.isdigit() for letter in word)
    return "@num" if digits > 3 and digits * 2 > len(word) else word


def _is_address(text: str) -> bool:
    if not (text[0].isdigit() or ":" in text):
        return False
    try:
        ipaddress.ip_address(text.removeprefix("ipv6:").split("%")[0])
    except ValueError:
        return False
    return True


def _is_host(text: str) -> bool:
    labels = text.split(".")
    return (
        len(labels) > 1
        and labels[-1].isalpha()
        and 1 < len(labels[-1]) <= _LONGEST_DOMAIN
        and all(label.replace("-", "").replace("_", "").isalnum() for label in labels)
    )


def tokens_of(text: str) -> list[str]:
    """The tokens of a reply in order, at most MAX_TOKENS."""
    out: list[str] = []
    for piece in text[: 40 * MAX_TOKENS].lower().replace("(", " ").replace("[", " ").replace("/", " / ").replace(": /  / ", "://").split():
        out += _common_words_of(piece) if len(piece) <= _MAX_KEPT else _words_of(piece)
        if len(out) >= MAX_TOKENS:
            break
    return out[:MAX_TOKENS]


def units_of(tokens: Sequence[str]) -> list[str]:
    """The distinct tokens, pairs of neighbours ("mailbox full") and pairs with one token between ("mailbox _ full"). In a pair a host
    is any host."""
    plain = [token.partition(":")[0] if token[0] == "@" else token for token in tokens]
    pairs = [f"{a} {b}" for a, b in pairwise(plain)]
    skipping = [f"{a} _ {b}" for a, b in zip(plain, plain[2:], strict=False)]
    return list(dict.fromkeys([*tokens, *pairs, *skipping]))


def features_of(unit: str) -> list[tuple[str, float]]:
    """A unit's features with their weights: the unit itself; of a single word the n-grams inside it; of an enhanced code what it
    says whatever its class ("x.1.1", "x.1")."""
    if " " in unit:
        return [(unit, _SKIPPING_WEIGHT if " _ " in unit else _PAIR_WEIGHT)]
    if unit[0] == "@":
        mask, named, _domain = unit.partition(":")
        return [(mask, 1.0), (unit, _DOMAIN_WEIGHT)] if named else [(unit, 1.0)]
    if unit[0].isdigit():
        of_code = [(f"x{unit[1:]}", _DETAIL_WEIGHT), (f"x.{unit.split('.')[1]}", _SUBJECT_WEIGHT)] if is_enhanced_code(unit) else []
        return [(unit, _NUMBER_WEIGHT), *of_code]
    edged = f"^{unit}$"
    # Chinese and Japanese are written without spaces: such a unit is a sentence, and its n-grams are the words.
    lengths, weight = (_IDEOGRAPH_NGRAMS, _IDEOGRAPH_WEIGHT) if max(unit) >= _IDEOGRAPHS else (_NGRAMS, _NGRAM_WEIGHT)
    grams = {edged[i : i + n] for n in lengths for i in range(len(edged) - n + 1)}
    return [(unit, 1.0), *((f"~{gram}", weight) for gram in sorted(grams))]


def is_whole(feature: str) -> bool:
    """True for a word, number, code or mask; False for a pair, an n-gram or a host's domain."""
    return not (feature[0] == "~" or " " in feature or (feature[0] == "@" and ":" in feature))
