"""Whether a raw file can be what its name or declaration says, by its first bytes."""

from __future__ import annotations

from pathlib import Path

from pipeline.catalogue.fieldwork import Source
from pipeline.problems import Problem, ProblemError
from pipeline.sources.layout import raw_file_name

BEGINNINGS = (  # bytes, what they are, and the format to declare
    (b"PK\x03\x04", "an Excel workbook or another zip archive", "xlsx"),
    (b"$FL2", "an SPSS file", "sav"),
    (b"$FL3", "an SPSS file", "sav"),
    (b"<stata_dta>", "a Stata file", "dta"),
    (b"PAR1", "a Parquet file", "parquet"),
    (b"HEADER RECORD*******", "a SAS transport file", "xpt"),
    (b"\0" * 12 + b"\xc2\xea\x81\x60", "a SAS file", "sas7bdat"),
)
OLD = "is a workbook with a password, or of the old binary format"
LOCKED = (
    (b"\xd0\xcf\x11\xe0", OLD, "Save it as .xlsx, without a password."),
    (b"ENCRYPTEDSAV", "is encrypted", "Save it in SPSS without a password."),
    (b"PARE", "is encrypted", "Write it without encryption."),
)


def require_contents(path: Path, source: Source, kind: str) -> None:
    """Raises ProblemError for what is no file, is empty, is encrypted, or plainly of another format."""
    if not path.is_file():
        raise ProblemError(
            Problem(raw_file_name(source), "", "is not a file", "Put the delivered file there.")
        )
    with path.open("rb") as file:
        head = file.read(64)
    if not head:
        raise ProblemError(Problem(raw_file_name(source), "", "is empty", "Put the delivered file there."))
    for beginning, message, hint in LOCKED:
        if head.startswith(beginning) and kind != "csv":
            raise ProblemError(Problem(raw_file_name(source), "source.file", message, hint))
    for beginning, what, other in BEGINNINGS:
        if head.startswith(beginning) and kind != other:
            message = f"is {what} and cannot be read as {kind}"
            hint = f'Set source.format = "{other}" in the wave file if that is what was delivered.'
            raise ProblemError(Problem(raw_file_name(source), "source.format", message, hint))
