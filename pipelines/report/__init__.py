"""The report: one page that needs nothing but itself.

command.py   the page is made                  view.py        a run gathered
samples.py   documents to look at              duplicates.py  near-duplicates, side by side
spread.py    numbers of columns                tally.py       strings of columns
plots.py     small SVG                         axes.py        round edges
curve.py     the S-curve of dedup              proof.py       the curves of a proof
difference.py where two texts part
"""
