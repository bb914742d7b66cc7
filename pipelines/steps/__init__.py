"""The steps of a run, in the order of `order.py`; what else they share.

ingest.py    files to documents                sources.py   which files; output.py  their parts
pairs.py     images, and what is said of them
fit.py       samples to models                 scan.py      documents to columns
count.py     words of the corpus               score.py     documents by these
rules.py     columns to reasons                dedup/       near-duplicates
across/      edits across documents            cap.py       so many of a host
split.py     train and held out                near.py      held out near train
select/      a budget of tokens                decide.py    one decision each
publish.py   documents to shards               card.py      what the dataset says of itself
holdings.py  what they hold in memory          meeting.py   rows that share a key
consent.py, edited.py, languages.py            what was counted, told after the run
"""
