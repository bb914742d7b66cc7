"""All that knows of Beam.

pipeline.py  a job as a pipeline               coders.py    what travels, as bytes
counters.py  what tasks count                  jobs.py      jobs on a runner elsewhere
workers.py   worker processes here             loopback.py  and how they listen
pool.py      a pool beside a TaskManager       dataflow.py  what its workers need
template.py  a run as a Flex Template
"""
