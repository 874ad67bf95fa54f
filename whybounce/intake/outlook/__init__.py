"""Outlook's files: an e-mail saved as .msg -> the same e-mail as RFC 5322 writes it."""

from whybounce.intake.outlook.message import MAGIC, mail_of

__all__ = ["MAGIC", "mail_of"]
