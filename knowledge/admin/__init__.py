"""The curators' desk. Django finds it by this name; each module registers what it shows."""

from knowledge.admin import feedback, revisions, rows, unrecognised

__all__ = ["feedback", "revisions", "rows", "unrecognised"]
