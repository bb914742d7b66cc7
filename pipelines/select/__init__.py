"""Selection: of what is left, what teaches most, under a budget of tokens.

asked.py       what a recipe asks for          strategies.py  its strategies, by name
rank.py        a step: every partition ranks   take.py        a step: the budget is filled
levels.py      the level in between            curriculum.py  a step: a place from easy to hard
"""
