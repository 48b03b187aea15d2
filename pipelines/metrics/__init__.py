"""What became of each interaction, and every metric of it in one table. Pure."""

from pipelines.metrics.eligibility import EligibilityOptions, outcomes
from pipelines.metrics.interaction import interaction_metrics

__all__ = ["EligibilityOptions", "interaction_metrics", "outcomes"]
