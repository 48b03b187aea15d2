"""Calibration: how people rate the same interactions, how far they agree, and the machine as one more rater."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipelines.contracts.table import Column, Table

# The machine's own id among the reviewers, and the name of its department. No person may bear them (landing).
MACHINE = "machine"
# Stands for all parameters together. No parameter may bear it (landing).
ALL_PARAMETERS = "all"


@dataclass(frozen=True)
class Statistic:
    """A measure of agreement: its definition in words, and its source."""

    id: str
    meaning: str
    source: str
    is_share: bool = False


STATISTICS = {
    s.id: s
    for s in (
        Statistic(
            "exact_agreement",
            "share of the pairs of ratings of the same thing that are equal, rounded to whole points of 100",
            "ours",
            is_share=True,
        ),
        Statistic(
            "within_tolerance",
            "share of the pairs of ratings of the same thing that are at most 10 points of 100 apart",
            "ours",
            is_share=True,
        ),
        Statistic(
            "cohen_kappa",
            "agreement beyond chance of two raters on the band of 20 points; more raters: mean over their pairs, "
            "weighted by what they rated in common",
            "Cohen 1960, Light 1971; statsmodels",
        ),
        Statistic(
            "weighted_kappa",
            "as Cohen's kappa, a difference of more bands counts more (by its square)",
            "Cohen 1968; statsmodels",
        ),
        Statistic(
            "fleiss_kappa",
            "agreement beyond chance of several raters on the band of 20 points, over what the usual number of "
            "raters rated",
            "Fleiss 1971; statsmodels",
        ),
        Statistic(
            "gwet_ac1",
            "agreement beyond chance on the band of 20 points, steady where nearly all ratings are alike",
            "Gwet 2008",
        ),
        Statistic(
            "krippendorff_alpha",
            "1 - disagreement observed ÷ disagreement expected by chance, of squared differences in points; any "
            "number of raters, ratings may be missing: the statistic to look at first",
            "Krippendorff 2004",
        ),
        Statistic(
            "krippendorff_alpha_ordinal",
            "the same of the bands' order instead of points",
            "Krippendorff 2004",
        ),
        Statistic(
            "icc_2_1",
            "share of the variance of single ratings that lies in what was rated (two-way random effects, absolute "
            "agreement), over what all of these raters rated",
            "Shrout & Fleiss 1979",
        ),
    )
}

# Whose agreement it is.
PANELS = {
    "reviewers": "the people",
    "reviewers_and_machine": "the people, and the machine as one more rater",
    "machine_and_reference": "the machine against the expert, or the panel's mean where there was no expert",
}
PERIODS = ("all", "month")
RATER_KINDS = ("reviewer", "department", "machine")
REFERENCES = {
    "expert": "mean of the other raters who are experts",
    "panel": "mean of the other people, where no other rater is an expert",
    "none": "nobody else rated it",
}
SESSION_DIAGNOSES = (
    "knowledge_gap",
    "read_differently",
    "raters_differ",
    "agreed",
    "too_few_raters",
)
TRENDS = ("converging", "diverging", "steady")

# Why a statistic has no value.
NO_VALUE = {
    "too_few_units": "fewer than 5 things were rated by two or more of these raters",
    "too_few_raters": "fewer than two raters, or fewer than three people where one is to be told from the others",
    "no_variation": "all ratings are alike: agreement beyond chance is not defined",
    "no_common_block": "no 5 things were rated by the same two raters, or by equally many raters",
    "too_few_ratings": "fewer than 5 ratings to compare (8 for consistency)",
    "too_few_of_agent": "fewer than 3 interactions of the agent were rated",
    "too_few_weeks": "fewer than 4 weeks with two departments",
    "not_compared": "nobody else rated the same",
    "hire_date_not_supplied": "the agent has no hire date",
    "not_a_parameter": "a name of the centre's own, which the machine does not score",
    "not_scored": "the machine did not score the interaction, or the parameter is not on its scorecard",
    "not_applicable": "the machine could not measure it in this interaction",
}
# Why a value has no interval.
NO_INTERVAL = {
    "too_few_sessions": "fewer than 8 sessions: an interval would be narrower than the truth",
    "no_spread": "every session gives the same value, or without one of them there is none: the spread is not known",
}

_SESSION = Column("session_id", pl.String, "the calibration session")
_INTERACTION = Column("interaction_id", pl.String, "the interaction that was rated")
_PARAMETER = Column("parameter", pl.String, "parameter id, or the centre's own name")
_PARAMETER_OR_ALL = Column("parameter", pl.String, "parameter id or the centre's own name; all: all of them together")
_SESSION_ON = Column("session_on", pl.Date, "day of the session's first rating, else of the interaction")
_VERSION = Column("extractor_version", pl.String, "version of the measure")


def _points(name: str, meaning: str, **more) -> Column:
    return Column(name, pl.Float64, meaning, "points of 100", **more)


def _count(name: str, meaning: str) -> Column:
    return Column(name, pl.Int64, meaning, at_least=0)


def _percent(name: str, meaning: str) -> Column:
    return Column(name, pl.Float64, meaning, "%", at_least=0, at_most=100, optional=True)


RATINGS = Table(
    "calibration/ratings",
    "Each rating against the expert's, or the panel's where there was no expert; the machine is one more rater.",
    "one row per session, interaction, parameter and rater; ratings that are not applicable are left out",
    ("session_id", "interaction_id", "parameter", "reviewer_id"),
    (
        _SESSION,
        _INTERACTION,
        _PARAMETER,
        Column("reviewer_id", pl.String, "who rated; machine for the machine's own score"),
        Column("is_machine", pl.Boolean, "the machine's own score, as scored"),
        Column("department", pl.String, "the rater's department", optional=True),
        Column("is_expert", pl.Boolean, "the rating is the reference for the others"),
        Column("rating", pl.Float64, "the rating as given", at_least=0, null_because="reason"),
        Column("max_rating", pl.Float64, "the highest possible rating", at_least=0),
        _points("points", "rating ÷ highest possible rating × 100", at_least=0, at_most=100, null_because="reason"),
        Column("reference_kind", pl.String, "what it is compared with", one_of=tuple(REFERENCES)),
        _points("reference_points", "the reference", at_least=0, at_most=100, optional=True),
        _points("bias", "points less the reference: above 0 is lenient", at_least=-100, at_most=100, optional=True),
        _points("absolute_deviation", "distance from the reference", at_least=0, at_most=100, optional=True),
        _percent("alignment", "100 % less the distance from the reference; 10 against 7 of 15 is 80 %"),
        Column("reason", pl.String, "why the machine has no score", one_of=tuple(NO_VALUE), optional=True),
        _SESSION_ON,
        _VERSION,
    ),
    daily=False,
)

SESSIONS = Table(
    "calibration/sessions",
    "What a session says about one parameter of one interaction: who stands where, and why it may be so.",
    "one row per session, interaction and parameter that people rated",
    ("session_id", "interaction_id", "parameter"),
    (
        _SESSION,
        _INTERACTION,
        _PARAMETER,
        _SESSION_ON,
        Column("week_start", pl.Date, "Monday of the session's week"),
        Column("agent_id", pl.String, "the agent who is heard", optional=True),
        _count("n_raters", "people who rated it"),
        _count("n_departments", "departments that rated it"),
        _points("lowest", "lowest rating of the people", at_least=0, at_most=100),
        _points("highest", "highest rating of the people", at_least=0, at_most=100),
        _points("spread", "highest less lowest rating of the people", at_least=0, at_most=100),
        _points("panel_mean", "mean of the people", at_least=0, at_most=100),
        _points("reference_points", "mean of the experts, else of all people", at_least=0, at_most=100),
        Column("reference_kind", pl.String, "expert, or panel where there was no expert", one_of=("expert", "panel")),
        _points("lowest_department_mean", "mean of the lowest department", at_least=0, at_most=100, optional=True),
        _points("highest_department_mean", "mean of the highest department", at_least=0, at_most=100, optional=True),
        Column(
            "department_variance",
            pl.Float64,
            "variance of the departments' means; NULL below two departments",
            "points² of 100",
            at_least=0,
            optional=True,
        ),
        _points("mean_absolute_deviation", "mean distance of the people from their reference", optional=True),
        _percent("alignment", "mean alignment of the people with their reference"),
        _points("machine_points", "the machine's own score", at_least=0, at_most=100, null_because="machine_reason"),
        _points("machine_bias", "the machine's score less the reference", null_because="machine_reason"),
        _percent("machine_alignment", "alignment of the machine with the reference"),
        Column("machine_reason", pl.String, "why the machine has no score", one_of=tuple(NO_VALUE), optional=True),
        Column("diagnosis", pl.String, "what it looks like", one_of=SESSION_DIAGNOSES),
        Column("diagnosis_text", pl.String, "the same in words"),
        _VERSION,
    ),
    daily=False,
)

WEEKS = Table(
    "calibration/weeks",
    "Whether the departments come closer to each other from week to week.",
    "one row per parameter and week with a session",
    ("parameter", "week_start"),
    (
        _PARAMETER_OR_ALL,
        Column("week_start", pl.Date, "Monday of the week"),
        _count("n_sessions", "sessions in the week"),
        _count("n_compared", "interactions and parameters that two or more departments rated"),
        Column(
            "department_variance",
            pl.Float64,
            "mean of the variance between departments",
            "points² of 100",
            at_least=0,
            optional=True,
        ),
        _points("department_deviation", "its square root: how far departments lie apart", at_least=0, optional=True),
        _count("n_weeks", "weeks that the trend rests on: those of the last 13 that two departments rated in"),
        Column(
            "variance_change_per_week",
            pl.Float64,
            "Theil-Sen slope of the variance over these weeks; below 0: the departments come closer",
            "points² of 100 a week",
            null_because="reason",
        ),
        Column("change_low", pl.Float64, "lower end of its 95 % interval", optional=True),
        Column("change_high", pl.Float64, "upper end of its 95 % interval", optional=True),
        Column("trend", pl.String, "where the interval leaves no doubt; else steady", one_of=TRENDS, optional=True),
        Column("reason", pl.String, "why there is no trend", one_of=tuple(NO_VALUE), optional=True),
        _VERSION,
    ),
    daily=False,
)

AGREEMENT = Table(
    "calibration/agreement",
    "How far raters agree, with the machine and without it.",
    "one row per parameter, period, panel and statistic",
    ("parameter", "period", "period_start", "panel", "statistic"),
    (
        _PARAMETER_OR_ALL,
        Column("period", pl.String, "all sessions, or those of a month", one_of=PERIODS),
        Column("period_start", pl.Date, "first day of the month; for all: of the first session's month"),
        Column("panel", pl.String, "whose agreement it is", one_of=tuple(PANELS)),
        Column("statistic", pl.String, "measure of agreement", one_of=tuple(STATISTICS)),
        Column("value", pl.Float64, "the statistic; 1 is agreement throughout", at_most=1, null_because="reason"),
        Column("low", pl.Float64, "lower end of the 95 % interval over sessions", null_because="interval_reason"),
        Column("high", pl.Float64, "upper end of the 95 % interval over sessions", null_because="interval_reason"),
        _count("n_units", "interactions and parameters that two or more of these raters rated"),
        _count("n_ratings", "ratings of them"),
        _count("n_raters", "raters"),
        _count("n_sessions", "sessions"),
        Column("reason", pl.String, "why there is no value", one_of=tuple(NO_VALUE), optional=True),
        Column(
            "interval_reason",
            pl.String,
            "why there is no interval",
            one_of=(*NO_VALUE, *NO_INTERVAL),
            optional=True,
        ),
        _VERSION,
    ),
    daily=False,
)

RATERS = Table(
    "calibration/raters",
    "How each rater rates: severe or lenient (level), and consistent or not (order). Departments and the machine too.",
    "one row per rater and parameter",
    ("rater_kind", "reviewer_id", "parameter"),
    (
        Column("rater_kind", pl.String, "a person, a department or the machine", one_of=RATER_KINDS),
        Column("reviewer_id", pl.String, "the reviewer; a department's name; machine"),
        _PARAMETER_OR_ALL,
        _count("n", "ratings that can be compared with somebody else's"),
        _count("n_sessions", "sessions that they come from"),
        Column("reference_kind", pl.String, "whom the bias is measured against", one_of=tuple(REFERENCES)),
        _points(
            "bias",
            "points above (lenient) or below (severe) the expert on the same things; without an expert: the middle "
            "rater of the panel",
            null_because="reason",
        ),
        _points("bias_low", "lower end of its 95 % interval over sessions", null_because="interval_reason"),
        _points("bias_high", "upper end of its 95 % interval over sessions", null_because="interval_reason"),
        _points("mean_absolute_deviation", "mean distance from the reference", at_least=0, optional=True),
        _percent("alignment", "100 % less that distance"),
        Column(
            "correlation",
            pl.Float64,
            "correlation of the ratings with the mean of the others (their own bias taken off)",
            at_least=-1,
            at_most=1,
            optional=True,
        ),
        Column("correlation_low", pl.Float64, "lower end of its 95 % interval", optional=True),
        Column("correlation_high", pl.Float64, "upper end of its 95 % interval", optional=True),
        Column("is_severe", pl.Boolean, "5 or more points below, and the interval excludes 0", optional=True),
        Column("is_lenient", pl.Boolean, "5 or more points above, and the interval excludes 0", optional=True),
        Column(
            "is_inconsistent",
            pl.Boolean,
            "correlation below 0.7, and its interval below that of the middle rater",
            optional=True,
        ),
        Column("diagnosis_text", pl.String, "what it means, in words"),
        Column("reason", pl.String, "why there is no bias", one_of=tuple(NO_VALUE), optional=True),
        Column(
            "interval_reason",
            pl.String,
            "why there is no interval",
            one_of=(*NO_VALUE, *NO_INTERVAL),
            optional=True,
        ),
        _VERSION,
    ),
    daily=False,
)

AGENTS = Table(
    "calibration/agents",
    "The agents who were heard in calibration sessions; those who are tenured and score low are outliers.",
    "one row per agent and parameter",
    ("agent_id", "parameter"),
    (
        Column("agent_id", pl.String, "the agent"),
        _PARAMETER_OR_ALL,
        Column("hired_on", pl.Date, "first day of work", optional=True),
        Column("tenure_days", pl.Int64, "days from it to the last session", "days", optional=True),
        Column("is_tenured", pl.Boolean, "a year or more", null_because="tenure_reason"),
        Column("tenure_reason", pl.String, "why the tenure is unknown", one_of=tuple(NO_VALUE), optional=True),
        _count("n", "interactions and parameters that were rated"),
        _count("n_interactions", "interactions that were rated"),
        _points("reference_mean", "mean of the experts' ratings, else of the people's", at_least=0, at_most=100),
        _points("others_mean", "the same of all other agents", at_least=0, at_most=100, optional=True),
        _points("machine_mean", "mean of the machine's scores of the same", at_least=0, at_most=100, optional=True),
        Column("is_low", pl.Boolean, "below 60 points, and below the other agents", null_because="reason"),
        Column("is_outlier", pl.Boolean, "tenured and low", optional=True),
        Column("reason", pl.String, "why that is not known", one_of=tuple(NO_VALUE), optional=True),
        Column("diagnosis_text", pl.String, "what it means, in words"),
        _VERSION,
    ),
    daily=False,
)

TABLES = (RATINGS, SESSIONS, WEEKS, AGREEMENT, RATERS, AGENTS)
