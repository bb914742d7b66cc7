"""How a step is done, without Beam.

step.py      what a step is; its job and plan  doing.py     a job: prepared, watched, collected
tasks.py     one task, and its note            segments.py  what a stage puts out, in files
exchange.py  the same, travelling              corpus.py    how much there is
limits.py    what one process may hold         versions.py  what workers must have in common
"""
