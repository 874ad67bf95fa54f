"""Which command was refused, from the words that mail servers put around the reply."""

from __future__ import annotations

import re

from whybounce.failure import Stage

# The command's name as the programs write it, by its first letters, lower case, one space.
_COMMANDS = (
    ("end of data", Stage.MESSAGE),
    ("final data", Stage.MESSAGE),
    ("message body", Stage.MESSAGE),
    ("data send", Stage.MESSAGE),
    ("text", Stage.MESSAGE),
    ("bdat", Stage.MESSAGE),
    ("rcpt", Stage.RCPT),
    ("mail", Stage.MAIL),
    ("data", Stage.DATA),
    ("initial", Stage.CONNECT),
    ("connect", Stage.CONNECT),
    ("banner", Stage.CONNECT),
    ("greeting", Stage.CONNECT),
    ("ehlo", Stage.EHLO),
    ("helo", Stage.EHLO),
    ("lhlo", Stage.EHLO),
    ("starttls", Stage.STARTTLS),
    ("tls", Stage.STARTTLS),
    ("auth", Stage.AUTH),
)
# Postfix "in reply to", Exim "server after", 1&1 "server for", DragonFly "did not like our", Postfix "while sending".
_AROUND = re.compile(
    r"(?:in\s+(?:reply|response)\s+to|server\s+(?:after|for)|while\s+(?:sending|receiving|performing)|did\s+not\s+like\s+our|error\s+following|STEP:)"
    r"\s+(?:the\s+|pipelined\s+|sending\s+)*(\w+(?:\s+\w+){0,2})",
    re.ASCII | re.IGNORECASE,
)
_MARKS = ("reply", "response", "server", "while", "like", "following", "step:")
_PHRASES = (
    ("does not like recipient", Stage.RCPT),  # qmail-remote and its children
    ("sender was rejected", Stage.MAIL),
    ("failed after i sent the message", Stage.MESSAGE),
    ("failed on data command", Stage.DATA),
    ("my name was rejected", Stage.EHLO),
    ("greeting failed", Stage.CONNECT),
    ("refused to talk to me", Stage.CONNECT),
    ("[rcpt_to]", Stage.RCPT),  # Yahoo
    ("[mail_from]", Stage.MAIL),
    ("smtp:rcpt", Stage.RCPT),
    ("smtp:mail", Stage.MAIL),
    ("smtp:data", Stage.DATA),
)


def command_stage(words: str) -> Stage:
    """`"RCPT TO"`, `"end of DATA"`, `"initial connection"` -> the stage; EMPTY for anything else."""
    lowered = " ".join(words.lower().split())
    for name, stage in _COMMANDS:
        if lowered.startswith(name):
            return stage
    return Stage.EMPTY


def read_stage(text: str, start: int, end: int) -> tuple[Stage, int, int]:
    """The stage named in text[start:end] and where it stands; the last one counts, being the innermost server's."""
    found = (Stage.EMPTY, start, start)
    lowered = text[start:end].lower()
    for match in _AROUND.finditer(text, start, end) if any(mark in lowered for mark in _MARKS) else ():
        stage = command_stage(match[1])
        if stage:
            found = (stage, match.start(), match.end())
    if found[0]:
        return found
    for phrase, stage in _PHRASES:
        at = lowered.find(phrase)
        if at >= 0 and len(lowered) == end - start:
            return stage, start + at, start + at + len(phrase)
    if lowered.startswith("connect to "):
        return Stage.CONNECT, start, start + len("connect to")
    return found
