"""What is pasted becomes a case, whatever it is."""

from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.troubleshoot.conftest import UNKNOWN_USER, Paster
from troubleshoot.models import Case

VACATION = "From: anna@example.net\nTo: ben@example.org\nSubject: Out of office\nAuto-Submitted: auto-replied\n\nI am away until Monday."
ORDINARY = "From: anna@example.net\nTo: ben@example.org\nSubject: Lunch\nMessage-ID: <1@example.net>\n\nAt noon?"
COMPLAINT = (
    "From: fbl@example.net\nSubject: complaint\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
    "--b\nContent-Type: text/plain\n\nThis is an abuse report.\n--b\nContent-Type: message/feedback-report\n\n"
    "Feedback-Type: abuse\nUser-Agent: Test/1\nVersion: 1\n\n--b--\n"
)
DSN = """From: MAILER-DAEMON@mail.example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

I could not deliver your message.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; anna@example.net
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; 550 5.1.1 User unknown

Final-Recipient: rfc822; carl@example.com
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 552 5.2.2 mailbox over quota

--b--
"""


def page(client: Client, case: Case) -> str:
    response = client.get(case.get_absolute_url())
    assert response.status_code == 200
    return response.content.decode()


def test_it_opens_a_case_whose_page_says_why_and_who_must_act(client: Client, paste: Paster) -> None:
    html = page(client, paste(UNKNOWN_USER))
    assert "<h1" in html
    assert "Title of unknown-user" in html
    assert 'class="tag who who-sender"' in html
    assert "Permanent:" in html


def test_it_fills_the_steps_with_the_names_of_the_case(client: Client, paste: Paster) -> None:
    html = page(client, paste(UNKNOWN_USER))
    assert 'Compare <b class="own">anna@example.net</b> letter by letter.' in html
    assert '<pre class="step-code">dig +short <b class="own">example.net</b> MX</pre>' in html
    assert 'Your server <b class="own">mx.example.net</b> refused' in html


def test_it_marks_the_facts_in_the_pasted_text(client: Client, paste: Paster) -> None:
    html = page(client, paste(UNKNOWN_USER))
    assert '<mark class="mark-a" title="Reply code">550</mark>' in html
    assert '<mark class="mark-c" title="Recipient">anna@example.net</mark>' in html


def test_it_says_where_on_the_way_the_message_failed(client: Client, paste: Paster) -> None:
    assert "The message&#x27;s way: it failed at “Mailbox”." in page(client, paste(UNKNOWN_USER))


def test_it_reads_an_uploaded_file(client: Client) -> None:
    response = client.post("/paste/", {"text": "", "file": SimpleUploadedFile("bounce.eml", DSN.encode())})
    case = Case.objects.get()
    assert response["Location"] == f"/cases/{case.public_id}/"
    assert [row.recipient for row in case.failures.all()] == ["anna@example.net", "carl@example.com"]


def test_it_gives_back_what_was_pasted_byte_for_byte(client: Client, paste: Paster) -> None:
    case = paste("550 5.1.1 \x00 wörld\r\n")
    response = client.get(f"{case.get_absolute_url()}pasted/")
    assert response.content == "550 5.1.1 \x00 wörld\r\n".encode()
    assert response["Content-Disposition"].startswith("attachment")


def test_it_asks_for_something_where_nothing_was_pasted(client: Client) -> None:
    response = client.post("/paste/", {"text": "  \n "})
    assert response.status_code == 422
    assert "There is nothing here yet" in response.content.decode()
    assert not Case.objects.exists()


def test_it_keeps_the_typed_text_where_the_file_is_too_large(client: Client) -> None:
    large = SimpleUploadedFile("big.eml", b"x" * 25_000_001)
    response = client.post("/paste/", {"text": "what I typed", "file": large})
    assert response.status_code == 422
    html = response.content.decode()
    assert "more than 25 MB" in html
    assert "what I typed" in html


def test_it_says_so_where_the_text_is_too_large_to_be_taken_in_at_all(client: Client, settings: object) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = client.post("/paste/", {"text": "x" * 2000})
    assert response.status_code == 413
    assert "more than 25 MB" in response.content.decode()


def test_it_needs_the_token_of_its_own_form() -> None:
    assert Client(enforce_csrf_checks=True).post("/paste/", {"text": "550"}).status_code == 403


def test_a_code_alone_gets_ranked_causes_a_question_and_its_page(client: Client, paste: Paster) -> None:
    html = page(client, paste("550"))
    assert "Who is affected?" in html
    assert 'href="/codes/550/"' in html
    assert "Title of unknown-user" in html


def test_a_code_that_does_not_exist_is_named_as_such(client: Client, paste: Paster) -> None:
    html = page(client, paste("999"))
    assert "defines no reply code 999" in html
    assert 'href="/codes/999/"' not in html


@pytest.mark.parametrize(
    ("text", "headline"),
    [
        (VACATION, "This is an automatic absence note, not a bounce"),
        (ORDINARY, "This is an ordinary e-mail, not a bounce"),
        (COMPLAINT, "This is a spam complaint, not a bounce"),
        ("The quick brown fox", "No reply of a mail server was found in this text"),
        ("%PDF-1.7 \x01\x02", "This is a file that holds no text"),
    ],
)
def test_what_is_no_bounce_gets_a_page_that_says_so_and_what_would_help(client: Client, paste: Paster, text: str, headline: str) -> None:
    html = page(client, paste(text))
    assert headline in html
    assert "What would help" in html
    assert "?ask=who-is-affected" in html


def test_the_text_that_is_no_bounce_stands_in_the_form_again(client: Client, paste: Paster) -> None:
    html = page(client, paste("The quick brown fox <b>"))
    assert "The quick brown fox &lt;b&gt;</textarea>" in html.replace("\n", "")


def test_a_code_within_text_that_is_no_bounce_leads_to_its_page(client: Client, paste: Paster) -> None:
    assert 'href="/codes/550/"' in page(client, paste(VACATION.replace("Monday", "550 Monday")))


def test_what_is_no_bounce_can_be_gone_on_with_from_the_symptoms(client: Client, paste: Paster) -> None:
    case = paste(VACATION)
    html = client.get(f"{case.get_absolute_url()}?ask=who-is-affected").content.decode()
    assert "Who is affected?" in html
    client.post(f"{case.get_absolute_url()}answer/", {"question": "who-is-affected", "answer": "all"})
    assert "Title of ip-listed" in page(client, case)


def test_markup_and_hidden_characters_of_a_paste_are_shown_and_not_obeyed(client: Client, paste: Paster) -> None:
    html = page(client, paste("550 5.1.1 <script>alert(1)</script> \u202eevil\x1b[31m user unknown"))
    assert "<script>alert" not in html
    assert "\u202e" not in html
    assert "[U+202E]evil\u241b[31m" in html


@pytest.mark.parametrize("text", ["\ud800 550 5.1.1 user unknown", "550 " + "a" * 300_000, "5" * 5000, "<" * 4000, "550\r\n\r\n550 5.1.1\x00\x00"])
def test_hostile_text_never_breaks_the_page(client: Client, text: str) -> None:
    body = urlencode({"text": text.encode("utf-8", "surrogatepass")})
    response = client.post("/paste/", body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 302
    assert client.get(response["Location"]).status_code == 200


def test_a_long_text_without_facts_is_cut_short_on_the_page(client: Client, paste: Paster) -> None:
    html = page(client, paste("550 5.1.1 user unknown\n\n" + "From: a@example.org\n" * 2000))
    assert "characters left out here" in html
    assert len(html) < 80_000


def test_a_password_in_a_session_is_not_kept(paste: Paster) -> None:
    session = (Path(__file__).parent.parent / "data/sessions/swaks-auth.txt").read_text()
    lines = session.splitlines()
    secrets = [lines[number + 2].split()[-1] for number, line in enumerate(lines) if "AUTH LOGIN" in line and " ~> " in line]
    case = paste(session)
    case.refresh_from_db()
    assert secrets
    for secret in secrets:
        assert secret not in case.text
        assert secret.encode() not in bytes(case.pasted)
    assert b"AUTH LOGIN" in bytes(case.pasted)


def test_a_password_in_a_stack_trace_is_not_kept(paste: Paster) -> None:
    case = paste(
        'Traceback (most recent call last):\n  File "send.py", line 9, in <module>\n    smtp.login("news", "tell-nobody")\n'
        "smtplib.SMTPAuthenticationError: (535, b'5.7.8 Authentication credentials invalid')\n"
    )
    case.refresh_from_db()
    assert "tell-nobody" not in case.text
    assert b"tell-nobody" not in bytes(case.pasted)
    assert b"smtp.login" in bytes(case.pasted)
