"""``barometer serve``: the site on this machine only, as a careful host would serve it."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import typer

from pipeline.catalogue import load_catalogue
from pipeline.problems import Problem, ProblemError
from pipeline.site.page import policy

HOST = "127.0.0.1"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}

TYPES = {
    **SimpleHTTPRequestHandler.extensions_map,
    ".js": "text/javascript; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".ttl": "text/turtle; charset=utf-8",
    ".jsonld": "application/ld+json",
    ".parquet": "application/vnd.apache.parquet",
}


class Handler(SimpleHTTPRequestHandler):
    """Files below the site's folder, each with the policy that suits its kind. Folders are not listed."""

    extensions_map = TYPES

    def end_headers(self) -> None:
        """Adds the security headers."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Security-Policy", _policy(self.path.partition("?")[0]))
        super().end_headers()

    def list_directory(self, path: object) -> None:
        """A folder without a front page is not there."""
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed for a request."""


def _policy(path: str) -> str:
    """Pages bear their own policy and get the same here; a picture may only style itself."""
    if path.endswith(".svg"):
        return "default-src 'none'; style-src 'unsafe-inline'"
    if path.endswith("/sql.html"):
        return policy(script_src="'self' 'wasm-unsafe-eval'")
    return policy()


def server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of a folder on 127.0.0.1; port 0: any that is free. Raises ProblemError when it is taken."""
    try:
        return ThreadingHTTPServer((HOST, port), partial(Handler, directory=str(folder)))
    except OSError as error:
        hint = "Choose another port with --port."
        raise ProblemError(
            Problem("", "--port", f"cannot be used: {error.strerror}", hint, value=str(port))
        ) from None


def serve_site(root: Path, port: int) -> None:
    """Serves the built site until it is stopped. Raises ProblemError where there is none."""
    folder = root / "warehouse" / "site"
    if not (folder / "index.html").is_file():
        load_catalogue(root)  # a folder that holds no barometer says so
        raise ProblemError(
            Problem("warehouse/site", "", "does not exist yet", "Build it with `barometer run`.")
        )
    with server(folder, port) as serving:
        typer.echo(f"The site is at http://{HOST}:{serving.server_port}/ (stop with Ctrl-C).")
        serving.serve_forever()
