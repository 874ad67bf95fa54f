"""Logs in columns: Exchange message tracking (#Fields), Microsoft 365 message traces (Get-MessageTrace, downloaded reports)."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from whybounce.intake.logs.common import bare, number, quick_codes
from whybounce.intake.logs.event import Event, LogEvent

# A column's name without spaces and punctuation, lower case -> what it holds. The first that a table has counts.
_MEANINGS = {
    "time": ("datetime", "datetimeutc", "dateutc", "received", "receivedutc", "origintimestamputc", "origintimestamp", "timestamp", "date"),
    "sender": ("senderaddress", "sender", "returnpath", "from"),
    "recipient": ("recipientaddress", "recipient", "recipients", "to"),
    "event": ("eventid", "event", "status", "deliverystatus"),
    "text": ("recipientstatus", "detail", "details", "reason", "statusreason"),
    "context": ("sourcecontext",),
    "message_id": ("messageid",),
    "queue_id": ("networkmessageid", "messagetraceid", "internalmessageid"),
    "size": ("totalbytes", "size", "messagesize", "bytes"),
    "client_ip": ("clientip", "originalclientip", "fromip"),
    "client": ("clienthostname",),
    "server_ip": ("serverip", "toip"),
    "server": ("serverhostname",),
}
_EVENTS = {
    "fail": Event.FAILED,
    "failed": Event.FAILED,
    "badmail": Event.FAILED,
    "poisonmessage": Event.FAILED,
    "drop": Event.FAILED,
    "quarantined": Event.FAILED,
    "defer": Event.DEFERRED,
    "deferred": Event.DEFERRED,
    "pending": Event.DEFERRED,
    "send": Event.DELIVERED,
    "sendexternal": Event.DELIVERED,
    "deliver": Event.DELIVERED,
    "delivered": Event.DELIVERED,
    "filteredasspam": Event.DELIVERED,
    "receive": Event.RECEIVED,
    "submit": Event.RECEIVED,
}
# Exchange 2013 and later, for rows pasted without their header.
_TRACKING = (
    "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,"
    "network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,"
    "sender-address,return-path,message-info,directionality"
)


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table: what each holds -> its place."""

    program: str
    delimiter: str
    places: dict[str, int]


def columns_of(header: str) -> Columns | None:
    """The columns that a header line names; None for a line that is no header of a mail log's table."""
    line = header.strip().lstrip("\ufeff")
    fields = line.removeprefix("#Fields:").strip()
    if len(line) > 4000 or (fields == line and fields.count(",") + fields.count("\t") + fields.count(";") < 2):
        return None
    delimiter = next((mark for mark in ("\t", ",", ";") if mark in fields), ",")
    names = ["".join(letter for letter in name.lower() if letter.isalnum()) for name in fields.split(delimiter)]
    places = {meaning: names.index(found) for meaning, aliases in _MEANINGS.items() if (found := next((a for a in aliases if a in names), ""))}
    if "event" not in places or "time" not in places or not ("recipient" in places or "text" in places):
        return None
    if "sequencenumber" in names:
        return None  # a protocol log
    return Columns("exchange-tracking" if "eventid" in names else "message-trace", delimiter, places)


_DEFAULT = columns_of("#Fields: " + _TRACKING)


def parse_row(line: str, columns: Columns | None = None) -> LogEvent | None:
    """The event of a row. Without `columns`: a row of an Exchange tracking log in its usual order."""
    table = columns or _DEFAULT
    if table is None or (columns is None and (line.count(",") < 20 or line[4:5] != "-")):
        return None
    try:
        cells = next(csv.reader([line], delimiter=table.delimiter), [])
    except csv.Error:
        return None

    def cell(meaning: str) -> str:
        place = table.places.get(meaning, -1)
        return cells[place].strip() if 0 <= place < len(cells) else ""

    word = cell("event")
    event = _EVENTS.get(word.lower().replace(" ", ""), Event.OTHER)
    if not cell("time")[:1].isdigit() or (columns is None and not (word.isupper() and word.isalpha())):
        return None
    recipients = [bare(address) for address in cell("recipient").split(";")]
    text = cell("text") or cell("context") if event in (Event.FAILED, Event.DEFERRED) else cell("text")
    text = text.removeprefix("Reason: ")
    code, enhanced = quick_codes(text.replace("{LED=", ": "))
    sent = event in (Event.FAILED, Event.DEFERRED, Event.DELIVERED)
    return LogEvent(
        program=table.program,
        event=event,
        time=cell("time"),
        queue_id=cell("queue_id") or cell("message_id"),
        recipient=recipients[0],
        more_recipients=tuple(recipients[1:100]),
        envelope_sender=bare(cell("sender")),
        remote_mta=cell("server") if sent and word.upper().startswith("SEND") else "",
        remote_ip=cell("server_ip") if sent and word.upper().startswith("SEND") else "",
        client="" if sent else cell("client"),
        client_ip="" if sent else cell("client_ip"),
        code=code,
        enhanced=enhanced,
        text=text or (word if event is Event.FAILED else ""),
        message_id=cell("message_id"),
        size=number(cell("size")),
    )
