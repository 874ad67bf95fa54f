"""Words by which a report is known in languages other than English: that a mail was not delivered, who was not reached, why.

They say what a line is, not what it means: causes are told from the knowledge. All are in lower case, with ' for every apostrophe.
"""

from __future__ import annotations

NOT_DELIVERED = (
    # German
    "nicht zugestellt", "unzustellbar", "nicht ausgeliefert", "nicht erreicht werden", "empfänger nicht erreicht",
    "fehler bei der nachrichtenzustellung",
    "nicht übermittelt", "zustellung fehlgeschlagen", "fehler bei der zustellung", "konnte nicht versendet", "konnte nicht gesendet",
    "adresse nicht gefunden", "zustellungsproblem", "nachricht blockiert", "wird zurückgesandt", "nicht zustellen", "an den absender zurück",
    # French
    "pas pu être remis", "pas été remis", "échec de la remise", "échec de remise", "échec de livraison", "pas pu être délivré",
    "pas pu être distribué",
    "pas été distribué", "non remis", "non distribu", "impossible de remettre", "impossible de distribuer", "pas été envoyé", "adresse introuvable",
    "n'a pas pu être livré", "pas été délivré", "pas pu être envoyé", "n'a pu être remis", "n'a pas pu être transmis",
    # Spanish
    "no se pudo entregar", "no se ha podido entregar", "no se ha entregado", "no entregado", "error de entrega", "no pudo ser entregado",
    "no se puede entregar", "no fue entregado", "no ha sido entregado", "no se entregó", "no se pudo enviar", "dirección no encontrada",
    "no se ha encontrado la dirección", "no se encontró la dirección", "no ha podido ser entregado",
    # Portuguese
    "não foi entregue", "não pôde ser entregue", "não pode ser entregue", "falha na entrega", "não entregue", "endereço não encontrado",
    "não foi possível entregar", "falha ao entregar", "não pôde ser enviada",
    # Italian
    "non è stato recapitato", "non è stato possibile recapitare", "recapito non riuscito", "impossibile recapitare", "non è stato consegnato",
    "non può essere recapitato", "mancata consegna", "mancato recapito", "indirizzo non trovato", "impossibile consegnare", "non recapitabile",
    "non è stato possibile consegnare", "non consegnato",
    # Dutch
    "niet bezorgd", "niet afgeleverd", "kan niet worden bezorgd", "bezorging is mislukt", "onbestelbaar", "niet worden afgeleverd",
    "adres niet gevonden",
    "kon niet worden bezorgd", "niet bestelbaar", "niet verzonden",
    # Swedish, Danish, Norwegian, Finnish
    "kunde inte levereras", "gick inte att leverera", "har inte levererats", "går inte att leverera", "kunne ikke leveres", "blev ikke leveret",
    "kan ikke leveres", "ble ikke levert", "kunne ikke afleveres", "er ikke blevet leveret", "kan inte levereras", "levererades inte",
    "ei voitu toimittaa",
    "toimitus epäonnistui", "toimittaminen epäonnistui", "ei toimitettu",
    # Polish, Czech, Slovak, Hungarian, Romanian
    "nie została dostarczona", "nie można dostarczyć", "nie dostarczono", "niedostarczona", "nie mogła zostać dostarczona",
    "nie udało się dostarczyć",
    "nemohla být doručena", "nelze doručit", "nebyla doručena", "nepodařilo doručit", "nebylo možné doručit", "nebola doručená",
    "nedoručiteľn", "nedoručiteln",
    "nem sikerült kézbesíteni", "kézbesíthetetlen", "nem kézbesíthető", "nem lehetett kézbesíteni", "sikertelen kézbesítés",
    "nu a putut fi livrat", "nu a fost livrat", "livrarea nu a reușit", "nelivrat",
    # Russian, Ukrainian, Bulgarian, Greek, Turkish
    "не доставлено", "не было доставлено", "не удалось доставить", "не может быть доставлено", "недоставлен", "невозможно доставить",
    "не может быть отправлено", "ошибка доставки", "не был доставлен", "не удалось отправить", "адрес не найден", "не вдалося доставити",
    "не доставлен", "не може да бъде доставен",
    "δεν ήταν δυνατή η παράδοση", "δεν παραδόθηκε", "αποτυχία παράδοσης", "δεν μπόρεσε να παραδοθεί",
    "teslim edilemedi", "iletilemedi", "gönderilemedi", "teslim edilememiştir", "iletilememiştir",
    # Japanese, Chinese, Korean
    "配信できません", "送信できません", "配送できません", "配達できません", "配信に失敗", "送信エラー", "お届けできません", "配信不能",
    "送信に失敗", "配信エラー", "届きませんでした", "送れませんでした",
    "配信されませんでした", "お送りできません", "アドレス不明", "宛先不明", "配送に失敗", "配信することができません", "送信することができません",
    "お届けすることができません",
    "无法送达", "未能送达", "无法将邮件传递", "退信", "投递失败", "无法投递", "发送失败", "未送达", "被退回", "无法传递", "没有送达", "找不到地址",
    "無法送達", "無法傳遞", "退件", "傳送失敗", "未能傳遞", "無法投遞", "寄送失敗", "遞送失敗", "投遞失敗",
    "전송하지 못", "배달하지 못", "전송 실패", "배달되지 않", "전달되지 않", "전송되지 않", "배달할 수 없", "전달할 수 없", "발송 실패", "반송",
    "전달하지 못", "주소를 찾을 수 없",
)  # fmt: skip
# What ends a label before a recipient's address.
RECIPIENT_LABELS = (
    "empfänger", "empfängeradresse", "empfänger-adresse", "destinataire", "adresse du destinataire", "destinatario", "destinatário", "dirección",
    "ontvanger", "geadresseerde", "mottagare", "modtager", "mottaker", "vastaanottaja", "odbiorca", "adresat", "příjemce", "címzett",
    "destinatar",
    "получатель", "адресат", "адрес получателя", "одержувач", "παραλήπτης", "alıcı", "宛先", "宛先アドレス", "送信先", "受信者", "受信者アドレス",
    "あて先",
    "收件人", "收件人地址", "收件人邮件地址", "收件者", "收信人", "收件人邮箱", "收信者", "받는 사람", "수신자", "받는사람", "수신인",
)  # fmt: skip
# What ends a label before the reason.
REASON_LABELS = (
    "grund:", "begründung:", "fehlermeldung:", "ursache:", "motif :", "motif:", "raison :", "raison:", "cause :", "erreur :", "motivo:",
    "razón:", "causa:",
    "error:", "motivo della mancata consegna:", "reden:", "oorzaak:", "orsak:", "årsag:", "årsak:", "syy:", "powód:", "przyczyna:",
    "důvod:", "ok:", "motiv:", "причина:",
    "ошибка:", "αιτία:", "neden:", "sebep:", "理由:", "理由：", "原因:", "原因：", "エラー内容:", "エラー内容：", "エラー:", "사유:", "사유 :",
    "원인:", "이유:",
    "antwort des remote-servers:", "die antwort lautete:", "antwort des servers:", "réponse du serveur distant :", "la réponse a été :",
    "la réponse était :",
    "respuesta del servidor remoto:", "la respuesta fue:", "a resposta foi:", "resposta do servidor remoto:", "la risposta è stata:",
    "risposta del server remoto:",
    "de reactie was:", "antwoord van de externe server:", "応答:", "応答：", "应答:", "回應:", "응답:", "ответ сервера:",
    "ответ удаленного сервера:",
)  # fmt: skip
# Names of the header fields that mail programs put above what they forward.
FROM_NAMES = frozenset((
    "from", "von", "de", "da", "van", "från", "fra", "lähettäjä", "od", "feladó", "de la", "от", "от кого", "від", "από", "kimden",
    "gönderen", "差出人", "送信者", "送信元",
    "发件人", "寄件者", "寄件人", "보낸 사람", "보낸사람", "expéditeur", "remetente", "mittente", "afzender",
))  # fmt: skip
TO_NAMES = frozenset((
    "to", "cc", "reply-to", "an", "à", "a", "para", "aan", "till", "til", "vastaanottaja", "do", "komu", "címzett", "către", "кому", "προς",
    "kime", "alıcı",
    "宛先", "收件人", "收件者", "받는 사람", "받는사람", "kopie", "copie à", "cópia", "копия", "抄送",
))  # fmt: skip
ABOUT_NAMES = frozenset((
    "subject", "date", "sent", "betreff", "datum", "gesendet", "objet", "date", "envoyé", "envoyé le", "asunto", "fecha", "enviado",
    "enviado el", "assunto", "data", "enviada em",
    "oggetto", "inviato", "onderwerp", "verzonden", "ämne", "skickat", "emne", "dato", "sendt", "aihe", "päivämäärä", "lähetetty", "temat",
    "wysłano", "předmět", "odesláno",
    "tárgy", "dátum", "elküldve", "subiect", "trimis", "тема", "дата", "отправлено", "дата отправки", "θέμα", "ημερομηνία", "konu", "tarih",
    "gönderildi", "件名", "日付",
    "送信日時", "日時", "主题", "发送时间", "日期", "主旨", "寄件日期", "傳送時間", "제목", "날짜", "보낸 날짜",
))  # fmt: skip
# Subjects of automatic replies of people who are away.
AWAY_SUBJECTS = (
    "abwesen", "automatische antwort", "nicht im büro", "im urlaub", "absence", "absent du bureau", "réponse automatique", "respuesta automática",
    "fuera de la oficina", "ausente", "resposta automática",
    "ausência", "fora do escritório", "risposta automatica", "fuori sede", "fuori ufficio", "assenza", "automatisch antwoord", "afwezig",
    "autosvar", "automatiskt svar", "frånvaro", "fraværende",
    "ikke på kontoret", "automaattinen vastaus", "poissa", "autoodpowiedź", "automatyczna odpowiedź", "nieobecno", "poza biurem",
    "automatická odpověď", "nepřítomn",
    "automatikus válasz", "házon kívül", "răspuns automat", "автоответ", "автоматический ответ", "отсутств", "автоматична відповідь",
    "αυτόματη απάντηση", "εκτός γραφείου",
    "otomatik yanıt", "otomatik cevap", "ofis dışında", "自動応答", "自動返信", "不在", "自动回复", "自動回覆", "不在办公室", "休假", "자동 회신",
    "자동 응답", "부재중",
)  # fmt: skip


def says_undelivered(lowered: str) -> bool:
    """True where a text (lower case) says in some language that a mail was not delivered."""
    if lowered.isascii():
        return any(mark in lowered for mark in _PLAIN)
    lowered = lowered.replace("’", "'") if "’" in lowered else lowered
    return any(mark in lowered for mark in NOT_DELIVERED)


_PLAIN = tuple(mark for mark in NOT_DELIVERED if mark.isascii())
