"""The knowledge as rows: what curators edit. A published revision holds what everybody else sees (publishing.py)."""

from knowledge.models.base import Row, RowHistory
from knowledge.models.causes import Answer, Category, Cause, Question, RemedyStep
from knowledge.models.closings import Confirmation
from knowledge.models.desk import PatternUse, PublishJob
from knowledge.models.feedback import Feedback
from knowledge.models.imports import KnowledgeImport
from knowledge.models.library import Article, Blocklist, ExampleCase, FindingNote, Letter
from knowledge.models.replies import Evidence, Example, Myth, Provider, ReplyPattern, StatusCode
from knowledge.models.revisions import KnowledgeRevision
from knowledge.models.unrecognised import UnrecognisedReply
from knowledge.models.upgrades import UpgradeConflict

__all__ = [
    "Answer",
    "Article",
    "Blocklist",
    "Category",
    "Cause",
    "Confirmation",
    "Evidence",
    "Example",
    "ExampleCase",
    "Feedback",
    "FindingNote",
    "KnowledgeImport",
    "KnowledgeRevision",
    "Letter",
    "Myth",
    "PatternUse",
    "Provider",
    "PublishJob",
    "Question",
    "RemedyStep",
    "ReplyPattern",
    "Row",
    "RowHistory",
    "StatusCode",
    "UnrecognisedReply",
    "UpgradeConflict",
]
