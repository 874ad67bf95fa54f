"""Writes the .msg fixtures: `python -m tests.data.outlook.make.make`, from the top of the project."""

from __future__ import annotations

from pathlib import Path

from tests.data.outlook.make.message import attached, compressed, embedded, file_of, message

HERE = Path(__file__).resolve().parents[1]
BOUNCES = HERE.parent / "bounces"
RETURNED = message(
    {0x001A: "IPM.Note", 0x0037: "Your November statement", 0x0C1F: "news@sender.example", 0x1035: "<77@sender.example>", 0x1000: "Hello"},
    embedded=True,
)
NDR_TEXT = (
    "Delivery has failed to these recipients or groups:\r\n\r\nanna@example.net (anna@example.net)\r\n"
    "The address you typed is not known there. Check it and send again.\r\n\r\n"
    "Diagnostic information for administrators:\r\n\r\nGenerating server: mail.sender.example\r\n\r\n"
    "anna@example.net\r\nRemote Server returned '550 5.1.1 <anna@example.net>: nobody of this name'\r\n"
)


def ndr() -> dict[str, bytes]:
    head = {
        0x001A: "REPORT.IPM.Note.NDR",
        0x0037: "Undeliverable: Your November statement",
        0x0C1A: "Mail Delivery System",
        0x6820: "mail.sender.example",
    }
    anna = {
        0x3001: "anna@example.net", 0x3002: "SMTP", 0x3003: "anna@example.net", 0x0C05: -1, 0x0C04: 1,
        0x0C1B: "<mx.example.net #5.1.1 smtp;550 5.1.1 <anna@example.net>: nobody of this name>", 0x0C21: "mx.example.net",
    }  # fmt: skip
    ben = {0x3001: "Ben", 0x39FE: "ben@example.com", 0x3003: "/o=Example/cn=ben", 0x0C05: -1, 0x0C1B: "<#5.2.2 smtp;552 5.2.2 The box is full>"}
    headers = (
        "Received: from a by b\r\nFrom: <MAILER-DAEMON@mail.sender.example>\r\nTo: <news@sender.example>\r\nSubject: Undeliverable\r\n"
        "Date: Mon, 16 Nov 2026 09:12:44 +0000\r\nContent-Type: multipart/report; boundary=gone\r\n\r\n"
    )
    back = embedded("Your November statement", RETURNED)
    rtf = (
        rb"{\rtf1\ansi\ansicpg1252\fromtext {\fonttbl{\f0 Arial;}}Unzustellbar: \'dcber das Ziel\par "
        rb"Empf\'e4nger: <gustav@example.org>\par\par 550 5.7.1 Abgelehnt \u8211?\par}"
    )
    html_rtf = (
        rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0 Arial;}}{\*\htmltag64 <p>}"
        rb"\htmlrtf {\htmlrtf0 Delivery has failed to these recipients:"
        rb"{\*\htmltag72 </p>}\htmlrtf }\htmlrtf0 {\*\htmltag64 <p>}hanna@example.org{\*\htmltag72 </p>}{\*\htmltag64 <p>}"
        rb"Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound'\htmlrtf \par\htmlrtf0 {\*\htmltag72 </p>}}"
    )
    forwarded = {
        0x001A: "IPM.Note",
        0x0037: "FW: what is this?",
        0x0C1A: "Kim",
        0x0C1F: "kim@sender.example",
        0x1000: "See below, what does it want?",
    }
    delayed = {**head, 0x001A: "REPORT.IPM.Note.Delayed.DR", 0x0037: "Delivery delayed: Your November statement", 0x1000: "Delivery is delayed."}
    french = "Échec de la remise pour ces destinataires :\r\n\r\nrené@exemple.example\r\n550 5.1.1 boîte inconnue\r\n"
    old = {0x001A: "REPORT.IPM.Note.NDR", 0x0037: "Non remis : été", 0x0C1A: "Système", 0x1000: french}
    html = "<html><body><p>Ihre Nachricht an <b>jörg@example.org</b> konnte nicht zugestellt werden.</p>"
    html += "<p>554 5.7.1 Abgelehnt: Prüfung</p></body></html>"
    html_head = {0x001A: "IPM.Note", 0x0037: "Unzustellbar: Gruß", 0x0C1F: "postmaster@example.org"}
    zipped = attached("virus.zip", b"PK\x03\x04" + b"\0" * 5000), attached("run.exe", b"MZ" + b"\1" * 5000)
    eml = (BOUNCES / "postfix-dsn.eml").read_bytes()
    receipt = {0x001A: "REPORT.IPM.Note.IPNRN", 0x0037: "Read: Your November statement", 0x1000: "Your message was read on Monday."}
    away = {0x001A: "IPM.Note.Rules.OofTemplate.Microsoft", 0x0037: "Gone fishing", 0x0C1F: "lea@example.org", 0x1000: "I am back on Monday."}
    return {
        "ndr": file_of(message({**head, 0x007D: headers, 0x1000: NDR_TEXT}, recipients=[anna, ben], attachments=[back])),
        "ndr-rtf": file_of(message({**head, 0x0C1F: "postmaster@sender.example"}, binary={0x1009: compressed(rtf)})),
        "ndr-rtf-html": file_of(message(head, binary={0x1009: compressed(html_rtf)}, attachments=[back])),
        "ndr-codepage": file_of(message(old, page=1252)),
        "html": file_of(message(html_head, binary={0x1013: html.encode("cp1252")}, page=1252)),
        "delayed": file_of(message(delayed, recipients=[{**anna, 0x0C1B: "<mx.example.net #4.4.1 smtp;451 4.4.1 Come back later>"}])),
        "delivered": file_of(message({**head, 0x001A: "REPORT.IPM.Note.DR", 0x0037: "Delivered"}, recipients=[anna])),
        "forwarded-eml": file_of(message(forwarded, attachments=[*zipped, attached("Undelivered.eml", eml, "message/rfc822")])),
        "forwarded-embedded": file_of(
            message(forwarded, attachments=[embedded("Undeliverable", message({**head, 0x1000: NDR_TEXT}, recipients=[anna], embedded=True))])
        ),
        "forwarded-msg": file_of(
            message(forwarded, attachments=[attached("Undeliverable.msg", file_of(message({**head, 0x1000: NDR_TEXT}, recipients=[anna])))])
        ),
        "read-receipt": file_of(message(receipt)),
        "away": file_of(message(away)),
        "ordinary": file_of(message({**forwarded, 0x1000: "Lunch on Friday?"}, attachments=list(zipped))),
    }


if __name__ == "__main__":
    for name, data in ndr().items():
        (HERE / f"{name}.msg").write_bytes(data)
