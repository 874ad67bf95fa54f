"""What MTA-STS publishes, as values: the TXT record (RFC 8461 section 3.1) and the policy file (section 3.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from whybounce.checks.guard import shown

MODES = ("enforce", "testing", "none")
MAX_MAX_AGE = 31_557_600

_ID = re.compile(r"[A-Za-z0-9]{1,32}", re.ASCII)
_FIELD = re.compile(r"[ \t]*([A-Za-z0-9][A-Za-z0-9_.-]*)[ \t]*=[ \t]*([\x21-\x3a\x3c\x3e-\x7e]+)[ \t]*", re.ASCII)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class TxtRecord:
    """The record at _mta-sts. `problem`: the end of a sentence about what is wrong; "" where nothing is."""

    id: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy file. `mx` are host names or patterns ("*.example.com"), in lower case; `problems` the ends of sentences."""

    mode: str = ""
    mx: tuple[str, ...] = ()
    max_age: int | None = None
    problems: tuple[str, ...] = ()


def policy_host(domain: str) -> str:
    return f"mta-sts.{domain}"


def policy_url(domain: str) -> str:
    """RFC 8461 section 3.3."""
    return f"https://{policy_host(domain)}/.well-known/mta-sts.txt"


def is_sts(text: bytes) -> bool:
    """Whether a TXT record is one for MTA-STS: others are discarded before they are counted (RFC 8461 section 3.1)."""
    return text.startswith(b"v=STSv1;")


def parse_txt(text: str) -> TxtRecord:
    """`v=STSv1; id=20160831085700Z;`."""
    version, *fields = text.split(";")
    if fields and not fields[-1].strip(" \t"):
        fields.pop()
    if version.rstrip(" \t") != "v=STSv1":
        return TxtRecord(problem="it does not begin with v=STSv1;")
    found: dict[str, str] = {}
    for number, part in enumerate(fields):
        match = _FIELD.fullmatch(part)
        if match is None:
            name, _, value = part.strip(" \t").partition("=")
            found.setdefault(name, value)
            if name == "id":
                continue
            return TxtRecord(problem=f"{shown(part.strip(), 100) or 'an empty field'} is no field of the form name=value" + f" (field {number + 2})")
        found.setdefault(match[1], match[2])
    if "id" not in found:
        return TxtRecord(problem="the id is missing")
    if not _ID.fullmatch(found["id"]):
        return TxtRecord(problem=f"the id must be 1 to 32 letters and digits, and {shown(found['id'], 100) or 'an empty one'} is not")
    return TxtRecord(found["id"])


def parse_policy(text: str) -> Policy:
    """The fields of a policy file; of a field other than mx the first counts."""
    fields: dict[str, str] = {}
    patterns: list[str] = []
    problems: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line.strip(" \t"):
            continue  # senders are lenient with empty lines, and so no mail depends on them
        key, colon, value = line.partition(":")
        key, value = key.strip(" \t"), value.strip(" \t")
        if not colon or not key:
            problems.append(f"{shown(line, 100)} is no line of the form key: value")
        elif key == "mx":
            patterns.append(value.lower().removesuffix("."))
        else:
            fields.setdefault(key, value)
    problems = problems[:1] + _field_problems(fields, patterns)
    age = fields.get("max_age", "")
    max_age = int(age) if re.fullmatch(r"[0-9]{1,10}", age, re.ASCII) else None
    return Policy(fields.get("mode", ""), tuple(patterns), max_age, tuple(problems))


def _field_problems(fields: dict[str, str], patterns: list[str]) -> list[str]:
    problems = []
    if fields.get("version") != "STSv1":
        problems.append("version: STSv1 is missing")
    mode = fields.get("mode")
    if mode is None:
        problems.append("the mode is missing")
    elif mode not in MODES:
        problems.append(f"the mode must be enforce, testing or none, and {shown(mode, 50)} is not")
    age = fields.get("max_age")
    if age is None:
        problems.append("max_age is missing")
    elif not re.fullmatch(r"[0-9]{1,10}", age, re.ASCII) or int(age) > MAX_MAX_AGE:
        problems.append(f"max_age must be a number of seconds up to {MAX_MAX_AGE}, and {shown(age, 50)} is not")
    if mode != "none" and not patterns:
        problems.append("no mx is named")
    problems += [f"mx: {shown(pattern, 100)} is no host name" for pattern in patterns if not _is_pattern(pattern)][:1]
    return problems


def _is_pattern(pattern: str) -> bool:
    labels = pattern.removeprefix("*.").split(".")
    return len(labels) > 1 and len(pattern) <= 255 and all(len(label) <= 63 and _LABEL.fullmatch(label) for label in labels)


def matches(host: str, patterns: Iterable[str]) -> bool:
    """RFC 8461 section 4.1: a wildcard stands for exactly the leftmost label."""
    host = host.lower().removesuffix(".")
    parent = host.partition(".")[2]
    return any(pattern == host or (pattern.startswith("*.") and bool(parent) and pattern[2:] == parent) for pattern in patterns)
