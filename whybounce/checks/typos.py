"""Which domain was meant, where the one that was typed has no mail: one slip of the fingers away, or under another top-level domain."""

from __future__ import annotations

from collections.abc import Iterable

from whybounce.checks.registrable import registrable_domain

# A slip in a shorter name gives too many others, and so does another ending after a common short word ("mail", "post").
MIN_LABEL = 4
MIN_LABEL_OTHER_ENDING = 5


def near_domains(domain: str, well_known: Iterable[str], own: Iterable[str]) -> list[str]:
    """Domains that may have been meant, the likeliest first, never `domain` itself; those with another ending only where none is a slip
    away. All in lower-case A-labels.

    well_known    domains at which many people have their mailboxes
    own           the sender's own domains, whole: a colleague's address is mistyped as easily
    """
    registered = registrable_domain(domain) or domain
    below = domain[: len(domain) - len(registered)]
    found: dict[str, tuple[int, int]] = {}
    for other in own:
        found.setdefault(other, (_likeness(domain, other), 0))
        above = registrable_domain(other)
        if above:
            found.setdefault(below + above, (_likeness(registered, above), 0))
    for other in well_known:
        found.setdefault(below + other, (_likeness(registered, other), 1))
    best = min((likeness for likeness, _ in found.values() if likeness), default=0)
    likely = [other for other, (likeness, _) in found.items() if likeness == best and likeness and other != domain]
    return sorted(likely, key=lambda other: (*found[other], not other.endswith(".com")))


def _likeness(typed: str, other: str) -> int:
    """1: one slip apart, 2: another ending, 0: not alike (or the same)."""
    label, other_label = typed.partition(".")[0], other.partition(".")[0]
    if label != other_label and len(other_label) < MIN_LABEL:
        return 0
    if one_slip_apart(typed, other):
        return 1
    return 2 if label == other_label and typed != other and len(label) >= MIN_LABEL_OTHER_ENDING else 0


def one_slip_apart(first: str, second: str) -> bool:
    """One letter too many, too few or another, or two neighbours the wrong way round (Damerau 1964)."""
    if first == second or abs(len(first) - len(second)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second)))
    if len(first) != len(second):
        longer, shorter = sorted((first, second), key=len, reverse=True)
        return longer[at + 1 :] == shorter[at:]
    swapped = first[:at] + first[at + 1 : at + 2] + first[at : at + 1] + first[at + 2 :]
    return first[at + 1 :] == second[at + 1 :] or swapped == second
