"""What people type: a paste, what a check should look at, how a case ended."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Field, Layout, Submit
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import ProhibitNullCharactersValidator
from django.forms import BoundField
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from whybounce.checks.guard import DomainError, is_address, parse_domain, shown
from whybounce.checks.result import Subject
from whybounce.failure import domain_of
from whybounce.intake.entrance import MAX_BYTES

TOO_LARGE = _("That is more than 25 MB, the most that is read. Leave out the attachments, or paste only the part of the bounce that names the error.")
_MAX_KEPT = 200_000
# RFC 6376 section 3.1: a selector is a sub-domain; behind @ the signing domain, where it is not the sender's.
_SELECTOR = re.compile(r"[a-z0-9_](?:[a-z0-9._-]{0,250})(?:@[a-z0-9._-]{1,253})?", re.ASCII)
_MOST_SELECTORS = 10
_SIZE = re.compile(r"(\d{1,9}(?:[.,]\d{1,3})?)\s*(|b|bytes|k|kb|m|mb|g|gb)", re.ASCII)
_UNITS = {"": 1, "b": 1, "bytes": 1, "k": 1000, "kb": 1000, "m": 1000**2, "mb": 1000**2, "g": 1000**3, "gb": 1000**3}
OTHER = "other"
NONE = "none"


class PastedText(forms.CharField):
    """Text as it was pasted: not trimmed, and U+0000 is no reason to refuse it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, **options)
        self.validators = [item for item in self.validators if not isinstance(item, ProhibitNullCharactersValidator)]


class PasteForm(forms.Form):
    """A paste or a file. `data` holds its bytes once the form is valid."""

    text = PastedText(
        label=_("Paste the bounce, the error or the code"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 10, "data-drop": "id_file", "spellcheck": "false", "autocapitalize": "off"}),
    )
    file = forms.FileField(
        label=_("Or a file: .eml, .msg, .mbox, .log, .json, text"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".eml,.msg,.mbox,.txt,.log,.json,text/*,message/rfc822,application/vnd.ms-outlook,application/json"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.helper = FormHelper()
        self.helper.form_action = reverse_lazy("paste")
        self.helper.form_class = "paste"
        self.helper.layout = Layout(Field("text", css_class="mono"), "file", Submit("submit", _("Why did it bounce?"), css_id="id_paste_submit"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        upload: UploadedFile | None = cleaned.get("file")
        text = cleaned.get("text", "")
        if upload and (upload.size or 0) > MAX_BYTES:
            self.add_error("file", TOO_LARGE)
        elif not text.strip() and not (upload and upload.size):
            raise ValidationError(_("There is nothing here yet. Paste the error text, drop a file, or type a code such as 5.7.1."))
        elif not upload and len(text.encode("utf-8", "replace")) > MAX_BYTES:
            self.add_error("text", TOO_LARGE)
        return cleaned

    @property
    def data_pasted(self) -> bytes:
        """The bytes to read: the file where there is one, else the text."""
        upload: UploadedFile | None = self.cleaned_data.get("file")
        if upload and upload.size:
            return bytes(upload.read())
        return str(self.cleaned_data["text"]).encode("utf-8", "replace")


def paste_again(pasted: bytes) -> PasteForm:
    """An unbound form that holds what was pasted before, as far as a page should carry it."""
    return PasteForm(initial={"text": pasted[:_MAX_KEPT].decode("utf-8", "replace")})


class SubjectForm(forms.Form):
    """What the checks of a case should look at. Any field may stay empty."""

    FIRST: tuple[str, ...] = ("domain", "sending_ip", "mail_from")
    MORE: tuple[str, ...] = ("header_from", "helo", "selectors", "message_size")
    EXAMPLES = {
        "domain": "example.org",
        "sending_ip": "192.0.2.25",
        "mail_from": "news@example.com",
        "header_from": "news@example.com",
        "helo": "mail.example.com",
        "selectors": "s1, s2@example.com",
        "message_size": "12 MB",
    }

    domain = forms.CharField(label=_("Recipient's domain or address"), required=False, max_length=320)
    sending_ip = forms.CharField(label=_("Sending IP address"), required=False, max_length=45)
    mail_from = forms.CharField(label=_("Envelope sender or its domain"), required=False, max_length=320)
    header_from = forms.CharField(label=_("Address in From"), required=False, max_length=320)
    helo = forms.CharField(label=_("EHLO name of the sending server"), required=False, max_length=255)
    selectors = forms.CharField(label=_("DKIM selectors"), required=False, max_length=600)
    message_size = forms.CharField(label=_("Size of the message"), required=False, max_length=20)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, example in self.EXAMPLES.items():
            self.fields[name].widget.attrs |= {"placeholder": example, "autocapitalize": "off", "spellcheck": "false"}
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True

    @property
    def first_fields(self) -> list[BoundField]:
        return [self[name] for name in self.FIRST]

    @property
    def more_fields(self) -> list[BoundField]:
        return [self[name] for name in self.MORE]

    @property
    def more_open(self) -> bool:
        """Whether one of the further fields has something in it or is wrong."""
        return any(field.value() or field.errors for field in self.more_fields)

    def clean_domain(self) -> str:
        text = self.cleaned_data["domain"].strip()
        return _domain(domain_of(text) or text) if text else ""

    def clean_sending_ip(self) -> str:
        text = self.cleaned_data["sending_ip"].strip()
        return _address(text) if text else ""

    def clean_mail_from(self) -> str:
        return _mailbox(self.cleaned_data["mail_from"])

    def clean_header_from(self) -> str:
        return _mailbox(self.cleaned_data["header_from"])

    def clean_helo(self) -> str:
        text = str(self.cleaned_data["helo"]).strip().rstrip(".")
        if not text.isprintable() or " " in text:
            raise ValidationError(_("An EHLO name is one word: a host name such as mail.example.com, or an address in brackets."))
        return text.lower()

    def clean_selectors(self) -> tuple[str, ...]:
        words = [word.lower() for word in re.split(r"[\s,;]+", self.cleaned_data["selectors"]) if word]
        wrong = next((word for word in words if not _SELECTOR.fullmatch(word)), "")
        if wrong:
            raise ValidationError(_("“%(word)s” is no DKIM selector: it is what stands after s= in the DKIM-Signature.") % {"word": shown(wrong, 60)})
        if len(words) > _MOST_SELECTORS:
            raise ValidationError(_("At most %(n)d selectors are looked at.") % {"n": _MOST_SELECTORS})
        return tuple(dict.fromkeys(words))

    def clean_message_size(self) -> int | None:
        text = self.cleaned_data["message_size"].strip()
        match = _SIZE.fullmatch(text.lower())
        if text and not match:
            raise ValidationError(_("This is no size; one looks like 12 MB or 300000 (bytes)."))
        return int(float(match[1].replace(",", ".")) * _UNITS[match[2]]) if match else None


class DomainForm(SubjectForm):
    """What to look at without a case: one box for a domain, an address or a sending IP address, and the rest."""

    FIRST = ("domain",)
    MORE = ("sending_ip", "mail_from", "header_from", "helo", "selectors", "message_size")

    domain = forms.CharField(label=_("Domain, e-mail address or IP address"), required=False, max_length=320)

    def clean_domain(self) -> str:
        """A domain, an address as it was typed, or an IP address; `subject` tells them apart."""
        text = str(self.cleaned_data["domain"]).strip()
        if not text or is_address(text):
            return _address(text) if text else ""
        if "@" in text:
            _domain(domain_of(text))
            return text
        return _domain(text)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not any(cleaned.values()):
            raise ValidationError(_("Type a domain, an e-mail address or an IP address to look at."))
        return cleaned

    @property
    def subject(self) -> Subject:
        """What was typed; a domain stands for the sender's too, an address for both ends."""
        values = dict(self.cleaned_data)
        typed = values.pop("domain")
        if is_address(typed):
            return Subject(**values | {"sending_ip": values["sending_ip"] or typed})
        if "@" in typed:
            values["mail_from"] = values["mail_from"] or typed
            return Subject(domain=_domain(domain_of(typed)), recipient=typed, **values)
        return Subject(domain=typed, **values)


def typed_again(subject: Subject) -> DomainForm:
    """A form that holds what was typed for this subject."""
    values: dict[str, Any] = {name: getattr(subject, name) for name in DomainForm.MORE}
    values["domain"] = subject.recipient or subject.domain
    if not values["domain"]:
        values |= {"domain": subject.sending_ip, "sending_ip": ""}
    if subject.mail_from == subject.recipient:
        values["mail_from"] = ""
    return DomainForm(initial=values | written(subject))


def written(subject: Subject) -> dict[str, str]:
    """The fields of a subject that are no text, as they are typed."""
    return {"selectors": ", ".join(subject.selectors), "message_size": str(subject.message_size or "")}


def _mailbox(typed: str) -> str:
    text = typed.strip().strip("<>")
    if not text:
        return ""
    local, _at, domain = text.rpartition("@")
    return f"{local or 'postmaster'}@{_domain(domain)}"


def _address(typed: str) -> str:
    text = typed.strip("[]")
    try:
        if "%" in text:  # a zone, which may be any text, means something on one machine only (RFC 4007 section 11)
            raise ValueError(text)
        return str(ipaddress.ip_address(re.sub("^ipv6:", "", text, flags=re.IGNORECASE)))
    except ValueError:
        raise ValidationError(_("This is no IP address; one looks like 192.0.2.25 or 2001:db8::25.")) from None


def _domain(text: str) -> str:
    try:
        return parse_domain(text)
    except DomainError as error:
        raise ValidationError(str(error)) from None


class CloseForm(forms.Form):
    """Which cause proved true: a slug, or `other` with the slug in `other`, or `none` with a sentence."""

    cause = forms.CharField(required=False, max_length=80)
    other = forms.CharField(required=False, max_length=80)
    sentence = forms.CharField(required=False, max_length=2000)

    def outcome(self) -> tuple[str, str]:
        """(cause slug, sentence); the slug is "" for none of the known causes."""
        values: Mapping[str, str] = self.cleaned_data
        chosen = values["other"] if values["cause"] == OTHER else "" if values["cause"] == NONE else values["cause"]
        return chosen, values["sentence"]
