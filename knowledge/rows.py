"""Rows <-> the engine's values: `to_snapshot` reads the tables, `Writer` writes shipped or imported values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from knowledge import models
from whybounce import snapshot as s
from whybounce.checks.result import Severity
from whybounce.document import row_document

EVIDENCE = Prefetch("evidence", models.Evidence.objects.select_related("cause"))


def _sources(row: models.Row) -> tuple[s.Source, ...]:
    return tuple(s.Source(**item) for item in row.sources)


def _evidence(items: Iterable[models.Evidence], allowed: frozenset[str] | None) -> tuple[s.Evidence, ...]:
    return tuple(s.Evidence(e.cause.slug, s.Strength(e.strength)) for e in items if allowed is None or e.cause.slug in allowed)


def _others(row: models.Answer | models.StatusCode) -> s.Strength | None:
    return s.Strength(row.others) if row.others else None


def provider_value(row: models.Provider) -> s.Provider:
    return s.Provider(
        row.slug, row.name, row.kind, tuple(row.mx_suffixes), tuple(row.domains), tuple(row.reply_marks), row.postmaster_page, row.note, _sources(row)
    )


def cause_value(row: models.Cause, allowed: frozenset[str] | None = None) -> s.Cause:
    steps = tuple(
        s.RemedyStep(step.slug, s.Actor(step.who), step.text, step.wording, step.check_name, tuple(s.Link(**link) for link in step.links))
        for step in row.steps.all()
    )
    return s.Cause(
        slug=row.slug,
        title=row.title,
        category=row.category,
        who_acts=tuple(s.Actor(who) for who in row.who_acts),
        frequency=s.Frequency(row.frequency),
        summary=row.summary,
        explanation=row.explanation,
        permanent=row.permanent,
        steps=steps,
        see_also=tuple(other.slug for other in row.see_also.all() if allowed is None or other.slug in allowed),
        sources=_sources(row),
    )


def question_value(row: models.Question, allowed: frozenset[str] | None = None) -> s.Question:
    answers = tuple(
        s.Answer(a.slug, a.text, s.Frequency(a.base_rate), a.informative, _evidence(a.evidence.all(), allowed), _others(a)) for a in row.answers.all()
    )
    return s.Question(
        row.slug, row.text, row.why, s.AskedOf(row.asked_of), answers, row.check_name, row.symptom, row.help, row.without_text, s.Effort(row.effort)
    )


def pattern_value(row: models.ReplyPattern, allowed: frozenset[str] | None = None) -> s.ReplyPattern:
    return s.ReplyPattern(
        slug=row.slug,
        pattern=row.pattern,
        provider=row.provider.slug if row.provider else "",
        meaning=row.meaning,
        decisive=row.decisive,
        evidence=_evidence(row.evidence.all(), allowed),
        examples=_examples(row, whole=allowed is None),
        sources=_sources(row),
    )


def _examples(row: models.ReplyPattern, *, whole: bool) -> tuple[str, ...]:
    """The pattern's published examples; as part of the whole row also the others, marked as such."""
    examples = [(example.status, example.text) for example in row.examples.all()]
    published = models.Row.Status.PUBLISHED
    return tuple(text if status == published else f"[{status}] {text}" for status, text in examples if whole or status == published)


def code_value(row: models.StatusCode, allowed: frozenset[str] | None = None) -> s.StatusCode:
    return s.StatusCode(
        code=row.code,
        title=row.title,
        meaning=row.meaning,
        provider=row.provider.slug if row.provider else "",
        standard=row.standard,
        commands=tuple(row.commands),
        retry=row.retry,
        usual_causes=row.usual_causes,
        find_out=row.find_out,
        what_to_do=row.what_to_do,
        myths=tuple(s.Myth(m.claim, m.truth, m.source) for m in row.myths.all()),
        evidence=_evidence(row.evidence.all(), allowed),
        others=_others(row),
        sources=_sources(row),
    )


def example_value(row: models.Example) -> s.Example:
    return s.Example(row.text, row.cause.slug if row.cause else "", row.provider.slug if row.provider else "")


def blocklist_value(row: models.Blocklist, allowed: frozenset[str] | None = None) -> s.Blocklist:
    def known(slug: str) -> str:
        return slug if allowed is None or slug in allowed else ""

    def answers(items: Iterable[Mapping[str, str]]) -> tuple[s.ListAnswer, ...]:
        return tuple(s.ListAnswer(item["answer"], item["meaning"], known(item.get("cause", ""))) for item in items)

    return s.Blocklist(
        slug=row.slug,
        name=row.name,
        kind=row.kind,
        meaning=row.meaning,
        zone=row.zone,
        operator=row.operator,
        ipv6=row.ipv6,
        closed=row.closed,
        public=row.public,
        weight=s.Weight(row.weight),
        codes=answers(row.codes),
        errors=answers(row.errors),
        test_listed=row.test_listed,
        test_unlisted=row.test_unlisted,
        removal=row.removal,
        removal_page=row.removal_page,
        reply_marks=tuple(row.reply_marks),
        cause=known(row.cause.slug if row.cause else ""),
        sources=_sources(row),
    )


def article_value(row: models.Article, allowed: frozenset[str] | None = None) -> s.Article:
    causes = tuple(slug for slug in row.causes if allowed is None or slug in allowed)
    return s.Article(row.slug, row.title, row.summary, row.body, row.figure, causes, tuple(row.codes), _sources(row))


def case_value(row: models.ExampleCase) -> s.ExampleCase:
    given = tuple(s.GivenAnswer(question, answer) for question, answer in row.answers.items())
    return s.ExampleCase(row.slug, row.cause.slug, row.text, given, row.note)


def finding_value(row: models.FindingNote) -> s.FindingNote:
    return s.FindingNote(
        slug=row.slug,
        title=row.title,
        meaning=row.meaning,
        severities=tuple(Severity(item) for item in row.severities),
        mend=row.mend,
        who_acts=tuple(s.Actor(who) for who in row.who_acts),
        check=row.check_name,
        sources=_sources(row),
    )


def letter_value(row: models.Letter, allowed: frozenset[str] | None = None) -> s.Letter:
    causes = tuple(slug for slug in row.causes if allowed is None or slug in allowed)
    return s.Letter(row.slug, row.title, s.Addressee(row.to), row.subject, row.body, tuple(row.categories), causes, _sources(row))


def _is_offered(row: models.Letter, allowed: frozenset[str]) -> bool:
    """False for a letter of causes none of which is published: without them it would be one for every cause."""
    return not row.causes or bool(row.categories) or not allowed.isdisjoint(row.causes)


def querysets() -> dict[str, QuerySet[Any]]:
    """Each kind's rows with everything that its value needs, in a fixed number of queries."""
    return {
        "providers": models.Provider.objects.all(),
        "causes": models.Cause.objects.prefetch_related("steps", "see_also"),
        "questions": models.Question.objects.prefetch_related(Prefetch("answers", models.Answer.objects.prefetch_related(EVIDENCE))),
        "patterns": models.ReplyPattern.objects.select_related("provider").prefetch_related(EVIDENCE, "examples"),
        "codes": models.StatusCode.objects.select_related("provider").prefetch_related(EVIDENCE, "myths"),
        "examples": models.Example.objects.filter(pattern=None).select_related("cause", "provider"),
        "blocklists": models.Blocklist.objects.select_related("cause"),
        "articles": models.Article.objects.all(),
        "cases": models.ExampleCase.objects.select_related("cause"),
        "findings": models.FindingNote.objects.all(),
        "letters": models.Letter.objects.all(),
    }


def to_snapshot() -> s.KnowledgeSnapshot:
    """The published rows. Evidence, references, examples and cases that concern a cause or a question which is not
    published are left out."""
    rows = {kind: list(queryset.filter(status=models.Row.Status.PUBLISHED)) for kind, queryset in querysets().items()}
    allowed = frozenset(row.slug for row in rows["causes"])
    asked = {row.slug for row in rows["questions"]}
    patterns = ((row, pattern_value(row, allowed)) for row in rows["patterns"])
    return s.KnowledgeSnapshot(
        causes=tuple(cause_value(row, allowed) for row in rows["causes"]),
        questions=tuple(question_value(row, allowed) for row in rows["questions"]),
        patterns=tuple(pattern for row, pattern in patterns if pattern.evidence or not row.evidence.all()),
        providers=tuple(provider_value(row) for row in rows["providers"]),
        codes=tuple(code_value(row, allowed) for row in rows["codes"]),
        examples=tuple(example_value(row) for row in rows["examples"] if row.cause.slug in allowed),
        blocklists=tuple(blocklist_value(row, allowed) for row in rows["blocklists"]),
        articles=tuple(article_value(row, allowed) for row in rows["articles"]),
        cases=tuple(case_value(row) for row in rows["cases"] if row.cause.slug in allowed and asked.issuperset(row.answers)),
        findings=tuple(finding_value(row) for row in rows["findings"]),
        letters=tuple(letter_value(row, allowed) for row in rows["letters"] if _is_offered(row, allowed)),
    )


VALUES: Mapping[str, Callable[[Any], Any]] = {
    "providers": provider_value,
    "causes": cause_value,
    "questions": question_value,
    "patterns": pattern_value,
    "codes": code_value,
    "examples": example_value,
    "blocklists": blocklist_value,
    "articles": article_value,
    "cases": case_value,
    "findings": finding_value,
    "letters": letter_value,
}
"""kind -> the function that makes a row's value, with everything that the row says."""


def _plain(items: Iterable[Any]) -> list[Any]:
    return [row_document(item) for item in items]


class Writer:
    """Writes values as rows. Keeps the slugs already looked up, and children for one bulk insert: `flush` ends it."""

    def __init__(self, status: str = models.Row.Status.PUBLISHED) -> None:
        """`status`: what the rows become. A pattern's examples are published in any case: they serve when the pattern does."""
        self._status = status
        self._causes: dict[str, int] = dict(models.Cause.objects.values_list("slug", "pk"))
        self._providers: dict[str, int] = dict(models.Provider.objects.values_list("slug", "pk"))
        self._see_also: list[tuple[int, tuple[str, ...]]] = []
        self._evidence: list[models.Evidence] = []
        self._examples: dict[str, int] = dict(models.Example.objects.filter(pattern=None).values_list("text", "pk"))
        self._new_examples: list[models.Example] = []
        self._patterns = set(models.ReplyPattern.objects.values_list("slug", flat=True))
        self._new_patterns: list[tuple[models.ReplyPattern, s.ReplyPattern]] = []

    def _base(self, value: Any, position: int, digest: str) -> dict[str, Any]:
        sources = [{"title": x.title, "url": x.url, "checked": x.checked} for x in getattr(value, "sources", ())]
        return {"sources": sources, "position": position, "shipped_digest": digest, "status": self._status}

    def _say(self, evidence: Iterable[s.Evidence], **of: Any) -> None:
        self._evidence += [models.Evidence(cause_id=self._causes[e.cause], strength=e.strength.value, **of) for e in evidence]

    def write(self, kind: str, value: Any, position: int, digest: str) -> None:
        """Makes or replaces the row of `value`. Causes and providers must be written before what names them."""
        getattr(self, f"_write_{kind}")(value, self._base(value, position, digest))

    def _write_providers(self, value: s.Provider, base: dict[str, Any]) -> None:
        fields = {name: list(getattr(value, name)) for name in ("mx_suffixes", "domains", "reply_marks")}
        fields |= {name: getattr(value, name) for name in ("name", "kind", "postmaster_page", "note")}
        row, _new = models.Provider.objects.update_or_create(slug=value.slug, defaults=base | fields)
        self._providers[value.slug] = row.pk

    def _write_causes(self, value: s.Cause, base: dict[str, Any]) -> None:
        fields = {name: getattr(value, name) for name in ("title", "category", "permanent", "summary", "explanation")}
        fields |= {"frequency": value.frequency.value, "who_acts": [who.value for who in value.who_acts]}
        row, new = models.Cause.objects.update_or_create(slug=value.slug, defaults=base | fields)
        self._causes[value.slug] = row.pk
        self._see_also.append((row.pk, value.see_also))
        if not new:
            row.steps.all().delete()
        models.RemedyStep.objects.bulk_create(
            models.RemedyStep(
                cause=row, position=i, slug=x.slug, who=x.who.value, text=x.text, wording=x.wording, check_name=x.check, links=_plain(x.links)
            )
            for i, x in enumerate(value.steps)
        )

    def _write_questions(self, value: s.Question, base: dict[str, Any]) -> None:
        fields = {name: getattr(value, name) for name in ("text", "why", "symptom", "help", "without_text")}
        fields |= {"asked_of": value.asked_of.value, "check_name": value.check, "effort": value.effort.value}
        row, _new = models.Question.objects.update_or_create(slug=value.slug, defaults=base | fields)
        row.answers.all().delete()
        for i, x in enumerate(value.answers):
            answer = models.Answer.objects.create(
                question=row,
                position=i,
                slug=x.slug,
                text=x.text,
                base_rate=x.base_rate.value,
                informative=x.informative,
                others=x.others.value if x.others else "",
            )
            self._say(x.evidence, answer=answer)

    def _write_patterns(self, value: s.ReplyPattern, base: dict[str, Any]) -> None:
        fields = {name: getattr(value, name) for name in ("pattern", "meaning", "decisive")}
        fields["provider_id"] = self._providers.get(value.provider)
        if value.slug not in self._patterns:
            self._new_patterns.append((models.ReplyPattern(slug=value.slug, **base, **fields), value))
            return
        row, _new = models.ReplyPattern.objects.update_or_create(slug=value.slug, defaults=base | fields)
        row.evidence.all().delete()
        row.examples.all().delete()
        self._say_of_pattern(row, value)

    def _say_of_pattern(self, row: models.ReplyPattern, value: s.ReplyPattern) -> None:
        self._say(value.evidence, pattern=row)
        common = {"status": models.Row.Status.PUBLISHED}
        self._new_examples += [models.Example(text=text, pattern=row, position=i, **common) for i, text in enumerate(value.examples)]

    def _write_codes(self, value: s.StatusCode, base: dict[str, Any]) -> None:
        fields = {name: getattr(value, name) for name in ("title", "meaning", "standard", "retry", "usual_causes", "find_out", "what_to_do")}
        fields |= {"commands": list(value.commands), "others": value.others.value if value.others else ""}
        provider = self._providers.get(value.provider)
        row, new = models.StatusCode.objects.update_or_create(code=value.code, provider_id=provider, defaults=base | fields)  # type: ignore[misc]  # None is a fine lookup
        if not new:
            row.evidence.all().delete()
            row.myths.all().delete()
        self._say(value.evidence, code=row)
        models.Myth.objects.bulk_create(
            models.Myth(status_code=row, position=i, claim=x.claim, truth=x.truth, source=x.source) for i, x in enumerate(value.myths)
        )

    def _write_examples(self, value: s.Example, base: dict[str, Any]) -> None:
        fields = {"cause_id": self._causes[value.cause], "provider_id": self._providers.get(value.provider)}
        pk = self._examples.get(value.text)
        if pk is None:
            self._new_examples.append(models.Example(text=value.text, **base, **fields))
        else:
            models.Example.objects.filter(pk=pk).update(updated_at=timezone.now(), **base, **fields)

    def _write_blocklists(self, value: s.Blocklist, base: dict[str, Any]) -> None:
        names = ("name", "kind", "meaning", "zone", "operator", "ipv6", "closed", "public", "test_listed", "test_unlisted", "removal", "removal_page")
        fields = {name: getattr(value, name) for name in names}
        fields |= {"weight": value.weight.value, "codes": _plain(value.codes), "errors": _plain(value.errors), "reply_marks": list(value.reply_marks)}
        models.Blocklist.objects.update_or_create(slug=value.slug, defaults=base | fields | {"cause_id": self._causes.get(value.cause)})

    def _write_articles(self, value: s.Article, base: dict[str, Any]) -> None:
        fields = {name: getattr(value, name) for name in ("title", "summary", "body", "figure")}
        fields |= {"causes": list(value.causes), "codes": list(value.codes)}
        models.Article.objects.update_or_create(slug=value.slug, defaults=base | fields)

    def _write_cases(self, value: s.ExampleCase, base: dict[str, Any]) -> None:
        fields = {"text": value.text, "note": value.note, "cause_id": self._causes[value.cause]}
        fields |= {"answers": {given.question: given.answer for given in value.answers}}
        models.ExampleCase.objects.update_or_create(slug=value.slug, defaults=base | fields)

    def _write_findings(self, value: s.FindingNote, base: dict[str, Any]) -> None:
        fields = {name: getattr(value, name) for name in ("title", "meaning", "mend")} | {"check_name": value.check}
        fields |= {"severities": [item.value for item in value.severities], "who_acts": [who.value for who in value.who_acts]}
        models.FindingNote.objects.update_or_create(slug=value.slug, defaults=base | fields)

    def _write_letters(self, value: s.Letter, base: dict[str, Any]) -> None:
        fields: dict[str, Any] = {name: getattr(value, name) for name in ("title", "subject", "body")} | {"to": value.to.value}
        fields |= {"categories": list(value.categories), "causes": list(value.causes)}
        models.Letter.objects.update_or_create(slug=value.slug, defaults=base | fields)

    def flush(self) -> None:
        """Writes what had to wait until every cause existed, and what is quicker written many at once."""
        if self._new_patterns:
            bulk_create_with_history([row for row, _value in self._new_patterns], models.ReplyPattern, batch_size=500)
        for row, value in self._new_patterns:
            self._say_of_pattern(row, value)
        models.Evidence.objects.bulk_create(self._evidence, batch_size=500)
        models.Example.objects.bulk_create(self._new_examples, batch_size=500)
        for pk, slugs in self._see_also:
            models.Cause(pk=pk).see_also.set([self._causes[slug] for slug in slugs if slug in self._causes])
