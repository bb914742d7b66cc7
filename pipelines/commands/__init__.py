"""What the command's words do, one file each; `prove`, `report` and `forget` have packages.

run.py       run, crawl and steps              plan.py      plan; its prices: price.py
explain.py   explain; a page: onpage.py        written.py   recipe
default.py   the recipe of `karez run PATH`    compiling.py kernels, before the first run
show.py      what a person sees of a run
"""
