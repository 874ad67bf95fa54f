"""Numbers for people."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def thousands(number: object) -> str:
    """`1234567` as `1,234,567`; what is no number as it is."""
    return f"{number:,}" if isinstance(number, int) else str(number)
