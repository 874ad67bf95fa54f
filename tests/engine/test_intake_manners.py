"""Bounces in the manner of many programs and services, in many charsets, with and without a code; and mails that are taken for bounces."""

from __future__ import annotations

import base64
from email.header import Header
from pathlib import Path

import pytest

from whybounce.intake import read

BOUNCES = Path(__file__).parents[1] / "data" / "bounces"
# recipient, code, enhanced code, the server that refused, words that its reply must hold
EXPECTED = {
    "groupwise": [("asta@gw.example.net", "550", None, "", "No such recipient")],
    "groupwise-reply": [("bella@gw.example.net", None, None, "", "Mailbox is over its size")],
    "google-groups": [("members@example.net", None, None, "", "the group you tried to contact")],
    "yandex": [("daria@example.net", "550", "5.7.1", "mx.example.net", "No such user")],
    "mailru": [("egor@mail.example", "550", None, "mxs.mail.example", "550 Message was not accepted")],
    "t-online": [("frieda@t-online.example", None, None, "", "unknown host")],
    "webde": [("gerd@webmail.example", None, None, "", "Postfach ist voll")],
    "1und1": [("hanne@example.net", "550", "5.1.1", "mx.example.net", "550 5.1.1 <hanne@example.net>: unknown here")],
    "sendgrid": [("ines@example.net", "550", "5.1.1", "", "550 5.1.1 The account")],
    "powermta": [("jan@example.net", None, None, "", ""), ("jo@example.net", None, None, "", "")],
    "mailgun": [("kirsten@example.net", "550", "5.1.1", "", "550 5.1.1")],
    "proofpoint": [("lars@example.net", "550", "5.7.1", "mx.example.net", "550 5.7.1 Message refused by policy 14")],
    "barracuda": [("mats@example.net", None, None, "", "unsolicited bulk")],
    "trendmicro": [("nora@example.net", "550", "5.1.1", "", "550 5.1.1 nobody of that name")],
    "docomo": [("otto@docomo.example", "550", None, "mfsmax.docomo.example", "550 Unknown user")],
    "ezweb": [("paula@ezweb.example", "550", None, "", "User unknown")],
    "ezweb-temporary": [("quirin@ezweb.example", None, None, "", "mailbox is full")],
    "softbank-ja": [("rin@softbank.example", None, None, "", "宛先のメールアドレスが見つかりませんでした")],
    "ja-sjis": [("sakura@example.jp", None, None, "", "容量が超過")],
    "ko-euckr": [("tae@example.kr", None, None, "", "존재하지 않습니다")],
    "zh-gb": [("ulan@example.cn", None, None, "", "收件人邮箱不存在")],
    "zh-gb-host": [("wu@example.cn", "550", "5.1.1", "mx.example.cn", "550 5.1.1 Mailbox not found")],
    "zh-big5": [("vivian@example.tw", None, None, "", "信箱空間已滿")],
    "de-words": [("xaver@firma.example", None, None, "", "Das E-Mail-Konto ist in der Organisation nicht vorhanden")],
    "fr-words": [("yves@societe.example", None, None, "", "La boîte aux lettres du destinataire est pleine")],
    "es-words": [("zoe@empresa.example", None, None, "", "el buzón no existe")],
    "ru-words": [("anton@firma.example", None, None, "", "Почтовый ящик переполнен")],
    "x400": [("bea@x400.example", None, None, "", "unrecognised OR name")],
    "messagelabs": [("cora@example.net", "550", "5.1.1", "[192.0.2.14]", "550 5.1.1 Unknown mailbox")],
    "mdaemon": [("dora@example.net", "550", "5.1.1", "", "550 5.1.1 <dora@example.net> not our customer")],
    "mdaemon-failed": [("erna@example.net", None, None, "", "no such user here")],
    "kerio": [("fritz@kerio.example", None, None, "", "Recipient unknown")],
    "zimbra": [("gisa@zimbra.example", "552", "5.2.2", "mail.zimbra.example", "552 5.2.2 Over quota")],
    "ccmail": [("hugo@cc.example", None, None, "", "User not found in the post office directory")],
    "exchange-2007": [("ida@ex.example", "550", "5.1.1", "", "RESOLVER.ADR.RecipNotFound")],
    "exchange-de": [("jens@ex.example", "550", "5.1.10", "", "550 5.1.10 RESOLVER.ADR.RecipientNotFound")],
    "nested": [("karl@example.net", "550", "5.2.1", "inner.example.net", "550 5.2.1 <karl@example.net> is closed")],
    "nested-brackets": [("lina@example.net", "550", "5.1.1", "inner.example.net", "550 5.1.1 unknown lina")],
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_program_s_manner_is_read(name: str) -> None:
    report = read((BOUNCES / f"{name}.eml").read_bytes())
    assert [(f.recipient, f.code, f.enhanced, f.remote_mta) for f in report.failures] == [row[:4] for row in EXPECTED[name]]
    for failure, row in zip(report.failures, EXPECTED[name], strict=True):
        assert row[4] in failure.text
        for key in ("recipient", "code", "enhanced"):
            span = failure.spans.get(key)
            assert span is None or report.text[span.start : span.end] == getattr(failure, key)


def test_of_two_servers_words_only_those_of_the_one_that_refused_are_kept() -> None:
    assert [f.text for f in read((BOUNCES / "nested.eml").read_bytes()).failures] == ["550 5.2.1 <karl@example.net> is closed"]
    assert [f.text for f in read((BOUNCES / "nested-brackets.eml").read_bytes()).failures] == ["550 5.1.1 unknown lina"]


def test_labels_in_other_languages_tell_recipient_and_reason() -> None:
    text = "メールを配信できませんでした。\nお問い合わせ help@provider.example へ\n\n宛先: <sakura@example.jp>\n\n理由: 容量が超過しています\n"
    failure = read(text.encode()).failures[0]
    assert (failure.recipient, failure.text) == ("sakura@example.jp", "容量が超過しています")
    text = "Ihre Nachricht konnte nicht zugestellt werden.\nFragen an hilfe@provider.example\n\nEmpfänger: jo@example.de\n\nGrund: Postfach voll\n"
    failure = read(text.encode()).failures[0]
    assert (failure.recipient, failure.text) == ("jo@example.de", "Postfach voll")


def mail(subject: str, text: str, charset: str = "utf-8", headers: str = "", sender: str = "lea@example.net") -> bytes:
    head = f"From: {sender}\nTo: news@sender.example\nSubject: {Header(subject, charset).encode()}\n{headers}"
    head += f"MIME-Version: 1.0\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: base64\n\n"
    return head.encode("ascii") + base64.encodebytes(text.encode(charset))


@pytest.mark.parametrize(
    ("subject", "text", "charset"),
    [
        ("Abwesenheitsnotiz: Angebot", "Ich bin bis Montag nicht im Haus.", "iso-8859-1"),
        ("Réponse automatique : devis", "Je suis de retour lundi.", "utf-8"),
        ("Respuesta automática: oferta", "Vuelvo el lunes.", "windows-1252"),
        ("Resposta automática: oferta", "Volto na segunda-feira.", "utf-8"),
        ("Risposta automatica: offerta", "Torno lunedì.", "iso-8859-15"),
        ("Automatisch antwoord: offerte", "Maandag ben ik er weer.", "utf-8"),
        ("Автоматический ответ: счёт", "Вернусь в понедельник.", "koi8-r"),
        ("自動応答: お見積り", "月曜日に戻ります。", "iso-2022-jp"),
        ("自动回复：报价", "我周一回来。", "gb18030"),
        ("자동 회신: 견적", "월요일에 돌아옵니다.", "euc-kr"),
        ("Autosvar: tilbud", "Jeg er tilbage på mandag.", "utf-8"),
        ("Automatyczna odpowiedź: oferta", "Wracam w poniedziałek.", "iso-8859-2"),
    ],
)
def test_the_note_of_somebody_away_is_no_bounce_in_any_language(subject: str, text: str, charset: str) -> None:
    report = read(mail(subject, text, charset))
    assert (report.kind, report.failures) == ("vacation", ())


@pytest.mark.parametrize(
    ("subject", "text", "headers", "kind"),
    [
        ("Statement", "Your mail waits until you answer.", "X-Delivery-Agent: TMDA/1.1\n", "challenge"),
        ("Your email requires verification verify#4711", "The message will be delivered once you reply.", "", "challenge"),
        ("Re: Statement", "Before it is shown, prove that you are a person: follow this link.", "Return-Path: <>\n", "challenge"),
        ("Your message to members awaits moderator approval", "It is not from a member of the list.", "", "moderation"),
        ("confirm 4f3a", "Answer this mail to join the list.", "", "confirmation"),
        ("Welcome", "Bitte klicken Sie hier, um Ihre Anmeldung zu bestätigen: confirm your subscription", "", "confirmation"),
        ("Lunch", "Meine letzte Mail konnte nicht zugestellt werden, deshalb noch einmal.", "", "ordinary-mail"),
    ],
)
def test_mails_that_are_taken_for_bounces_are_named(subject: str, text: str, headers: str, kind: str) -> None:
    report = read(mail(subject, text, headers=headers))
    assert (report.kind, report.failures) == (kind, ())
    assert report.notes


def test_a_part_that_only_outlook_opens_is_named() -> None:
    data = b"From: a@b.example\nSubject: FW\nTo: c@d.example\nContent-Type: multipart/mixed; boundary=x\n\n"
    data += b"--x\n\nSee this\n--x\nContent-Type: application/ms-tnef\n\nAA\n--x--\n"
    assert any("winmail.dat" in note for note in read(data).notes)
    assert "winmail.dat" in read(b"\x78\x9f\x3e\x22" + bytes(300)).notes[0]
