"""Fills in the admin's forms as a browser would: every field as the page shows it, lines ended with CR LF."""

from __future__ import annotations

from html.parser import HTMLParser

from django.http import HttpResponse
from django.test import Client

Fields = dict[str, list[str]]


def _is_sent(of: dict[str, str]) -> bool:
    """True for the inputs whose value a browser sends: no buttons, and of boxes those that are ticked."""
    return of["type"] not in {"submit", "button", "file"} and (of["type"] not in {"checkbox", "radio"} or "checked" in of)


class _Form(HTMLParser):
    """The fields of the form whose id ends in `_form` (the admin's own), with the values that they have on the page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.fields: Fields = {}
        self._inside = False
        self._select = self._area = ""
        self._option: str | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = of.get("id", "").endswith("_form") or (of.get("method", "").lower() == "post" and "logout" not in of.get("id", ""))
        if not self._inside or not (of.get("name") or tag == "option"):
            return
        name = of.get("name", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in of:
            self.fields.setdefault(self._select, []).append(of.get("value", ""))
        elif tag == "textarea":
            self._area, self._text = name, []
        elif tag == "input" and _is_sent(of):
            self.fields.setdefault(name, []).append(of.get("value", "on" if of["type"] == "checkbox" else ""))

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area:
            text = "".join(self._text).removeprefix("\n")
            self.fields.setdefault(self._area, []).append(text.replace("\r\n", "\n").replace("\n", "\r\n"))
            self._area = ""
        elif tag == "select":
            self._select = ""
        elif tag == "form":
            self._inside = False


def read_form(response: HttpResponse) -> Fields:
    """The fields of an admin page's form; those of the empty rows that JavaScript copies left out."""
    form = _Form()
    form.feed(response.content.decode())
    return {name: values for name, values in form.fields.items() if "__prefix__" not in name and "-empty-" not in name}


def save(client: Client, path: str, **changes: str | list[str]) -> HttpResponse:
    """Opens the page, changes some fields (`steps__0__text` is the field steps-0-text), adds others, and saves."""
    fields = read_form(client.get(path))
    for name, value in changes.items():
        fields[name.replace("__", "-")] = value if isinstance(value, list) else [value]
    return client.post(path, fields)


def errors(response: HttpResponse) -> str:
    """The sentences that a refused form shows, on one line."""
    assert response.status_code == 200, "the form was not refused"
    found = list(response.context["errors"]) if "errors" in response.context else []
    return " ".join(str(item) for item in found)
