"""What people type: a paste, what a check should look at, how a case ended."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Field, Layout, Submit
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import ProhibitNullCharactersValidator
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from whybounce.checks.guard import DomainError, parse_domain
from whybounce.failure import domain_of
from whybounce.intake.entrance import MAX_BYTES

TOO_LARGE = _("That is more than 25 MB, the most that is read. Leave out the attachments, or paste only the part of the bounce that names the error.")
_MAX_KEPT = 200_000
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

    domain = forms.CharField(label=_("Recipient's domain or address"), required=False, max_length=320)
    sending_ip = forms.CharField(label=_("Sending IP address"), required=False, max_length=45)
    mail_from = forms.CharField(label=_("Envelope sender or its domain"), required=False, max_length=320)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, example in (("domain", "example.org"), ("sending_ip", "192.0.2.25"), ("mail_from", "news@example.com")):
            self.fields[name].widget.attrs |= {"placeholder": example, "autocapitalize": "off", "spellcheck": "false"}
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True

    def clean_domain(self) -> str:
        text = self.cleaned_data["domain"].strip()
        return _domain(domain_of(text) or text) if text else ""

    def clean_sending_ip(self) -> str:
        text = self.cleaned_data["sending_ip"].strip().strip("[]")
        if not text:
            return ""
        try:
            if "%" in text:  # a zone, which may be any text, means something on one machine only (RFC 4007 section 11)
                raise ValueError(text)
            return str(ipaddress.ip_address(text.removeprefix("IPv6:")))
        except ValueError:
            raise ValidationError(_("This is no IP address; one looks like 192.0.2.25 or 2001:db8::25.")) from None

    def clean_mail_from(self) -> str:
        text = self.cleaned_data["mail_from"].strip().strip("<>")
        if not text:
            return ""
        local, _at, domain = text.rpartition("@")
        return f"{local or 'postmaster'}@{_domain(domain)}"


class DomainForm(SubjectForm):
    """What to look at without a case: a domain, which stands for the sender's too, or an envelope sender."""

    domain = forms.CharField(label=_("Domain or address"), required=False, max_length=320)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not any(cleaned.values()):
            raise ValidationError(_("Type a domain to look at."))
        return cleaned


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
