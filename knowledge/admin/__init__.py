"""The curators' desk. Django finds it by this name; each module registers what it shows."""

from knowledge.admin import feedback, files, revisions, rows, unrecognised, upgrades

__all__ = ["feedback", "files", "revisions", "rows", "unrecognised", "upgrades"]
