"""The letters that are offered for a case, filled in with what it knows. Writes nothing, sends nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import quote

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from knowledge.current import knowledge
from troubleshoot.checking import latest_outcomes, runs_about, standing_of, subject_of
from troubleshoot.known_values import known_values
from troubleshoot.models import Case
from troubleshoot.wording import STAGES
from whybounce.checks.dnsbl_named import named_lists
from whybounce.letters import FilledLetter, fill_letter, letters_for
from whybounce.reasoning import Certainty, Ranking
from whybounce.snapshot import Addressee, Blocklist, Cause, Letter
from whybounce.visible import visible

ADDRESSEES: Mapping[Addressee, str | Promise] = {
    Addressee.CUSTOMER: gettext_lazy("To the customer"),
    Addressee.POSTMASTER: gettext_lazy("To the other side's postmaster"),
    Addressee.MAIL_ADMIN: gettext_lazy("To your own mail administrator"),
    Addressee.BLOCKLIST: gettext_lazy("To a blocklist's operator"),
}
# Windows hands a program at most 2,083 characters of an address; some mail programs take less than 2,000.
MOST_OF_MAILTO = 1900
MOST_OF_A_BODY = 50_000
_LISTED = ("dnsbl.listed", "dnsbl.domain_listed")


@dataclass(frozen=True, slots=True)
class CaseLetter:
    """A letter for this case. `to`: the address it goes to, "" where it has to be looked up."""

    filled: FilledLetter
    to: str

    @property
    def letter(self) -> Letter:
        return self.filled.letter


@dataclass(frozen=True, slots=True)
class Offered:
    """The letters to one kind of addressee."""

    label: str
    letters: tuple[CaseLetter, ...]


@dataclass(frozen=True, slots=True)
class Writing:
    """What a person made of a letter."""

    to: str
    subject: str
    body: str


def offered(case: Case) -> list[Offered]:
    """The letters for the cause that leads, or that proved true, by whom they go to."""
    ranking = standing_of(knowledge(), case).ranking()
    letters = list(_fill(case, ranking, letters_for(knowledge().snapshot.letters, _cause(case, ranking))))
    groups = ((label, tuple(item for item in letters if item.letter.to is to)) for to, label in ADDRESSEES.items())
    return [Offered(str(label), group) for label, group in groups if group]


def letter_of(case: Case, slug: str) -> CaseLetter | None:
    """One of the letters that are offered for the case; any other one as well: what leads may have changed since it was chosen."""
    known = next((letter for letter in knowledge().snapshot.letters if letter.slug == slug), None)
    return next(_fill(case, standing_of(knowledge(), case).ranking(), [known]), None) if known else None


def _fill(case: Case, ranking: Ranking, letters: list[Letter]) -> Iterator[CaseLetter]:
    sure = case.is_closed or ranking.verdict.certainty in (Certainty.PROVED, Certainty.LIKELY)
    cause = _cause(case, ranking) if sure else None  # nobody is written a guess as if it were so
    values = {**known_values(ranking, case.supplied), **_more_values(case, ranking, cause)}
    to = _addresses(ranking, values)
    for letter in letters:
        yield CaseLetter(fill_letter(letter, values), to[letter.to])


def _cause(case: Case, ranking: Ranking) -> Cause | None:
    """The cause that proved true, or that leads; None where it is not clear."""
    if case.is_closed:
        slug = case.outcomes.filter(reopened_at=None).values_list("cause", flat=True).first()
        return next((cause for cause in knowledge().causes if cause.slug == slug), None)
    clear = ranking.top is not None and ranking.verdict.certainty is not Certainty.UNCLEAR
    return ranking.top.cause if ranking.top and clear else None


def _more_values(case: Case, ranking: Ranking, cause: Cause | None) -> dict[str, str]:
    """The placeholders that only letters have."""
    failure = ranking.failure
    listed = _listed(case, ranking)
    return {
        "cause": cause.title if cause else "",
        "summary": cause.summary if cause else "",
        "stage": str(STAGES[failure.stage]) if failure.stage else "",
        "subject": visible(failure.subject),
        "blocklist": listed.name if listed else "",
        "removal_page": listed.removal_page if listed else "",
        "case": case.public_id,
    }


def _listed(case: Case, ranking: Ranking) -> Blocklist | None:
    """The blocklist that the reply names, or one on which the check found the sender."""
    lists = knowledge().snapshot.blocklists
    named = named_lists(lists, ranking.failure.text)
    if named:
        return named[0]
    outcome = latest_outcomes(runs_about(case, subject_of(ranking.failure, case.supplied))).get("dnsbl")
    found = {str(item["data"].get("list", "")) for item in (outcome.findings if outcome else []) if item["finding"] in _LISTED}
    return next((item for item in lists if item.slug in found), None)


def _addresses(ranking: Ranking, values: Mapping[str, str]) -> dict[Addressee, str]:
    """Where letters go: RFC 5321 section 4.5.1 has every domain that takes mail keep a mailbox postmaster."""
    recipient, sender = values["recipient_domain"], values["sender_domain"] or values["header_from_domain"]
    return {
        Addressee.CUSTOMER: parseaddr(ranking.failure.header_from)[1] or values["envelope_sender"],
        Addressee.POSTMASTER: f"postmaster@{recipient}" if recipient else "",
        Addressee.MAIL_ADMIN: f"postmaster@{sender}" if sender else "",
        Addressee.BLOCKLIST: "",
    }


def writing_of(letter: CaseLetter) -> Writing:
    return Writing(letter.to, letter.filled.subject, letter.filled.body)


def mailto(writing: Writing) -> str:
    """The letter as a mailto: address (RFC 6068), line breaks as CR LF; without its text where that would make it too long for
    programs to take, and "" where even so it is."""
    start = f"mailto:{quote(writing.to, safe='@')}?subject={quote(writing.subject, safe='')}"
    body = "\r\n".join(writing.body.splitlines())
    whole = f"{start}&body={quote(body, safe='')}"
    return whole if len(whole) <= MOST_OF_MAILTO else start if len(start) <= MOST_OF_MAILTO else ""


def holds_text(address: str) -> bool:
    """Whether a mailto: address has the letter's text in it."""
    return "&body=" in address


def as_message(writing: Writing, sender: str = "") -> bytes:
    """The letter as a message (RFC 5322) to open in a mail program, which sends it or does not: a draft, without Message-ID.

    sender      whoever writes; left out where it is not known
    """
    message = EmailMessage(policy=SMTP)
    message["Date"] = format_datetime(timezone.now())
    if sender:
        message["From"] = _one_line(sender)
    if to := _addressee(writing.to):
        message["To"] = to
    message["Subject"] = _one_line(writing.subject)
    message["X-Unsent"] = "1"  # Outlook opens it as a draft
    message.set_content(writing.body.encode("utf-8", "replace").decode())
    return message.as_bytes()


def _one_line(text: str) -> str:
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _addressee(text: str) -> Address | None:
    """An address, however it was typed; None for what is none, which the person fills in in the mail program."""
    address = parseaddr(_one_line(text))[1]
    local, at, domain = address.rpartition("@")
    try:
        return Address(username=local, domain=domain) if at and local and domain else None
    except (ValueError, IndexError):
        return None
