"""What must hold for the rows that reasoning does not add up: blocklists, articles, example cases, findings."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from whybounce.problem import Problem, re2_error
from whybounce.snapshot import Article, Blocklist, ExampleCase, FindingNote, KnowledgeSnapshot
from whybounce.status import is_enhanced_code, is_reply_code

BLOCKLIST_KINDS = ("ip", "domain", "allow")
_ZONE = re.compile(r"([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)+[a-z]{2,}", re.ASCII)
_FINDING = re.compile(r"[a-z0-9]+\.[a-z0-9]+(_[a-z0-9]+)*", re.ASCII)
_FIGURE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_ANSWERS = ipaddress.IPv4Network("127.0.0.0/8")  # RFC 5782 section 2.1


def library_problems(snapshot: KnowledgeSnapshot) -> Iterator[Problem]:
    """All problems of these kinds of rows."""
    causes = {cause.slug for cause in snapshot.causes}
    for blocklist in snapshot.blocklists:
        yield from (Problem("blocklists", blocklist.slug, message) for message in _blocklist(blocklist, causes))
    for article in snapshot.articles:
        yield from (Problem("articles", article.slug, message) for message in _article(article, causes))
    given = {question.slug: {answer.slug for answer in question.answers} for question in snapshot.questions}
    for case in snapshot.cases:
        yield from (Problem("cases", case.slug, message) for message in _case(case, causes, given))
    for finding in snapshot.findings:
        yield from (Problem("findings", finding.slug, message) for message in _finding(finding))


def _blocklist(row: Blocklist, causes: set[str]) -> Iterator[str]:
    if row.kind not in BLOCKLIST_KINDS:
        yield f"its kind {row.kind!r} is none of {', '.join(BLOCKLIST_KINDS)}"
    if row.zone and not _ZONE.fullmatch(row.zone):
        yield f"{row.zone!r} is no DNS zone"
    for answer in (*row.codes, *row.errors):
        if not _is_answer(answer.answer):
            yield f"{answer.answer!r} is no answer of a DNS list: an address, or a network, inside 127.0.0.0/8"
    for listed in row.codes:
        if listed.answer in {error.answer for error in row.errors}:
            yield f"{listed.answer} stands among the listings and among the errors"
    for slug in {row.cause, *(answer.cause for answer in (*row.codes, *row.errors))} - {""} - causes:
        yield f"it names the cause {slug!r}, which does not exist"
    for mark in row.reply_marks:
        if error := re2_error(mark):
            yield f"reply mark {mark!r}: {error}"


def _is_answer(text: str) -> bool:
    try:
        return ipaddress.IPv4Network(text).subnet_of(_ANSWERS)
    except ValueError:
        return False


def _article(row: Article, causes: set[str]) -> Iterator[str]:
    if row.figure and not _FIGURE.fullmatch(row.figure):
        yield f"{row.figure!r} is no name of a figure: lower-case letters, digits and single hyphens"
    for slug in row.causes:
        if slug not in causes:
            yield f"it names the cause {slug!r}, which does not exist"
    for code in row.codes:
        if not (is_reply_code(code) or is_enhanced_code(code)):
            yield f"{code!r} is neither a reply code nor an enhanced status code"


def _case(row: ExampleCase, causes: set[str], given: dict[str, set[str]]) -> Iterator[str]:
    if row.cause not in causes:
        yield f"it expects the cause {row.cause!r}, which does not exist"
    if not row.text and not row.answers:
        yield "it has neither a text nor an answer"
    for answer in row.answers:
        if answer.question not in given:
            yield f"it answers the question {answer.question!r}, which does not exist"
        elif answer.answer not in given[answer.question]:
            yield f"the question {answer.question!r} has no answer {answer.answer!r}"


def _finding(row: FindingNote) -> Iterator[str]:
    if not is_finding(row.slug):
        yield f"{row.slug!r} is no finding: a check, a dot, a name in lower-case letters, digits and underscores (spf.too_many_lookups)"
    if not row.severities:
        yield "it does not say how grave it is"
    if row.who_acts and not row.mend:
        yield "it says who acts, but not what to do"


def is_finding(text: str) -> bool:
    """Whether the text has the form of a finding's id."""
    return bool(_FINDING.fullmatch(text))
