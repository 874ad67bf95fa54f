"""Log lines of mail servers, in two layers.

    parse_line(line)     one line of any program's log -> LogEvent, or None; fast, for logs of millions of lines
    Joiner               takes events and gives what became of each recipient: retries joined, later success counted
    failure_of(event)    one event -> DeliveryFailure, for a log that is read line by line
    read(text)           a paste of lines -> IntakeReport with spans, or None where it is no log
    columns_of, parse_row, Dialogues: logs whose lines need a header (Exchange, Microsoft 365) or the lines before them (SMTP protocol logs)

The programs are listed in registry.py.
"""

from whybounce.intake.logs.event import Event, LogEvent
from whybounce.intake.logs.join import Joiner, Outcome
from whybounce.intake.logs.protocol import Dialogues
from whybounce.intake.logs.reading import failure_of, read
from whybounce.intake.logs.registry import parse_line
from whybounce.intake.logs.tables import Columns, columns_of, parse_row

__all__ = ["Columns", "Dialogues", "Event", "Joiner", "LogEvent", "Outcome", "columns_of", "failure_of", "parse_line", "parse_row", "read"]
