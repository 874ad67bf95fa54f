"""The DMARC record to publish: RFC 9989."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from whybounce.checks.guard import shown
from whybounce.publish.mailboxes import mailbox_for, mended_uris, report_warnings
from whybounce.publish.values import Proposal, Published, Seen, Wanted, nothing, proposal

POLICIES = ("none", "quarantine", "reject")
_TAGS = ("v", "p", "sp", "np", "adkim", "aspf", "fo", "psd", "rua", "ruf", "t")
# Of RFC 7489, no longer in RFC 9989.
_REMOVED = ("pct", "rf", "ri")
_VALUES = {
    "adkim": re.compile(r"[rs]"),
    "aspf": re.compile(r"[rs]"),
    "fo": re.compile(r"[01ds](:[01ds])*"),
    "psd": re.compile(r"[ynu]"),
    "t": re.compile(r"[yn]"),
}
# A tag that begins without a semicolon before it.
_GLUED = re.compile(rf"[\s,]+(?=(?:{'|'.join((*_TAGS, *_REMOVED))})\s*=)", re.IGNORECASE)


@dataclass(slots=True)
class _Record:
    """One record's tags that can be kept, in their order, and what was wrong with the others, as sentences.

    in_force    receivers act on the record as it stands: it begins with v=DMARC1
    """

    tags: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    in_force: bool = True

    def policy(self, name: str = "p") -> int:
        """How strict, as a number: sp falls back to p, and np to sp."""
        if name in self.tags:
            return POLICIES.index(self.tags[name])
        return {"p": 0}.get(name, -1) if name == "p" else self.policy("sp" if name == "np" else "p")


def is_dmarc(text: str) -> bool:
    """Whether a TXT record at _dmarc was meant for DMARC, be it written wrongly; another is left alone."""
    return "dmarc1" in text.lower() or re.match(r"\s*p\s*=", text, re.IGNORECASE) is not None


def propose_dmarc(seen: Seen, wanted: Wanted) -> Proposal:
    """None -> one that only asks for reports; several -> one; mistakes mended; never a stricter policy than there is."""
    name = f"_dmarc.{seen.domain}"
    if not seen.exists:
        return nothing(name, f"The domain {seen.domain} does not exist in DNS, so no record can be published for it.")
    if seen.dmarc is None:
        return nothing(name, f"What is published at {name} could not be found out, so nothing is proposed.")
    if not seen.dmarc.texts:
        return _first(name, seen, wanted)
    records = [_read(text) for text in seen.dmarc.texts]
    whole = records[0] if len(records) == 1 else _merged(records)
    notes = list(whole.notes)
    if wanted.report_to and "rua" not in whole.tags:
        mailbox = mailbox_for(seen.domain, wanted)
        whole.tags["rua"] = f"mailto:{mailbox}"
        notes.append(f"Reports go to {mailbox}.")
    if not notes:
        return nothing(name, f"The DMARC record of {seen.domain} is in order.", seen.dmarc)
    warnings = list(report_warnings(seen.domain, whole.tags.get("rua", ""), "DMARC"))
    if not whole.in_force and whole.policy():
        policy = POLICIES[whole.policy()]
        warnings.append(f"Receivers ignore what is published now. With the new one p={policy} takes effect for mail that fails DMARC.")
    return proposal(name, seen.dmarc, _text(whole), " ".join(notes), tuple(warnings))


def _first(name: str, seen: Seen, wanted: Wanted) -> Proposal:
    if seen.dmarc_above:
        return nothing(name, f"{seen.domain} has no DMARC record of its own and needs none: that of {seen.dmarc_above} holds for it.")
    mailbox = mailbox_for(seen.domain, wanted)
    why = f"{seen.domain} has no DMARC record. This one changes nothing about delivery and asks receivers for reports, which show whose mail passes."
    warnings = report_warnings(seen.domain, f"mailto:{mailbox}", "DMARC", bool(wanted.report_to))
    return proposal(name, Published(ttl=None), f"v=DMARC1; p=none; rua=mailto:{mailbox}", why, warnings)


def _read(text: str) -> _Record:
    """One record's tags. RFC 9989 section 4.7: name=value pairs with semicolons between, v=DMARC1 first."""
    record = _Record()
    pieces = [piece.strip() for part in text.split(";") for piece in _GLUED.split(part) if piece.strip()]
    if not re.match(r"v\s*=\s*DMARC1\s*(;|$)", text):
        record.in_force = text.startswith("v=DMARC1")
        record.notes.append("The record must begin with v=DMARC1, and a semicolon must stand between tags.")
    pct = 100
    for piece in pieces:
        key, equals, value = (part.strip() for part in piece.partition("="))
        key = key.lower()
        if key == "v" or (not equals and key == "dmarc1"):
            continue
        if key in _REMOVED and equals:
            pct = int(value) if key == "pct" and value.isascii() and value.isdigit() and len(value) < 4 else pct
            record.notes.append(f"{key}= was removed by RFC 9989 and is left out.")
        elif key not in _TAGS or not equals:
            record.notes.append(f"{shown(piece, 100)} is no tag of DMARC and is left out.")
        elif key in record.tags:
            record.notes.append(f"{key}= stood more than once; the first one is kept.")
        else:
            _take(record, key, value)
    if "p" not in record.tags:
        record.notes.append("p= was missing, which receivers take as none.")
        record.tags["p"] = "none"
    if pct < 100:
        _lower(record, pct)
    return record


def _take(record: _Record, key: str, value: str) -> None:
    """Keep a tag, mended where it is clear what was meant."""
    lower = value.lower()
    if key in ("p", "sp", "np"):
        if lower in POLICIES:
            record.tags[key] = lower
        elif key == "p":
            record.tags[key] = "none"
            record.notes.append(
                f"p={shown(value, 50)} is no policy. Receivers take it as none, and so does this record; write the policy you meant once reports show"
                " that your own mail passes."
            )
        else:
            record.tags[key] = "none"
            record.notes.append(f"{key}={shown(value, 50)} is no policy; it becomes none, the mildest one.")
    elif key in ("rua", "ruf"):
        uris, notes = mended_uris(value)
        record.notes += [f"{key}=: {note}" for note in notes]
        if uris:
            record.tags[key] = ",".join(uris)
    elif _VALUES[key].fullmatch(lower):
        record.tags[key] = lower
    else:
        record.notes.append(f"{key}={shown(value, 50)} is no value of this tag, and the tag is left out.")


def _lower(record: _Record, pct: int) -> None:
    """RFC 7489 section 6.6.4: what pct leaves out gets the next milder policy. Without pct that one is never stricter than before."""
    for key in ("p", "sp", "np"):
        policy = record.tags.get(key, "none")
        if policy != "none":
            milder = POLICIES[POLICIES.index(policy) - 1]
            record.tags[key] = milder
            record.notes.append(f"With pct={pct} only a part of the mail met {key}={policy}, and the rest {milder}, which now holds for all.")


def _merged(records: Sequence[_Record]) -> _Record:
    """One record for several: the mildest policy, the reports to all, the first value of everything else."""
    whole = _Record(notes=[f"Only one DMARC record may be there, and receivers ignore all {len(records)}; the mildest policy of them is kept."])
    whole.in_force = False
    policies = {name: min(record.policy(name) for record in records) for name in ("p", "sp", "np")}
    whole.tags["p"] = POLICIES[policies["p"]]
    if policies["sp"] != policies["p"]:
        whole.tags["sp"] = POLICIES[policies["sp"]]
    if policies["np"] != policies["sp"]:
        whole.tags["np"] = POLICIES[policies["np"]]
    for record in records:
        whole.notes += [note for note in record.notes if note not in whole.notes]
        for key, value in record.tags.items():
            if key in ("rua", "ruf"):
                uris = [*filter(None, whole.tags.get(key, "").split(",")), *value.split(",")]
                whole.tags[key] = ",".join(dict.fromkeys(uris))
            elif key not in ("p", "sp", "np"):
                whole.tags.setdefault(key, value)
    return whole


def _text(record: _Record) -> str:
    """v first, then p, then the rest as it stood."""
    rest = {key: value for key, value in record.tags.items() if key != "p"}
    return "; ".join(["v=DMARC1", f"p={record.tags['p']}", *(f"{key}={value}" for key, value in rest.items())])
