"""Intake: whatever was pasted about a mail that bounced -> the facts of each failed delivery."""

from whybounce.intake.entrance import read
from whybounce.intake.reply import read_line

__all__ = ["read", "read_line"]
