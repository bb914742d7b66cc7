"""Hypothesis draws the same examples in every run, and a slow machine fails nothing."""

from hypothesis import settings

settings.register_profile("karez", deadline=None, derandomize=True)
settings.load_profile("karez")
