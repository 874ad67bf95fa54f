"""KnowledgeSnapshot: all that is known, frozen, as plain values. Built from YAML or from published rows; see compile.py
for what is precomputed from it. Nothing here computes.

A row names other rows by slug. `check()` in validate.py finds the slugs that name nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from whybounce.checks.result import Severity


class Strength(StrEnum):
    """How an answer, pattern or code speaks for or against a cause. The numbers are in compile.py."""

    PROVES = "proves"
    STRONGLY_FOR = "strongly for"
    FOR = "for"
    SLIGHTLY_FOR = "slightly for"
    SLIGHTLY_AGAINST = "slightly against"
    AGAINST = "against"
    STRONGLY_AGAINST = "strongly against"
    RULES_OUT = "rules out"


class Frequency(StrEnum):
    """How common an answer is among failures of other causes, or a cause among all failures."""

    USUAL = "usual"
    COMMON = "common"
    OCCASIONAL = "occasional"
    RARE = "rare"
    VERY_RARE = "very rare"


class Actor(StrEnum):
    """Who must act. NOBODY: wait."""

    SENDER = "sender"
    SENDER_ADMIN = "sender-admin"
    RECIPIENT = "recipient"
    RECIPIENT_ADMIN = "recipient-admin"
    NOBODY = "nobody"


class Weight(StrEnum):
    """How much the receivers that use a blocklist give a listing: refuse at once, score high, score a little, hardly notice."""

    HEAVY = "heavy"
    MEDIUM = "medium"
    LIGHT = "light"
    NONE = "none"


class AskedOf(StrEnum):
    """Who answers a question: a person, a check of whybounce.checks, or the reply itself (the stage)."""

    PERSON = "person"
    CHECK = "check"
    REPLY = "reply"


class Effort(StrEnum):
    """What it takes a person to answer: they know it, look it up, try something, or must ask somebody else."""

    KNOW = "know"
    LOOK = "look"
    TRY = "try"
    ASK = "ask"


class Addressee(StrEnum):
    """To whom a letter goes: whoever asked for help, the other side's postmaster, the own mail administrator, a blocklist's operator."""

    CUSTOMER = "customer"
    POSTMASTER = "postmaster"
    MAIL_ADMIN = "mail-admin"
    BLOCKLIST = "blocklist"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a row's facts come from: "RFC 5321 section 4.2.2" or a page title, its address, the day it was checked."""

    title: str
    url: str = ""
    checked: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class RemedyStep:
    """One thing to do. `text` and `wording` may hold {placeholders} of remedies.PLACEHOLDERS.

    wording     what to tell the person who must act, ready to copy; "" where none is needed
    check       name of the check that proves it done, "" where none can
    """

    slug: str
    who: Actor
    text: str
    wording: str = ""
    check: str = ""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    cause: str
    strength: Strength


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a delivery failed.

    category    slug of the contract's cause categories
    summary     two or three sentences for the customer; explanation: for the engineer (Markdown)
    permanent   True: repeating the message unchanged cannot help; False: it can; None: depends on the case
    """

    slug: str
    title: str
    category: str
    who_acts: tuple[Actor, ...]
    frequency: Frequency
    summary: str
    explanation: str = ""
    permanent: bool | None = None
    steps: tuple[RemedyStep, ...] = ()
    see_also: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One of a question's fixed answers. `informative` is False for "could not look": it is then no evidence at all.
    `others`: what it says of every cause that its evidence does not name; None: nothing.
    """

    slug: str
    text: str
    base_rate: Frequency = Frequency.COMMON
    informative: bool = True
    evidence: tuple[Evidence, ...] = ()
    others: Strength | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Asked of a person, or answered by the check or the part of the reply that `check` names.

    symptom         may be asked first, where there is no error text
    without_text    asked only where there is no error text: with one, the text says it
    """

    slug: str
    text: str
    why: str
    asked_of: AskedOf
    answers: tuple[Answer, ...]
    check: str = ""
    symptom: bool = False
    help: str = ""
    without_text: bool = False
    effort: Effort = Effort.KNOW


@dataclass(frozen=True, slots=True)
class ReplyPattern:
    """An RE2 expression, searched without regard to case in the reply's text (one line, codes kept).

    provider    slug of the provider or mail server whose wording this is; "" for a general one
    decisive    a curator vouches that these words mean this cause and no other
    """

    slug: str
    pattern: str
    provider: str = ""
    meaning: str = ""
    decisive: bool = False
    evidence: tuple[Evidence, ...] = ()
    examples: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled reply: what a server said, and the cause it meant. The text model is fitted on these."""

    text: str
    cause: str
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """Who receives or filters mail.

    kind            "mailbox", "gateway", "mta" (a mail server program), "esp", "forwarder"
    mx_suffixes     host names of its MX end so (".google.com"), matched on label boundaries
    reply_marks     RE2: its own marks in a reply's text ("gsmtp")
    """

    slug: str
    name: str
    kind: str
    mx_suffixes: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    reply_marks: tuple[str, ...] = ()
    postmaster_page: str = ""
    note: str = ""
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Myth:
    """Popular advice about a code that is wrong, and what is so."""

    claim: str
    truth: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class StatusCode:
    """A basic ("550") or enhanced ("5.1.1", or "X.1.1" for any class) code.

    provider    "" for the standard's meaning; a provider's slug where it uses the code for something of its own
    standard    defined by an RFC or registered with IANA (False: folk usage)
    others      what the code says of every cause that its evidence does not name; None: nothing
    text fields Markdown
    """

    code: str
    title: str
    meaning: str
    provider: str = ""
    standard: bool = True
    commands: tuple[str, ...] = ()
    retry: str = ""
    usual_causes: str = ""
    find_out: str = ""
    what_to_do: str = ""
    myths: tuple[Myth, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    others: Strength | None = None
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """What a blocklist answers (an address in 127/8) and what it says by that; `cause` where a listing so answered speaks for one."""

    answer: str
    meaning: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Blocklist:
    """A DNS list of addresses or domains (RFC 5782).

    zone            asked as <reversed address>.<zone>; "" for a list that is not asked by DNS
    kind            "ip", "domain", or "allow" (an allow list: a listing is good)
    closed          closed for good: named as such, never asked
    public          anybody may ask it; False: it needs a key or is one receiver's own
    codes           answers that are listings; errors: answers that are none (a refused resolver, a rate limit)
    test_listed     the test points of RFC 5782 section 5
    reply_marks     RE2: how a reply names this list
    cause           the cause that a listing speaks for, where its code does not name another
    """

    slug: str
    name: str
    kind: str
    meaning: str
    zone: str = ""
    operator: str = ""
    ipv6: bool = False
    closed: bool = False
    public: bool = True
    weight: Weight = Weight.MEDIUM
    codes: tuple[ListAnswer, ...] = ()
    errors: tuple[ListAnswer, ...] = ()
    test_listed: str = ""
    test_unlisted: str = ""
    removal: str = ""
    removal_page: str = ""
    reply_marks: tuple[str, ...] = ()
    cause: str = ""
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Article:
    """A text of the reference. `body` is Markdown; `figure` names a drawing of templates/knowledge/figures/; `causes` and `codes`
    are what it helps to understand."""

    slug: str
    title: str
    summary: str
    body: str
    figure: str = ""
    causes: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class FindingNote:
    """What is said of a thing that a check can find.

    slug            the finding's id: "spf.too_many_lookups"
    title           short, for a page; meaning: what it means for mail; mend: what to do about it (Markdown)
    severities      as which it is reported; two where it depends on whether mail still gets through
    who_acts        who mends it; empty where there is nothing to mend
    check           the check that reports it, where the id does not begin with its name ("ns.lame" is the check dns's)
    """

    slug: str
    title: str
    meaning: str
    severities: tuple[Severity, ...]
    mend: str = ""
    who_acts: tuple[Actor, ...] = ()
    check: str = ""
    sources: tuple[Source, ...] = ()

    @property
    def reported_by(self) -> str:
        """The name of the check that reports it."""
        return self.check or self.slug.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Letter:
    """What to write to somebody about a case. `subject` and `body` are plain text that may hold {placeholders} of
    letters.LETTER_PLACEHOLDERS.

    categories, causes      where it is offered: for these categories of causes, for these causes; for all where both are empty
    """

    slug: str
    title: str
    to: Addressee
    subject: str
    body: str
    categories: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class ExampleCase:
    """A case whose cause is known: what was pasted ("" for nothing), what was answered, and the cause that must come out first.
    Publishing works all of them through."""

    slug: str
    cause: str
    text: str = ""
    answers: tuple[GivenAnswer, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class KnowledgeSnapshot:
    """Everything published, in the order in which a curator arranged it. `revision` is 0 for a snapshot made from files.

    Compared and hashed by identity: what is worked out from a snapshot is kept under it.
    """

    causes: tuple[Cause, ...] = ()
    questions: tuple[Question, ...] = ()
    patterns: tuple[ReplyPattern, ...] = ()
    providers: tuple[Provider, ...] = ()
    codes: tuple[StatusCode, ...] = ()
    examples: tuple[Example, ...] = ()
    blocklists: tuple[Blocklist, ...] = ()
    articles: tuple[Article, ...] = ()
    cases: tuple[ExampleCase, ...] = ()
    findings: tuple[FindingNote, ...] = ()
    letters: tuple[Letter, ...] = ()
    revision: int = 0
