"""The sample pastes of the home page: the files of samples/ in the checkout."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from whybounce.intake.outlook import mail_of

_FOLDER = Path(__file__).resolve().parent.parent / "samples"

_SPELT = {"dsn": "DSN", "ndr": "NDR", "online": "Online", "sendgrid": "SendGrid", "smtp": "SMTP", "outlook": "Outlook", "german": "German"}


@dataclass(frozen=True, slots=True)
class Sample:
    slug: str
    title: str
    text: str


@lru_cache(maxsize=1)
def samples() -> tuple[Sample, ...]:
    """All samples, by name. The title is the file's name in words: `postfix-bounce.eml` is "Postfix bounce"."""
    paths = sorted(path for path in _FOLDER.glob("*.*") if path.suffix in {".eml", ".json", ".msg", ".txt"})
    return tuple(Sample(path.stem, _title(path.stem), _text(path)) for path in paths)


def _text(path: Path) -> str:
    """What fills the box; of an Outlook file, which is no text, the e-mail within."""
    data = path.read_bytes()
    return ((mail_of(data) if path.suffix == ".msg" else None) or data).decode("utf-8", "replace")


def _title(stem: str) -> str:
    words = " ".join(_SPELT.get(word, word) for word in stem.split("-"))
    return words[:1].upper() + words[1:]


def sample(slug: str) -> str:
    """The text of a sample, "" for none of this name."""
    return next((item.text for item in samples() if item.slug == slug), "")
