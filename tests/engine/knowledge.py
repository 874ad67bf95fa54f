"""A small made-up knowledge for tests of reasoning: few causes, so that sums can be followed by hand."""

from whybounce.compiled import Knowledge
from whybounce.snapshot import (
    Actor,
    Answer,
    AskedOf,
    Cause,
    Evidence,
    Example,
    Frequency,
    KnowledgeSnapshot,
    Provider,
    Question,
    RemedyStep,
    ReplyPattern,
    StatusCode,
    Strength,
)


def cause(slug: str, category: str, *, who: Actor = Actor.SENDER, frequency: Frequency = Frequency.COMMON) -> Cause:
    return Cause(slug, f"Title of {slug}", category, (who,), frequency, "Summary.", steps=(RemedyStep("do", who, f"Mend {slug} for {{recipient}}."),))


def says(**strengths: Strength) -> tuple[Evidence, ...]:
    return tuple(Evidence(name.replace("_", "-"), strength) for name, strength in strengths.items())


UNKNOWN = cause("unknown-user", "unknown_recipient", frequency=Frequency.USUAL)
FULL = cause("mailbox-full", "mailbox_full", who=Actor.RECIPIENT)
SPF = cause("spf-fail", "sender_auth", who=Actor.SENDER_ADMIN)
LISTED = cause("ip-listed", "reputation", who=Actor.SENDER_ADMIN)

WHO_IS_AFFECTED = Question(
    "who-is-affected",
    "Who is affected?",
    "One address points to the mailbox.",
    AskedOf.PERSON,
    (
        Answer(
            "one", "One address", Frequency.COMMON, evidence=says(unknown_user=Strength.FOR, mailbox_full=Strength.FOR, ip_listed=Strength.AGAINST)
        ),
        Answer("all", "Everybody", Frequency.COMMON, evidence=says(unknown_user=Strength.RULES_OUT, ip_listed=Strength.FOR)),
    ),
    symptom=True,
)
STAGE = Question(
    "stage",
    "Which command was refused?",
    "It tells recipient from sender.",
    AskedOf.REPLY,
    (
        *(Answer(name, name, Frequency.COMMON) for name in ("ehlo", "starttls", "auth", "mail", "data", "message")),
        Answer("connect", "connect", Frequency.COMMON, evidence=says(ip_listed=Strength.STRONGLY_FOR, unknown_user=Strength.AGAINST)),
        Answer("rcpt", "rcpt", Frequency.COMMON, evidence=says(unknown_user=Strength.FOR, mailbox_full=Strength.FOR)),
    ),
    check="stage",
)
CHECK_SPF = Question(
    "check-spf",
    "May this address send?",
    "SPF says.",
    AskedOf.CHECK,
    (
        Answer("pass", "pass", Frequency.USUAL, evidence=says(spf_fail=Strength.STRONGLY_AGAINST)),
        Answer("fail", "fail", Frequency.RARE, evidence=says(spf_fail=Strength.STRONGLY_FOR)),
        *(Answer(name, name, Frequency.OCCASIONAL) for name in ("softfail", "neutral", "none", "permerror")),
        *(Answer(name, name, informative=False) for name in ("temperror", "unknown")),
    ),
    check="spf",
)
PATTERNS = (
    ReplyPattern("general-unknown", r"user unknown", evidence=says(unknown_user=Strength.STRONGLY_FOR), examples=("550 User unknown",)),
    ReplyPattern(
        "acme-unknown", r"user unknown \(ACME-7\)", "acme", evidence=says(mailbox_full=Strength.STRONGLY_FOR), examples=("550 user unknown (ACME-7)",)
    ),
    ReplyPattern("decisive", r"over quota", decisive=True, evidence=says(mailbox_full=Strength.PROVES), examples=("552 mailbox over quota",)),
)
SNAPSHOT = KnowledgeSnapshot(
    causes=(UNKNOWN, FULL, SPF, LISTED),
    questions=(WHO_IS_AFFECTED, STAGE, CHECK_SPF),
    patterns=PATTERNS,
    providers=(Provider("acme", "ACME Mail", "mailbox", mx_suffixes=(".mx.acme.example",), reply_marks=(r"\(ACME-\d+\)",)),),
    codes=(
        StatusCode("5.1.1", "Bad mailbox", "No such mailbox.", evidence=says(unknown_user=Strength.STRONGLY_FOR)),
        StatusCode("5.1.1", "Full", "ACME's own.", provider="acme", evidence=says(mailbox_full=Strength.STRONGLY_FOR)),
        StatusCode("X.2.2", "Full", "Mailbox full.", evidence=says(mailbox_full=Strength.STRONGLY_FOR)),
        StatusCode("550", "Refused", "Refused.", evidence=says(unknown_user=Strength.FOR, ip_listed=Strength.SLIGHTLY_FOR)),
    ),
    examples=(
        Example("550 no such user here", "unknown-user"),
        Example("550 5.1.1 recipient not found", "unknown-user"),
        Example("550 address does not exist", "unknown-user"),
        Example("452 mailbox full, try later", "mailbox-full"),
        Example("552 quota exceeded for this mailbox", "mailbox-full"),
        Example("452 4.2.2 not enough space in the mailbox", "mailbox-full"),
        Example("550 SPF check failed, address not permitted", "spf-fail"),
        Example("550 5.7.23 SPF validation failed for this domain", "spf-fail"),
        Example("554 client host blocked using zen.example.org", "ip-listed"),
        Example("554 your address is listed at a blocklist", "ip-listed"),
    ),
)
KNOWLEDGE = Knowledge(SNAPSHOT)
