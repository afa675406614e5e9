"""What is current, and what has to be made again.

``declared`` says which declarations a step reads, ``code`` which code makes its output, ``files`` which
bytes a file holds; ``fingerprint`` makes one hash of the three; ``outputs`` records it beside what was made,
with the hash of every file; ``status`` compares. Standard library only, so that a run with nothing to do
ends before the heavy libraries are loaded.
"""
