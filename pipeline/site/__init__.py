"""Layer 4: the catalogue of a barometer as a static site, from published tables, labels and nothing else.

Here belongs what a reader sees in a browser: pages, charts, search, embeds, and a server for one's own
machine. What is published, and under which flags, belongs to ``release``; microdata and unprotected
statistics have no way in. Jinja2 is used here and nowhere else.
"""

from pipeline.site.build import build_site

__all__ = ["build_site"]
