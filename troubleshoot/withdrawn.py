"""What a case was told by knowledge that has been withdrawn since: it keeps it, and says so."""

from __future__ import annotations

from django.utils.translation import gettext as _

from knowledge.models import Cause
from troubleshoot.models import Case
from whybounce.compiled import Knowledge


def title_of(known: Knowledge, slug: str) -> str:
    """The title of a cause, also of one that is published no longer: then one query, and its slug where it is gone altogether."""
    if slug in known.index:
        return known.causes[known.index[slug]].title
    return Cause.objects.filter(slug=slug).values_list("title", flat=True).first() or slug


def withdrawn_cause(case: Case, known: Knowledge) -> str:
    """A sentence where the case stood on a cause, when it was last changed, that is published no longer; "" otherwise."""
    if not case.cause or case.cause in known.index:
        return ""
    title = title_of(known, case.cause)
    if case.is_closed:
        return _("“%(cause)s” has been withdrawn from the knowledge since. The case keeps that it proved true.") % {"cause": title}
    words = {"cause": title}
    return _("This case pointed to “%(cause)s”, which has been withdrawn since. All it was told is kept, and weighed by what is known now.") % words
