"""Floor 4: every step of the pipeline as one function, files in and files out, without a scheduler.

``folders`` says where a step's output lies and how it is swapped in whole; ``inputs`` (with ``structure``
and ``hashes``) what it would be made from, and so whether it is current; ``waves`` and ``products`` make
it; ``quality`` judges it.
How to harmonise, weight or estimate belongs to the rooms below; when to run and retry to the floor above.
"""
