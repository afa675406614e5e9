"""The formats of a package: one module for each, with ``files`` and ``check``; ``registry`` has them all.

``files(contents)`` returns bytes by path in the package; ``check(folder, described)`` reads them back and
yields what disagrees with the tables. A module holds only what its format needs: titles, labels and people
come from ``contents`` and ``labels``, cells from the published tables.
"""
