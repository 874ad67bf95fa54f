"""What the engine says of a paste: the JSON that scripts rely on, and lines for people."""

import dataclasses
import json

import numpy as np
import pytest

from tests.conftest import SMALL
from tests.engine.knowledge import KNOWLEDGE, SNAPSHOT
from whybounce.answer import explain, explain_text, failure_json, for_people, strength_in_words
from whybounce.compiled import Knowledge
from whybounce.failure import Action, DeliveryFailure, IntakeReport, Stage
from whybounce.reasoning import rank
from whybounce.snapshot import Strength
from whybounce.words import TextModel
from whybounce.yaml_knowledge import read_folder

FULL = DeliveryFailure(
    text="552 mailbox over quota",
    recipient="anna@example.net",
    code="552",
    enhanced="5.2.2",
    stage=Stage.RCPT,
    remote_mta="in.mx.acme.example",
    reporting_mta="out.example.org",
    sending_ip="192.0.2.1",
    envelope_sender="news@example.org",
    message_id="<1@example.org>",
)
FAILURE_KEYS = [
    "recipient",
    "action",
    "code",
    "enhanced",
    "text",
    "stage",
    "remote_mta",
    "reporting_mta",
    "sending_ip",
    "envelope_sender",
    "message_id",
    "provider",
    "verdict",
    "causes",
]


def said(failure: DeliveryFailure) -> dict[str, object]:
    return failure_json(rank(KNOWLEDGE, failure))


def test_it_has_the_contracts_keys() -> None:
    answer = explain(KNOWLEDGE, IntakeReport("reply", failures=(FULL,), notes=("A note.",)), "bounce.eml")
    assert list(answer) == ["file", "format", "failures", "notes", "error"]
    assert (answer["file"], answer["format"], answer["notes"], answer["error"]) == ("bounce.eml", "reply", ["A note."], None)
    failure = answer["failures"][0]
    assert list(failure) == FAILURE_KEYS
    assert list(failure["verdict"]) == ["permanent", "who_acts", "certainty"]
    assert list(failure["causes"][0]) == ["cause", "title", "category", "probability", "because"]
    assert {tuple(line) for line in failure["causes"][0]["because"]} == {("observation", "strength")}


def test_it_says_what_was_read_and_why_it_failed() -> None:
    failure = said(FULL)
    assert {key: failure[key] for key in ("recipient", "action", "code", "enhanced", "stage", "provider")} == {
        "recipient": "anna@example.net",
        "action": "failed",
        "code": "552",
        "enhanced": "5.2.2",
        "stage": "rcpt",
        "provider": "acme",
    }
    assert failure["verdict"] == {"permanent": True, "who_acts": ["recipient"], "certainty": "proved"}
    assert failure["causes"][0]["cause"] == "mailbox-full"
    assert failure["causes"][0]["because"][0]["observation"] == "pattern:decisive:over quota"


def test_a_decisive_pattern_proves() -> None:
    failure = DeliveryFailure(text="550-5.1.1 The email account that you tried to reach does not exist. gsmtp")
    ranking = rank(Knowledge(read_folder(SMALL)), failure)
    wording = "email account that you tried to reach does not exist"
    assert failure_json(ranking)["causes"][0]["because"][0] == {"observation": f"pattern:google-no-such-user:{wording}", "strength": "proves"}


def test_what_the_text_does_not_tell_is_null() -> None:
    failure = said(DeliveryFailure(text="no", action=Action.DELAYED))
    nothing = {key for key, value in failure.items() if value is None}
    assert nothing == {
        "recipient",
        "code",
        "enhanced",
        "stage",
        "remote_mta",
        "reporting_mta",
        "sending_ip",
        "envelope_sender",
        "message_id",
        "provider",
    }
    assert failure["action"] == "delayed"


def test_causes_come_best_first_and_unlikely_ones_are_left_out() -> None:
    causes = said(DeliveryFailure(text="550 5.1.1 no such user here", code="550", enhanced="5.1.1", stage=Stage.RCPT))["causes"]
    shares = [cause["probability"] for cause in causes]
    assert shares == sorted(shares, reverse=True)
    assert all(share >= 0.01 for share in shares[1:])
    assert 0 < sum(shares) <= 1.0001


def test_words_never_prove_however_clear() -> None:
    small = read_folder(SMALL)
    causes = [cause.slug for cause in small.causes]
    sure = np.array([[100 if slug == "recipient-mailbox-full" else 0 for slug in causes]], np.int8)
    one = np.ones(1, np.float32)
    model = TextModel(causes, causes, ["full"], one, sure, one, np.zeros(len(causes), np.float32))
    ranking = rank(Knowledge(small, model), DeliveryFailure(text="full"))
    assert max(line.nats for line in ranking.ledger("recipient-mailbox-full")) > 5
    assert failure_json(ranking)["causes"][0]["because"] == [{"observation": "words", "strength": "strongly for"}]


def test_the_prior_is_no_reason() -> None:
    assert said(DeliveryFailure())["causes"][0]["because"] == []


def test_nothing_failed_is_no_failure() -> None:
    answer = explain(KNOWLEDGE, IntakeReport("mail", kind="vacation", notes=("An absence notice.",)))
    assert (answer["failures"], answer["notes"], answer["file"]) == ([], ["An absence notice."], None)


def test_it_is_json() -> None:
    assert json.loads(json.dumps(said(FULL)))["text"] == "552 mailbox over quota"


@pytest.mark.parametrize(
    ("nats", "word"),
    [
        (9, "proves"),
        (5, "proves"),
        (4.9, "strongly for"),
        (1.5, "for"),
        (0.7, "slightly for"),
        (0.2, ""),
        (0, ""),
        (-0.3, ""),
        (-0.7, "slightly against"),
        (-1.5, "against"),
        (-2.5, "strongly against"),
        (float("-inf"), "rules out"),
    ],
)
def test_strengths_are_said_in_the_curators_words(nats: float, word: str) -> None:
    assert strength_in_words(nats) == word
    assert word == "" or word in {strength.value for strength in Strength}


REPLIES = [
    DeliveryFailure(text="552 mailbox over quota", recipient="anna@example.net", code="552"),
    DeliveryFailure(text="552 mailbox over quota", recipient="bert@example.net", code="552"),
    DeliveryFailure(text="552 mailbox over quota", action=Action.DELAYED),
    DeliveryFailure(text="552 mailbox over quota"),
    DeliveryFailure(text="550 User Unknown (ACME-7)", code="550", enhanced="5.1.1"),
    DeliveryFailure(text="550 user unknown (acme-7)", code="550", enhanced="5.1.1"),
    DeliveryFailure(text='550 "user unknown" \\ \0 1 \0 größe'),
    DeliveryFailure(),
]


def test_as_text_it_is_the_same_whatever_was_explained_before() -> None:
    lasting = dataclasses.replace(SNAPSHOT, causes=tuple(dataclasses.replace(cause, permanent=True) for cause in SNAPSHOT.causes))
    knowledge = Knowledge(lasting, KNOWLEDGE.model)
    for failure in (*REPLIES, *reversed(REPLIES)):
        report = IntakeReport("reply", failures=(failure, failure), notes=('A "note".',))
        assert explain_text(knowledge, report, "a.eml") == json.dumps(explain(knowledge, report, "a.eml"), ensure_ascii=False)
    assert json.loads(explain_text(KNOWLEDGE, IntakeReport("mail"))) == explain(KNOWLEDGE, IntakeReport("mail"))


def test_people_read_facts_verdict_and_steps() -> None:
    lines = "\n".join(for_people(KNOWLEDGE, IntakeReport("reply", failures=(FULL,), notes=("A note.",))))
    for part in (
        "recipient:       anna@example.net",
        "reply:           552 mailbox over quota",
        "provider:        ACME Mail",
        "This is why: Title of mailbox-full (",
        "Permanent: sending it again unchanged will not help. To act: the recipient.",
        "  1. [the recipient] Mend mailbox-full for anna@example.net.",
        "A note.",
    ):
        assert part in lines


def test_people_read_why_it_could_not_be_read() -> None:
    assert list(for_people(KNOWLEDGE, IntakeReport("binary", error="This is no text."))) == ["This is no text."]
