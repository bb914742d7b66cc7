"""Near-duplicates: the step that drops them, and the step that measures what it missed.

step.py      the step: bands, buckets, pairs   clusters.py  pairs to clusters, who stays
against.py   earlier runs beside this one      check.py     the step: a few documents by brute force
truth.py     true similarity of pairs          recall.py    what that says of recall
"""
