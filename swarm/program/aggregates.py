"""Aggregates that SQL has for what a task asks for in words: a small model knows few of them, and works the others
out by hand and wrongly."""

from __future__ import annotations

import re

_TOLD = (
    (r"correlat|pearson", "CORR(a, b) is Pearson's correlation of two columns"),
    (
        r"standard deviation|std\b|z-?scores?\b",
        "STDDEV(a) is the standard deviation of a sample, STDDEV_POP(a) of all there are",
    ),
    (r"\bvariances?\b", "VAR_SAMP(a) is the variance of a sample, VAR_POP(a) of all there are"),
    (r"\bmedians?\b", "MEDIAN(a) is the median"),
    (
        r"quartile|quantile|percentile|interquartile|\biqr\b",
        "QUANTILE_CONT(a, 0.25) is the first quartile, QUANTILE_CONT(a, 0.75) the third",
    ),
    (r"skew", "SKEWNESS(a) is the skewness"),
    (r"kurto", "KURTOSIS(a) is the kurtosis"),
    (r"\bmodes?\b|most (?:common|frequent)", "MODE(a) is the value that comes most often"),
    (
        r"linear regression|\bslope\b|\bintercept\b",
        "REGR_SLOPE(y, x), REGR_INTERCEPT(y, x) and REGR_R2(y, x) are of the line y over x",
    ),
)
"""Words of statistics, and what DuckDB has for them (its page on statistical aggregates)."""


def aggregates_for(task: str) -> list[str]:
    """A line for each aggregate that the words of a task ask for."""
    return [f"-- {told}" for words, told in _TOLD if re.search(words, task, re.IGNORECASE)]
