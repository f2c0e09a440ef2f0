"""Explain: everything known of one customer, as text and as a document. Pure code over what was looked up."""

from syncd.report.explain.chapter import Chapter, Numbers
from syncd.report.explain.document import document
from syncd.report.explain.telling import facts, heading, looked

__all__ = ["Chapter", "Numbers", "document", "facts", "heading", "looked"]
