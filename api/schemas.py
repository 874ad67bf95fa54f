"""The JSON of the API, as schemas: what stands in the OpenAPI document, and what answers are held to. docs/json.md says what it means."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import AliasChoices, ConfigDict, Field

Who = Literal["sender", "sender-admin", "recipient", "recipient-admin", "nobody"]
Strength = Literal[
    "proves", "strongly for", "for", "slightly for", "slightly against", "against", "strongly against", "rules out"
]  # whybounce.snapshot.Strength


class Strict(Schema):
    """What is sent: a member that is not known is a mistake, and said so."""

    model_config = ConfigDict(extra="forbid")


# --- explain ---


class Verdict(Schema):
    permanent: bool
    who_acts: list[Who]
    certainty: Literal["proved", "likely", "possible", "unclear"]


class Because(Schema):
    observation: str
    strength: Strength


class RankedCause(Schema):
    cause: str
    title: str
    category: str
    probability: float
    because: list[Because]


class Facts(Schema):
    recipient: str | None
    action: Literal["failed", "delayed"]
    code: str | None
    enhanced: str | None
    text: str
    stage: str | None
    remote_mta: str | None
    reporting_mta: str | None
    sending_ip: str | None
    envelope_sender: str | None
    message_id: str | None
    provider: str | None


class ExplainedFailure(Facts):
    verdict: Verdict
    causes: list[RankedCause]


class Explained(Schema):
    file: str | None
    format: str
    failures: list[ExplainedFailure]
    notes: list[str]
    error: str | None


# --- checks ---


class SubjectIn(Strict):
    """What to look at. Any member may be left out; a check that lacks something is not run."""

    domain: str = Field("", max_length=320, description="The domain that receives or sends the mail.")
    sending_ip: str = Field("", max_length=64, description="The address from which the mail was sent.")
    mail_from: str = Field("", max_length=320, description="The envelope sender.")
    header_from: str = Field("", max_length=320, validation_alias=AliasChoices("header_from", "from"), description="The address in the From header.")
    helo: str = Field("", max_length=255, description="The EHLO name of the sending server.")
    selectors: list[str] = Field(
        default_factory=list,
        max_length=10,
        validation_alias=AliasChoices("selectors", "selector"),
        description="DKIM selectors: s1, s1@example.com.",
    )
    message_size: int | None = Field(None, ge=0, le=10_000_000_000, description="Octets.")


class ChecksIn(SubjectIn):
    recipient: str = Field("", max_length=320, description="A recipient; its domain is looked at where domain is left out.")
    only: list[str] = Field(default_factory=list, max_length=40, description="Names of the checks to run; left out: all that can look.")
    anew: bool = Field(False, description="Look again, also where a check looked in the last five minutes.")


class Finding(Schema):
    finding: str
    severity: Literal["error", "warning", "info", "ok", "unknown"]
    data: dict[str, Any]


class Check(Schema):
    check: str
    answer: str
    state: Literal["good", "info", "warning", "bad", "unknown"]
    detail: str
    findings: list[Finding]
    facts: dict[str, Any]
    elapsed_ms: int


class Checked(Schema):
    subject: dict[str, Any]
    elapsed_ms: int
    queries: int
    checks: list[Check]
    url: str = Field(description="The page of this run.")


# --- reference ---


class Source(Schema):
    title: str
    url: str


class Suspect(Schema):
    cause: str
    title: str
    strength: Strength


class CodeLine(Schema):
    code: str
    title: str
    provider: str | None
    sort: Literal["standard", "folk", "provider"]
    url: str


class Codes(Schema):
    items: list[CodeLine]
    total: int
    limit: int
    offset: int


class Myth(Schema):
    claim: str
    truth: str


class Meaning(Schema):
    """What a code means by a standard, or to one provider. The texts are Markdown."""

    code: str
    title: str
    provider: str | None
    standard: bool
    meaning: str
    usual_causes: str
    find_out: str
    what_to_do: str
    retry: str
    commands: list[str]
    myths: list[Myth]
    causes: list[Suspect]
    sources: list[Source]


class Reply(Schema):
    text: str
    cause: str
    provider: str | None


class Code(Schema):
    code: str
    url: str
    meanings: list[Meaning]
    replies: list[Reply]
    related: list[str]


class CauseLine(Schema):
    cause: str
    title: str
    category: str
    who_acts: list[Who]
    permanent: bool | None
    summary: str
    url: str


class Causes(Schema):
    items: list[CauseLine]
    total: int
    limit: int
    offset: int


class Link(Schema):
    text: str
    url: str


class Step(Schema):
    who: Who
    text: str
    wording: str
    check: str | None
    links: list[Link]


class Speaks(Schema):
    question: str
    answer: str
    strength: Strength


class Cause(CauseLine):
    """explanation is Markdown; steps hold words in the place of what a case would fill in."""

    explanation: str
    steps: list[Step]
    replies: list[Reply]
    codes: list[str]
    speaks: list[Speaks]
    see_also: list[str]
    sources: list[Source]


class Hit(Schema):
    label: str
    title: str
    url: str
    excerpt: str


class HitGroup(Schema):
    kind: Literal["code", "cause", "reply", "provider", "blocklist", "article", "check"]
    hits: list[Hit]


class Found(Schema):
    query: str
    groups: list[HitGroup]


# --- cases ---


class AnswerIn(Strict):
    question: str = Field(max_length=80, examples=["has-space"])
    answer: str = Field(max_length=80, description="One of the question's answers, or dont-know.", examples=["no"])


class CaseChecksIn(SubjectIn):
    """Which checks to run, and what is to be added to what the case knows. Members of the subject that are left out stay as they are."""

    names: list[str] = Field(default_factory=list, max_length=40, description="Left out: those that would tell most, or else all that can look.")
    verify: str = Field("", max_length=20, description="The check of a remedy step that was carried out: it looks anew and is compared.")
    anew: bool = False


class ChooseIn(Strict):
    position: int = Field(ge=0, le=100_000, description="As recipients has it.")


class CloseIn(Strict):
    """The cause that proved true, or a sentence where it was none that is known."""

    cause: str = Field("", max_length=80)
    sentence: str = Field("", max_length=2000)


class Links(Schema):
    self: str
    page: str


class CaseLine(Schema):
    id: str
    state: Literal["open", "closed"]
    created_at: datetime
    updated_at: datetime
    domain: str
    failures: int
    title: str = Field(description="The outcome, or the leading cause; empty where it is not clear yet.")
    links: Links


class Cases(Schema):
    items: list[CaseLine]
    total: int
    limit: int
    offset: int


class Recipient(Schema):
    position: int
    recipient: str
    chosen: bool


class Headline(Schema):
    """The verdict in words, for a person."""

    text: str
    certainty: str
    retry: str


class CaseCause(RankedCause):
    summary: str
    url: str


class AnswerChoice(Schema):
    answer: str
    text: str
    effect: str = Field(description="What it would change; empty where it would change little.")


class Question(Schema):
    question: str
    text: str
    why: str
    help: str
    answers: list[AnswerChoice]


class OpenQuestion(Schema):
    question: str
    text: str


class Answered(Schema):
    question: str
    text: str
    answer: str
    answer_text: str
    at: datetime
    by: str


class Record(Schema):
    """A DNS record to publish in the place of what is published now."""

    name: str
    type: str
    published: list[str]
    proposed: str
    zone_line: str
    why: str
    warnings: list[str]


class CaseStep(Step):
    """A step filled in. `verify`: the check that would prove it done can look."""

    number: int
    verify: bool
    record: Record | None


class CaseCheck(Schema):
    """A check of the case. `ready` can look, `lacking` says what it needs, `done` has looked."""

    check: str
    label: str
    state: Literal["done", "pending", "ready", "lacking"]
    telling: bool = Field(description="Among those that would tell most.")
    needs: str
    effect: str
    at: datetime | None
    result: Check | None


class Outcome(Schema):
    cause: str | None
    title: str
    sentence: str
    at: datetime


class Case(Schema):
    """All that the page of a case says."""

    id: str
    state: Literal["open", "closed"]
    created_at: datetime
    updated_at: datetime
    format: str
    kind: str
    notes: list[str]
    error: str | None
    recipients: list[Recipient]
    facts: Facts | None
    headline: Headline
    verdict: Verdict
    causes: list[CaseCause]
    ruled_out: list[str]
    contradictions: list[str]
    question: Question | None
    more_questions: list[OpenQuestion]
    finished: str = Field(description="Why nothing is asked; empty where something is.")
    answered: list[Answered]
    subject: dict[str, Any]
    checks: list[CaseCheck]
    steps_for: str
    steps: list[CaseStep]
    outcome: Outcome | None
    links: Links


# --- errors ---


class FieldError(Schema):
    pointer: str | None = Field(None, description="Where it stands in the body (RFC 6901).")
    parameter: str | None = None
    detail: str


class ProblemOut(Schema):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None
