"""Selection: of what is left, what teaches most, under a budget of tokens.

rank.py        a step: every partition ranks   take.py     a step: the budget is filled
levels.py      the level in between            summary.py  what it came to, in words
curriculum.py  a step: a place from easy to hard
"""
