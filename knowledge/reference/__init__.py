"""What the reference pages show, from the snapshot in force and cross-linked. No queries."""

from knowledge.reference.causes import CausePage, cause_page, cause_sections
from knowledge.reference.checks import CheckPage, check_page, check_sections
from knowledge.reference.codes import CLASSES, SORTS, CodePage, code_page, code_table, find_codes
from knowledge.reference.library import ArticlePage, BlocklistPage, article_page, articles, blocklist_page, blocklist_sections
from knowledge.reference.providers import ProviderPage, provider_page, provider_sections
from knowledge.reference.replies import FamilyPage, family_page, family_sections

__all__ = [
    "CLASSES",
    "SORTS",
    "ArticlePage",
    "BlocklistPage",
    "CausePage",
    "CheckPage",
    "CodePage",
    "FamilyPage",
    "ProviderPage",
    "article_page",
    "articles",
    "blocklist_page",
    "blocklist_sections",
    "cause_page",
    "cause_sections",
    "check_page",
    "check_sections",
    "code_page",
    "code_table",
    "family_page",
    "family_sections",
    "find_codes",
    "provider_page",
    "provider_sections",
]
