"""SMTP sessions as terminals and programs show them: read as a dialogue, judged by RFC 5321, and reported."""

from whybounce.intake.sessions.form import read_lines, read_session

__all__ = ["read_lines", "read_session"]
