"""Graphs: ontologies, term linking, coverage."""
