"""Forget: what is asked for goes out of a run, and does not come back.

command.py   who, where, in which order        blank.py     records of WARC files
emptied.py   rows of tables                    mentions.py  tables that name it, and images
unpublish.py rows of the dataset               leftover.py  what stays, and is told
"""
