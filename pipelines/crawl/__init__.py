"""The crawl: rounds over a frontier, one polite fetcher a host, WARC out.

asked.py     what a recipe asks for            frontier.py  which URLs are known, which are due
scope.py     which URLs are asked for at all   hosts.py     manners, and what robots.txt says
client.py    libcurl, with its limits          outcome.py   what an answer means
archive.py   WARC files and the log            fetch.py     a round's loop over hosts
rounds.py    the driver, and the step
"""
