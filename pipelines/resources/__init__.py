"""Typed handles on the outside world: landing folder, lake, recogniser, warehouse, publications. No logic."""
