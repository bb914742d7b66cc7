"""The crawl: rounds over a frontier, one polite fetcher a host, WARC out.

scope.py     which URLs are asked for at all   frontier.py  which are known, which are due
hosts.py     manners, and robots.txt           client.py    libcurl, with its limits
outcome.py   what an answer means              pages.py     what it holds, where it leads
fetch.py     a round's loop over hosts         archive.py   WARC files and the log
step.py      a round as a step                 rounds.py    the driver
tables.py    what stands in the run folder     records.py   the log as tables
told.py      what a crawl came to              view.py      how it goes, for a person
"""
