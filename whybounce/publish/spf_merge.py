"""Several SPF records made into one: with two, receivers give permerror to everybody (RFC 7208 section 4.5)."""

from __future__ import annotations

from collections.abc import Sequence

from whybounce.publish.spf_terms import Term, Terms, make_term, read_terms

_MILDEST = "-~?"


def merged(texts: Sequence[str]) -> Terms:
    """What all of them allow, in their order, and the mildest of their endings."""
    parts = [read_terms(text) for text in texts]
    whole = Terms(broken=True)
    whole.notes = [f"Only one SPF record may be there, and receivers use none of the {len(parts)}: they become one."]
    endings = [term for part in parts for term in part.terms if term.name == "all"]
    redirects = [term for part in parts if not part.has_all for term in part.terms if term.name == "redirect"]
    last = [] if endings or not redirects else [redirects.pop()]
    for part in parts:
        whole.notes += part.notes
        whole.warnings += part.warnings
        whole.terms += _directives(part, redirects)
    whole.terms += [_ending(endings, whole)] if endings else last
    whole.terms += [term for part in parts for term in part.terms if term.name == "exp"][:1]
    return whole


def _directives(part: Terms, redirects: Sequence[Term]) -> list[Term]:
    """What a part allows: its terms before `all`, and what it redirects to as an include, which allows the same."""
    found: list[Term] = []
    for term in part.terms:
        if term.name == "all":
            break
        if term.mechanism is not None:
            found.append(term)
        elif term in redirects:
            found.append(make_term("include:" + term.text.partition("=")[2]))
    return found


def _ending(endings: Sequence[Term], whole: Terms) -> Term:
    qualifiers = {term.mechanism.qualifier for term in endings if term.mechanism is not None}
    if "+" in qualifiers:
        whole.warnings.append("One of the records lets everybody send (+all); that is left out.")
    chosen = max(qualifiers - {"+"} or {"~"}, key=_MILDEST.index)
    if len(qualifiers) > 1:
        whole.notes.append(f"They end differently; the new record ends in {chosen}all.")
    return make_term(f"{chosen}all")
