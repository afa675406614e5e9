"""The formats of a package beside CSV and Parquet: a module each, with one function ``files``.

``files(contents)`` gives bytes by path in the package. A module says what its format needs and nothing else:
titles, labels and people come from ``contents`` and ``labels``, cells from the published tables.
"""
