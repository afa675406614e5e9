"""Dagster's event log as it is, in SQLite, with its files kept open while a run lasts.

Dagster opens a file anew for every event, and a wave has sixty: that takes longer than the wave. Only for
the runs of the command line: one at a time, where a server shows many.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import Connection, Engine, create_engine


class KeptOpen(SqliteEventLogStorage):
    """The event log of an instance that ends with its run."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: dict[str, Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> KeptOpen:
        """How Dagster makes it."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        if shard not in self._engines:
            with super()._connect(shard):  # makes the file where there is none
                pass
            self._close_all_but(INDEX_SHARD_NAME)
            waiting = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
            self._engines[shard] = create_engine(self.conn_string_for_shard(shard), connect_args=waiting)
        with self._db_lock, self._engines[shard].begin() as connection:
            yield connection

    def _close_all_but(self, *shards: str) -> None:
        for shard in {*self._engines} - {*shards}:
            self._engines.pop(shard).dispose()

    def dispose(self) -> None:
        """Closes the files."""
        super().dispose()
        self._close_all_but()
