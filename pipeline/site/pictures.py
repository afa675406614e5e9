"""Charts as PNG: rendered by resvg (in vl-convert), its pixels packed again as small as PNG can."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import vl_convert

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def draw(chart: Path) -> None:
    """Puts the picture of an SVG file beside it."""
    chart.with_suffix(".png").write_bytes(png(chart.read_bytes()))


def png(svg: bytes) -> bytes:
    """The picture of an SVG file, in the fonts of the machine, else in the one that the renderer has."""
    return _packed(vl_convert.svg_to_png(svg.decode(), scale=1.5))


def _packed(picture: bytes) -> bytes:
    """The same picture with its data compressed better (PNG specification, chunk layout)."""
    kept: list[tuple[bytes, bytes]] = []
    data, at = b"", len(SIGNATURE)
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        kind, body = picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        if kind == b"IDAT":
            data += body
        elif kind == b"IEND":
            kept.append((b"IDAT", zlib.compress(zlib.decompress(data), 6)))
            kept.append((kind, body))
        else:
            kept.append((kind, body))
        at += 12 + length
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in kept
    )
    return SIGNATURE + b"".join(chunks)
