"""The reason in a report's text, where the recipient's own lines hold none: dialogues, quoted replies, labelled paragraphs."""

from __future__ import annotations

from whybounce.failure import Stage
from whybounce.intake.codes import leading_code, skip
from whybounce.intake.languages import REASON_LABELS
from whybounce.intake.page import lines_of, trim
from whybounce.intake.stages import command_stage

# A paragraph or line that follows one of these (lower case) says why; the first that occurs is used.
_LABELS = (
    "-server message",  # m-FILTER
    "error message below",  # Apache James, Verizon
    "additional information follows",  # Mimecast
    "could not be delivered because of",  # MailMarshal
    "technical details of permanent failure",  # Gmail
    "technical details of temporary failure",
    "for the following reason",  # 1&1, MailFoundry
    "because:",  # Domino
    "generated during the delivery attempt",  # Exim, a pipe's output
    "were\nincorrectly constructed",  # Exim
    "non-delivered information",  # Biglobe
    "reason:",
    "diagnostic code:",
    "responded as follows",
    "the problem appears to be",
    "transcript of session follows",  # sendmail
    "technical details",
    *REASON_LABELS,
)
_QUOTED = (
    " said:", "returned was:", "failed with:", "response was:", "remote server was:", "host said", "returned '", "smtp error from",
    "smtp:rcpt", "smtp:mail", "did not like our",
)  # fmt: skip


def find_dialogue(text: str, start: int, end: int, recipient: str = "") -> tuple[int, int, Stage] | None:
    """The refusal in a dialogue of `>>> command` and `<<< reply` lines (sendmail, Courier, au) or `Sent <<<` / `Received >>>`
    (InterScan), with the stage of its command: the one that names the recipient, else the first."""
    best: tuple[int, int, Stage] | None = None
    stage = Stage.EMPTY
    about = leaving = False
    lines = list(lines_of(text, start, end))
    for number, (line_start, line_end) in enumerate(lines):
        at = skip(text, line_start, line_end, " \t")
        if text.startswith(("Sent <<< ", ">>> "), at):
            command = text[text.find(" ", at + 4) + 1 if text[at] == "S" else at + 4 : line_end]
            command = command.removeprefix("<<< ")
            stage = Stage.MESSAGE if command.strip() == "." else command_stage(command)
            about = bool(recipient) and recipient.lower() in command.lower()
            leaving = command.strip().upper() in ("QUIT", "RSET")
            continue
        mark = 4 if text.startswith("<<< ", at) else 13 if text.startswith("Received >>> ", at) else 0
        if not mark or leaving or leading_code(text, at + mark, line_end) is None or text[at + mark] not in "45":
            continue
        stop = line_end
        following = number + 1
        while following < len(lines) and text.startswith("<<< " + text[at + mark : at + mark + 3], lines[following][0]):
            stop = lines[following][1]
            following += 1
        if stage is Stage.DATA and _pipelined(text, at, stop, lines[following : following + 3], recipient):
            stage = Stage.RCPT
        if best is None or (about and recipient):
            best = (at + mark, stop, stage)
            if about or not recipient:
                return best
    return best


def _pipelined(text: str, at: int, stop: int, following: list[tuple[int, int]], recipient: str) -> bool:
    """sendmail sends MAIL, RCPT and DATA at once (RFC 2920) and notes the last alone: a reply about the recipient, or one
    before another refusal ("503 Need RCPT"), answers RCPT."""
    if recipient and recipient.lower() in text[at:stop].lower():
        return True
    return any(
        (text.startswith(("<<< 503", "<<< 554"), start) and "recipient" in text[start:end].lower())
        or (recipient and text.startswith(f"<{recipient}>... ", text.find("<", start, end)) and text[start] in "45")
        for start, end in following
    )


def find_quoted(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The paragraph with a quoted reply (`host ... said: ...`)."""
    lowered = text[start:end].lower()
    if len(lowered) != end - start:
        return None
    for mark in _QUOTED:
        at = lowered.find(mark)
        if at >= 0:
            found = paragraph_at(text, start, start + at, end)
            if found[1] <= start + at + len(mark):  # the reply is the paragraph below
                return next_paragraph(text, found[1], end)
            return _continued(text, *found, end)
    return None


def _continued(text: str, start: int, stop: int, end: int) -> tuple[int, int]:
    """Past empty lines between the continuation lines of one reply ("550-..." with more to come), as DragonFly leaves them."""
    while True:
        last = text.rfind("\n", start, stop) + 1 or start
        code = leading_code(text, last, stop)
        if code is None or text[last + 3 : last + 4] != "-":
            return start, stop
        following = next_paragraph(text, stop, end)
        if following is None or not text.startswith(code, following[0]):
            return start, stop
        stop = following[1]


def find_coded_line(text: str, start: int, end: int) -> tuple[int, int] | None:
    """From a line that begins with a reply of class 4 or 5 to the end of its paragraph, or to the next such reply."""
    for line_start, line_end in lines_of(text, start, end):
        at = skip(text, line_start, line_end, " \t(\"'#")
        code = leading_code(text, at, line_end)
        if code is None or code[0] not in "45" or line_end - at < 5:
            continue
        stop = line_end
        for next_start, next_end in lines_of(text, line_end + 1, end):
            line = text[next_start:next_end].strip()
            again = leading_code(line, 0, len(line))
            if not line or line.startswith(("<<<", ">>>", "--", "QUIT", "RSET")) or (again and not line.startswith(code)):
                break
            stop = next_end
            if again and text[at + 3 : at + 4] != "-":
                stop = line_end
                break
        return at, stop
    return None


def find_labelled(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The rest of the line after a label, or the paragraph below it."""
    lowered = text[start:end].lower()
    if len(lowered) != end - start:
        return None
    for label in _LABELS:
        at = lowered.find(label)
        if at < 0:
            continue
        after = start + at + len(label)
        stop = text.find("\n", after, end)
        stop = end if stop < 0 else stop
        rest_start, rest_end = trim(text, skip(text, after, stop, " :-=*\t"), stop)
        if rest_end > rest_start and "." not in label:
            return paragraph_at(text, rest_start, rest_start, end)
        found = next_paragraph(text, stop, end)
        if found:
            return found
    return None


def paragraph_at(text: str, start: int, at: int, end: int) -> tuple[int, int]:
    """The paragraph (lines up to an empty one) around `at`, within start and end."""
    top = at
    while top > start:
        line = text.rfind("\n", start, top)
        if line < 0:
            top = start
            break
        before = text.rfind("\n", start, line)
        if not text[before + 1 if before >= 0 else start : line].strip():
            top = line + 1
            break
        top = line
    stop = at
    for line_start, line_end in lines_of(text, at, end):
        if not text[line_start:line_end].strip():
            break
        stop = line_end
    return trim(text, top, max(stop, at))


def next_paragraph(text: str, at: int, end: int) -> tuple[int, int] | None:
    """The next paragraph that says something; rules of dashes are passed over."""
    begin = -1
    stop = at
    for line_start, line_end in lines_of(text, at, end):
        line = text[line_start:line_end].strip()
        if not line.strip("-=* _#.") or (begin < 0 and (line.startswith(("---", "===", "***")) or line.endswith(("---", "===", "***")))):
            if begin >= 0:
                break
            continue
        if begin < 0:
            begin = line_start
        elif line.startswith(("--", "==", "**")):
            break
        stop = line_end
    if begin < 0:
        return None
    start, stop = trim(text, begin, stop)
    if text.startswith("-- ", start):
        start += 3
    return start, stop
