"""CITATION.cff: how to cite the package, for reference managers and repositories."""

from __future__ import annotations

import json

from pipeline.release.contents import Contents

PATH = "CITATION.cff"
MESSAGE = "If you use these data, please cite them as below."


def files(contents: Contents) -> dict[str, bytes]:
    """The citation file. A text in double quotes is the same in JSON and in YAML."""
    barometer = contents.catalogue.barometer
    facts = {
        "cff-version": "1.2.0",
        "message": MESSAGE,
        "type": "dataset",
        "title": contents.title,
        "abstract": contents.description,
        "version": barometer.version,
        "date-released": barometer.released.isoformat(),
        "license": barometer.licence,
        "url": contents.address or barometer.homepage,
    }
    lines = [f"{key}: {_quoted(fact)}" for key, fact in facts.items() if fact]
    authors = contents.publishers or (contents.title,)  # the format requires one
    lines += ["authors:", *(f"  - name: {_quoted(name)}" for name in authors)]
    if barometer.keywords:
        lines += ["keywords:", *(f"  - {_quoted(keyword)}" for keyword in barometer.keywords)]
    return {PATH: ("\n".join(lines) + "\n").encode()}


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
