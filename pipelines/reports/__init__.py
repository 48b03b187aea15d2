"""The manager's trend report: one self-contained HTML file per publication, made from the published tables alone."""

from pipelines.reports.report import ReportError, ReportOptions, render

__all__ = ["ReportError", "ReportOptions", "render"]
