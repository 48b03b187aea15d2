"""What comes in: files are found, parsed row by row, validated, redacted; a bad row costs only itself."""

from pipelines.landing.register import Landing, LandingOptions

__all__ = ["Landing", "LandingOptions"]
