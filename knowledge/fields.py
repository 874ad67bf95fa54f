"""Form fields for the lists that knowledge rows hold as JSON: a line each, as a curator would write them on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

_is_url = URLValidator(schemes=["http", "https"])


def _lines(value: str) -> list[str]:
    return [line.strip() for line in value.splitlines() if line.strip()]


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 60})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return _lines(value or "")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != _lines(data or "")


class RecordsField(LinesField):
    """A list of mappings, one a line, their values separated by " | ": `Title | https://... | 2026-11-23`.

    `keys` names the values in order; trailing ones may be left out. A value of the key "url" must be one.
    """

    def __init__(self, *, keys: Sequence[str], **options: Any) -> None:
        self.keys = tuple(keys)
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(" | ".join(str(item.get(key, "")) for key in self.keys).rstrip(" |") for item in value)

    def to_python(self, value: Any) -> Any:
        return [self._record(line) for line in _lines(value or "")]

    def _record(self, line: str) -> dict[str, str]:
        values = [part.strip() for part in line.split("|")]
        if len(values) > len(self.keys):
            raise forms.ValidationError(_("“%(line)s” has more than %(count)d parts."), params={"line": line, "count": len(self.keys)})
        record = dict(zip(self.keys, values, strict=False))
        if record.get("url"):
            _is_url(record["url"])
        return record

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(list(initial or [])) != "\n".join(_lines(data or "")))


class ChoicesField(LinesField):
    """A list of fixed choices, one a line; their order counts."""

    def __init__(self, *, choices: Sequence[str], **options: Any) -> None:
        self.choices = tuple(choices)
        super().__init__(**options)

    def validate(self, value: Any) -> None:
        super().validate(value)
        for number, item in enumerate(value):
            if item not in self.choices:
                raise forms.ValidationError(_("“%(item)s” is none of %(all)s."), params={"item": item, "all": ", ".join(self.choices)})
            if item in value[:number]:
                raise forms.ValidationError(_("“%(item)s” stands twice."), params={"item": item})


class PairsField(LinesField):
    """A mapping, an entry a line: `who-is-affected: one-recipient`."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{key}: {item}" for key, item in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, dict):
            return value
        pairs: dict[str, str] = {}
        for line in _lines(value or ""):
            key, colon, item = (part.strip() for part in line.partition(":"))
            if not (key and colon and item):
                raise forms.ValidationError(_("“%(line)s” is not of the form “name: value”."), params={"line": line})
            if key in pairs:
                raise forms.ValidationError(_("“%(item)s” stands twice."), params={"item": key})
            pairs[key] = item
        return pairs

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(dict(initial or {})) != "\n".join(_lines(data or "")))
