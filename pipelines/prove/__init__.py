"""The proof: whether what a run publishes teaches more a token, told by small models.

command.py   what is asked, and its answer      arms.py       what each would train on
sets.py      held-out texts                     pieces.py     documents as both take them
without.py   the recipe, a rule left out        jobs.py       arms and seeds to models
trainings.py models side by side                figures.py    curves to figures
view.py      the table in the terminal; the report draws the curves
"""

PLACE = "prove"
"""Of a proof in a run folder."""

PROOF = f"{PLACE}/prove.json"
"""Its figures."""
