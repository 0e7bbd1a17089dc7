"""The report on a run, or on several side by side: what is known of them, as blocks that a page or a printer draws. Qt-free."""

from app.core.report.blocks import Report
from app.core.report.comparison import comparison
from app.core.report.facts import gather
from app.core.report.page import html_page
from app.core.report.single import report

__all__ = ["Report", "comparison", "gather", "html_page", "report"]
