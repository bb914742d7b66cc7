"""Edits across documents: what stands in many of them, or in one before, is cut.

boilerplate.py  a step: lines of a host        anchors.py  what of a part may stand elsewhere
passages.py     a step: lines and runs of words that stand in a document before
again.py        a step: what changed is measured and judged anew
"""
