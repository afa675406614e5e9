"""Reads PC-Axis files with pyaxis in a language, and writes what is in them as JSON."""

import json
import sys
from itertools import product

from pyaxis import pyaxis

language, *paths = sys.argv[1:]
found = []
for path in paths:
    read = pyaxis.parse(path, encoding="utf-8", lang=language, null_values=r"^$", sd_values=r"^$")
    about, data = read["METADATA"], read["DATA"]
    codes = [about[f"CODES({name})"] for name in (*about["STUB"], *about["HEADING"])]
    cells = [[*key, cell] for key, cell in zip(product(*codes), data["DATA"], strict=True)]
    labels = data.iloc[0, :-1].tolist()
    found.append({"title": about["TITLE"], "labels": labels, "codes": codes, "cells": cells})
json.dump(found, sys.stderr)
