"""What must hold between the rows of a snapshot before it may be published."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import re2

from whybounce.checks.registry import CHECKS
from whybounce.failure import Stage
from whybounce.letters import LETTER_PLACEHOLDERS
from whybounce.problem import Problem, re2_error
from whybounce.remedies import PLACEHOLDERS, placeholders_of
from whybounce.snapshot import (
    Answer,
    Article,
    AskedOf,
    Blocklist,
    Cause,
    Evidence,
    ExampleCase,
    FindingNote,
    KnowledgeSnapshot,
    Letter,
    Myth,
    Provider,
    Question,
    RemedyStep,
    ReplyPattern,
    StatusCode,
    Strength,
)
from whybounce.status import is_enhanced_code, is_reply_code
from whybounce.validate_library import library_problems

CATEGORIES = (
    "unknown_recipient",
    "mailbox_full",
    "mailbox_disabled",
    "domain_dns",
    "connection",
    "routing_loop",
    "relay_auth",
    "sender_auth",
    "reputation",
    "ptr_helo",
    "sender_rejected",
    "content_spam",
    "virus_attachment",
    "message_format",
    "too_large",
    "rate_limit",
    "policy",
    "tls",
    "protocol",
    "remote_system",
    "not_a_bounce",
    "undetermined",
)
PROVIDER_KINDS = ("mailbox", "gateway", "mta", "esp", "forwarder")
# The most characters of the texts that a database keeps in columns of fixed length.
LONGEST: Mapping[type[Any], Mapping[str, int]] = {
    Provider: {"slug": 80, "name": 120, "postmaster_page": 200},
    Cause: {"slug": 80, "title": 160},
    RemedyStep: {"slug": 80},
    Question: {"slug": 80, "text": 240},
    Answer: {"slug": 80, "text": 240},
    StatusCode: {"title": 160},
    Myth: {"source": 240},
    ReplyPattern: {"slug": 100},
    Blocklist: {"slug": 80, "name": 120, "zone": 120, "operator": 120, "removal_page": 200, "test_listed": 40, "test_unlisted": 40},
    Article: {"slug": 80, "title": 160, "figure": 40},
    ExampleCase: {"slug": 100},
    FindingNote: {"slug": 80, "title": 160, "check": 40},
    Letter: {"slug": 80, "title": 160, "subject": 200},
}

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_FOLK = re.compile(r"[2-5]\d\d", re.ASCII)  # seen in practice, outside the grammar of RFC 5321 section 4.2
_REGISTERED = re.compile(r"X\.\d{1,3}\.\d{1,3}", re.ASCII)


def validate(snapshot: KnowledgeSnapshot) -> list[Problem]:
    """All problems of a snapshot; an empty list where it may be published."""
    return [
        *_duplicates(snapshot),
        *_references(snapshot),
        *(problem for cause in snapshot.causes for problem in _cause(cause)),
        *(problem for question in snapshot.questions for problem in _question(question, snapshot)),
        *(problem for pattern in snapshot.patterns for problem in _pattern(pattern)),
        *_codes(snapshot),
        *_one_question_a_check(snapshot),
        *library_problems(snapshot),
        *(problem for letter in snapshot.letters for problem in _letter(letter, snapshot)),
        *_texts(snapshot),
    ]


def _duplicates(snapshot: KnowledgeSnapshot) -> Iterator[Problem]:
    named: dict[str, Iterable[Any]] = {
        "causes": snapshot.causes,
        "questions": snapshot.questions,
        "patterns": snapshot.patterns,
        "providers": snapshot.providers,
        "blocklists": snapshot.blocklists,
        "articles": snapshot.articles,
        "cases": snapshot.cases,
        "findings": snapshot.findings,
        "letters": snapshot.letters,
    }
    for kind, rows in named.items():
        for slug, count in Counter(row.slug for row in rows).items():
            if count > 1:
                yield Problem(kind, slug, f"the slug {slug!r} is used {count} times")
            if kind != "findings" and not _SLUG.fullmatch(slug):
                yield Problem(kind, slug, f"{slug!r} is no slug: lower-case letters, digits and single hyphens")
    for (code, provider), count in Counter((row.code, row.provider) for row in snapshot.codes).items():
        if count > 1:
            yield Problem("codes", f"{code} {provider}".strip(), f"the code is described {count} times")
    labels: dict[str, list[str]] = {}
    for example in snapshot.examples:
        labels.setdefault(example.text, []).append(example.cause)
    for text, causes in labels.items():
        if len(set(causes)) > 1:
            yield Problem("examples", text, f"the same text is labelled with {len(set(causes))} causes: {', '.join(sorted(set(causes)))}")
        elif len(causes) > 1:
            yield Problem("examples", text, f"the same text stands {len(causes)} times")


def _references(snapshot: KnowledgeSnapshot) -> Iterator[Problem]:
    causes = {cause.slug for cause in snapshot.causes}
    providers = {provider.slug for provider in snapshot.providers} | {""}

    def unknown(kind: str, row: str, evidence: Iterable[Evidence]) -> Iterator[Problem]:
        for item in evidence:
            if item.cause not in causes:
                yield Problem(kind, row, f"its evidence names the cause {item.cause!r}, which does not exist")

    def rules_out_all(evidence: Iterable[Evidence], others: Strength | None = None) -> bool:
        said = {item.cause: item.strength for item in evidence}
        return bool(causes) and all(said.get(cause, others) is Strength.RULES_OUT for cause in causes)

    for cause in snapshot.causes:
        for slug in cause.see_also:
            if slug not in causes:
                yield Problem("causes", cause.slug, f"see_also names the cause {slug!r}, which does not exist")
    for question in snapshot.questions:
        for answer in question.answers:
            yield from unknown("questions", question.slug, answer.evidence)
            if rules_out_all(answer.evidence, answer.others):
                yield Problem("questions", question.slug, f"the answer {answer.slug!r} rules out every cause")
    for pattern in snapshot.patterns:
        yield from unknown("patterns", pattern.slug, pattern.evidence)
        if rules_out_all(pattern.evidence):
            yield Problem("patterns", pattern.slug, "it rules out every cause")
        if pattern.provider not in providers:
            yield Problem("patterns", pattern.slug, f"the provider {pattern.provider!r} does not exist")
    for code in snapshot.codes:
        row = f"{code.code} {code.provider}".strip()
        yield from unknown("codes", row, code.evidence)
        if rules_out_all(code.evidence, code.others):
            yield Problem("codes", row, "it rules out every cause")
        if code.provider not in providers:
            yield Problem("codes", row, f"the provider {code.provider!r} does not exist")
    for example in snapshot.examples:
        if example.cause not in causes:
            yield Problem("examples", example.text, f"it is labelled with the cause {example.cause!r}, which does not exist")
        if example.provider not in providers:
            yield Problem("examples", example.text, f"the provider {example.provider!r} does not exist")
    for provider in snapshot.providers:
        if provider.kind not in PROVIDER_KINDS:
            yield Problem("providers", provider.slug, f"its kind {provider.kind!r} is none of {', '.join(PROVIDER_KINDS)}")
        for mark in provider.reply_marks:
            if error := re2_error(mark):
                yield Problem("providers", provider.slug, f"reply mark {mark!r}: {error}")


def _cause(cause: Cause) -> Iterator[Problem]:
    if cause.category not in CATEGORIES:
        yield Problem("causes", cause.slug, f"its category {cause.category!r} is none of {', '.join(CATEGORIES)}")
    if not cause.steps:
        yield Problem("causes", cause.slug, "it has no remedy steps")
    if not cause.who_acts:
        yield Problem("causes", cause.slug, "it does not say who acts")
    for slug, count in Counter(step.slug for step in cause.steps).items():
        if count > 1:
            yield Problem("causes", cause.slug, f"the step {slug!r} stands {count} times")
    for step in cause.steps:
        if step.check and step.check not in CHECKS:
            yield Problem("causes", cause.slug, f"the step {step.slug!r} names the check {step.check!r}, which does not exist")
        for name in placeholders_of(step.text + step.wording):
            if name not in PLACEHOLDERS:
                yield Problem("causes", cause.slug, f"the step {step.slug!r} uses {{{name}}}; there are {', '.join(sorted(PLACEHOLDERS))}")


def _question(question: Question, snapshot: KnowledgeSnapshot) -> Iterator[Problem]:
    slugs = [answer.slug for answer in question.answers]
    for slug, count in Counter(slugs).items():
        if count > 1:
            yield Problem("questions", question.slug, f"the answer {slug!r} stands {count} times")
    if len(slugs) < 2:
        yield Problem("questions", question.slug, "a question needs two answers or more")
    for answer in question.answers:
        if (answer.evidence or answer.others) and not answer.informative:
            yield Problem("questions", question.slug, f"the answer {answer.slug!r} could not look (informative: false), and so carries no evidence")
    if question.asked_of is AskedOf.PERSON:
        if question.check:
            yield Problem("questions", question.slug, "a question asked of a person names no check")
        return
    if question.asked_of is AskedOf.REPLY:
        declared = {stage.value for stage in Stage if stage.value} if question.check == "stage" else set()
    else:
        check = CHECKS.get(question.check)
        declared = {answer.slug for answer in check.answers} if check else set()
        for given in check.answers if check else ():
            row = next((a for a in question.answers if a.slug == given.slug), None)
            if row and row.informative != given.informative:
                yield Problem("questions", question.slug, f"the answer {row.slug!r} must have informative: {str(given.informative).lower()}")
    if not declared:
        yield Problem("questions", question.slug, f"{question.check!r} is no check that could answer it")
    for slug in declared - set(slugs):
        yield Problem("questions", question.slug, f"the check can answer {slug!r}, which is not among its answers")
    for slug in set(slugs) - declared:
        yield Problem("questions", question.slug, f"its answer {slug!r} is never given by the check {question.check!r}")


def _pattern(pattern: ReplyPattern) -> Iterator[Problem]:
    if error := re2_error(pattern.pattern):
        yield Problem("patterns", pattern.slug, error)
        return
    if not pattern.evidence:
        yield Problem("patterns", pattern.slug, "it speaks for no cause")
    if pattern.decisive and not any(item.strength is Strength.PROVES for item in pattern.evidence):
        yield Problem("patterns", pattern.slug, "it is decisive but proves no cause")
    if not pattern.examples:
        yield Problem("patterns", pattern.slug, "it has no example text")
    options = re2.Options()
    options.case_sensitive = False
    compiled = re2.compile(pattern.pattern, options)
    for example in pattern.examples:
        if not compiled.search(example):
            yield Problem("patterns", pattern.slug, f"it does not match its own example {example!r}")


def _letter(letter: Letter, snapshot: KnowledgeSnapshot) -> Iterator[Problem]:
    for name in placeholders_of(letter.subject + letter.body):
        if name not in LETTER_PLACEHOLDERS:
            yield Problem("letters", letter.slug, f"it uses {{{name}}}; there are {', '.join(sorted(LETTER_PLACEHOLDERS))}")
    if "\n" in letter.subject:
        yield Problem("letters", letter.slug, "its subject has more than one line")
    for category in letter.categories:
        if category not in CATEGORIES:
            yield Problem("letters", letter.slug, f"it names the category {category!r}, which is none of {', '.join(CATEGORIES)}")
    for slug in set(letter.causes) - {cause.slug for cause in snapshot.causes}:
        yield Problem("letters", letter.slug, f"it names the cause {slug!r}, which does not exist")


def _codes(snapshot: KnowledgeSnapshot) -> Iterator[Problem]:
    for row in snapshot.codes:
        folk = not row.standard and _FOLK.fullmatch(row.code)
        if not (folk or is_reply_code(row.code) or is_enhanced_code(row.code) or _REGISTERED.fullmatch(row.code)):
            yield Problem("codes", f"{row.code} {row.provider}".strip(), "it is neither a reply code nor an enhanced status code")


def _one_question_a_check(snapshot: KnowledgeSnapshot) -> Iterator[Problem]:
    answered: dict[str, str] = {}
    for question in snapshot.questions:
        if question.check and answered.setdefault(question.check, question.slug) != question.slug:
            yield Problem("questions", question.slug, f"{question.check!r} answers the question {answered[question.check]!r} already")


def _texts(snapshot: KnowledgeSnapshot) -> Iterator[Problem]:
    """Texts that are empty where one is needed or longer than a row can hold, and addresses that are none."""
    for kind in ("causes", "questions", "patterns", "providers", "codes", "blocklists", "articles", "cases", "findings", "letters"):
        for row in getattr(snapshot, kind):
            name = f"{row.code} {row.provider}".strip() if kind == "codes" else row.slug
            yield from (Problem(kind, name, message) for message in _text_problems(row))


def _text_problems(row: Any) -> Iterator[str]:
    longest = LONGEST.get(type(row), {})
    for field in dataclasses.fields(row):
        value = getattr(row, field.name)
        if value == "" and field.default is dataclasses.MISSING:
            yield f"{type(row).__name__}.{field.name} is empty"
        elif len(str(value)) > longest.get(field.name, sys.maxsize):
            yield f"{type(row).__name__}.{field.name} is longer than {longest[field.name]} characters"
        elif field.name in ("url", "postmaster_page", "removal_page") and value and not value.startswith(("https://", "http://")):
            yield f"{value!r} is no address of a page: https://..."
        elif isinstance(value, tuple):
            for item in value:
                if dataclasses.is_dataclass(item):
                    yield from _text_problems(item)
