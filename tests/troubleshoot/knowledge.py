"""The made-up knowledge of the engine's tests, with what a case needs beside: a second question, checks, steps with wording."""

from dataclasses import replace

from tests.engine import knowledge as engine
from whybounce.checks.mx import ANSWERS as MX_ANSWERS
from whybounce.snapshot import Actor, Answer, AskedOf, Frequency, Link, Question, RemedyStep, Strength

HAS_SPACE = Question(
    "has-space",
    "Does the recipient say that there is free space?",
    "Tells a full mailbox from a wrong address.",
    AskedOf.PERSON,
    (
        Answer("yes", "Yes, plenty", Frequency.COMMON, evidence=engine.says(mailbox_full=Strength.STRONGLY_AGAINST)),
        Answer("no", "No, it is full", Frequency.OCCASIONAL, evidence=engine.says(mailbox_full=Strength.PROVES)),
    ),
    help="Ask by telephone.",
)
CHECK_MX = Question(
    "check-mx",
    "Does the domain accept mail?",
    "MX says.",
    AskedOf.CHECK,
    tuple(
        Answer(
            item.slug,
            f"MX: {item.slug}",
            Frequency.USUAL if item.slug == "ok" else Frequency.OCCASIONAL if item.slug == "null-mx" else Frequency.RARE,
            item.informative,
            engine.says(unknown_user=Strength.RULES_OUT) if item.slug == "null-mx" else (),
        )
        for item in MX_ANSWERS
    ),
    check="mx",
)
UNKNOWN = replace(
    engine.UNKNOWN,
    steps=(
        RemedyStep("compare", Actor.SENDER, "Compare {recipient} letter by letter.", check="mx"),
        RemedyStep(
            "ask",
            Actor.RECIPIENT_ADMIN,
            "Ask the other side:\ndig +short {recipient_domain} MX\nThen wait.",
            wording="Your server {remote_mta} refused {recipient}: {reply}",
            links=(Link("A page", "https://example.org/help"),),
        ),
    ),
)
SNAPSHOT = replace(
    engine.SNAPSHOT,
    causes=(UNKNOWN, engine.FULL, engine.SPF, engine.LISTED),
    questions=(*engine.SNAPSHOT.questions, HAS_SPACE, CHECK_MX),
)
