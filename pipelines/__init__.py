"""Beam wiring, the data contract and the command line of Karez."""
