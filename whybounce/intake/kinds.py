"""What a mail is that reports no failure: each kind with a sentence for people."""

from __future__ import annotations

from whybounce.intake.mail import Mail
from whybounce.intake.page import Part
from whybounce.intake.signs import is_away

# Words (lower case) of the subject, of headers' names and of the first lines by which a mail that waits for an answer is known.
_CHALLENGE = (
    "requires verification", "verify#", "confirm your message", "confirm that you sent", "confirmation of your message",
    "your confirmation is required",
    "please confirm your mail", "to have your message delivered", "release your message", "release it to",
    "has been placed in a holding queue",
    "verify that you are not", "prove that you are", "waiting for your confirmation", "held until you confirm", "challenge-response",
    "bestätigen sie ihre nachricht", "als absender bestätigen", "confirmez votre message", "confirme su mensaje",
)  # fmt: skip
_CHALLENGE_HEADERS = ("x-tmda-fingerprint", "x-boxtrapper", "x-boxtrapper-verify", "x-avenger", "x-asknotice")
_MODERATION = (
    "awaits moderator approval", "requires moderator approval", "awaiting moderation", "held for moderation",
    "is being held until the list moderator",
    "has been submitted to the moderator", "message for approval", "pending approval", "forwarded to the moderator", "approval required",
    "wartet auf freigabe", "auf bestätigung durch den moderator", "attend l'approbation", "en attente de modération",
    "pendiente de aprobación",
)  # fmt: skip
_CONFIRMATION = (
    "confirm your subscription", "subscription confirmation", "confirm subscription", "confirm your email address",
    "confirm your unsubscription",
    "your confirmation is needed", "confirmation required to join", "bestätigen sie ihre anmeldung", "anmeldung bestätigen",
    "confirmez votre inscription", "confirmer votre abonnement", "confirma tu suscripción", "confirme su suscripción",
    "confirme sua inscrição",
    "conferma la tua iscrizione", "購読の確認", "确认订阅", "подтвердите подписку",
)  # fmt: skip


def waiting_kind(mail: Mail) -> tuple[str, str] | None:
    """Kind and sentence for a mail that wants an answer before another mail goes on; None for others."""
    headers = mail.headers
    subject = headers.get("subject", "").lower()
    text = next((" ".join(mail.page.slice(section)[:3000].lower().split()) for section in mail.page.of(Part.HUMAN)), "")
    told = f"{subject} {text}"
    if (
        "tmda" in headers.get("x-delivery-agent", "").lower()
        or any(name in headers for name in _CHALLENGE_HEADERS)
        or any(mark in told for mark in _CHALLENGE)
    ):
        return (
            "challenge",
            "This is a challenge: the recipient's filter holds your mail until you answer this one or follow its link. Nothing was refused.",
        )
    if any(mark in told for mark in _MODERATION):
        return "moderation", "This is the notice of a mailing list: your mail waits until a moderator lets it pass. Nothing was refused yet."
    if subject.startswith("confirm ") or any(mark in told for mark in _CONFIRMATION):
        return "confirmation", "This asks to confirm a subscription or an address. It reports no failed delivery."
    return None


def other_kind(mail: Mail) -> tuple[str, str]:
    """Kind and a sentence for a mail that reports no failure."""
    headers = mail.headers
    subject = headers.get("subject", "").lower()
    if "message/feedback-report" in mail.types or "report-type=feedback-report" in mail.content_type or subject.startswith("complaint about message"):
        return "complaint", "This is a complaint report (ARF, RFC 5965): a recipient marked a mail as spam. The mail itself was delivered."
    if "message/disposition-notification" in mail.types or "disposition-notification" in mail.content_type:
        return "read-receipt", "This is a read receipt (RFC 8098): it says what became of a mail after it was delivered."
    if subject.strip() == "unsubscribe":
        return "ordinary-mail", "This mail asks to be taken off a mailing list. It reports no failed delivery."
    told = waiting_kind(mail)
    if told is not None:
        return told
    if is_away(headers):
        return "vacation", "This is an automatic reply (RFC 3834), such as an absence note: the mail it answers was delivered."
    return "ordinary-mail", "This is an ordinary e-mail that reports no failed delivery. If a bounce came with it, paste the bounce."
