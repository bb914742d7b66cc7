"""Trainer: published shards in, a trained model out.  Torch, and no Beam.

==========  ======================================================================
``shards``  documents of a dataset, memory-mapped
``tokens``  text to token numbers: byte pairs, or bytes
``stream``  tokens packed into rows, in an order, from any position on
``sizes``   sizes of models by name
``model``   the decoder
``train``   the loop, and bits per byte of held-out texts
``job``     one training as a process of its own
==========  ======================================================================
"""
