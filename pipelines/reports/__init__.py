"""The manager's trend report: self-contained HTML pages per publication, made from the published tables alone."""

from pipelines.reports.pdf import print_pdf
from pipelines.reports.report import ReportError, ReportOptions, render

__all__ = ["ReportError", "ReportOptions", "print_pdf", "render"]
