"""Dagster's own event log in SQLite, with the same files, at a fifth to three fifths of the cost.

As shipped it makes a new engine for every statement, which compiles its SQL again each time, and a transaction for
every event: 11 ms of CPU each (tests/benchmarks/event_log.py), and a run of some hundred assets and checks writes a
thousand.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool

_RUNS_IN_MEMORY = 16
# What Dagster may collect before it writes: the plan of a run, and a table's days in a run over many days.
BATCH = {"DAGSTER_EVENT_BATCH_SIZE": "500"}


def configured(instance: str, home: Path) -> str:
    """The text of a dagster.yaml with this event log, in the folder where Dagster has its own.

    As it is, where it names a storage: that may be another database. Raises YAMLError where it can't be read.
    """
    if {"storage", "event_log_storage"} & set(yaml.safe_load(instance) or {}):
        return instance
    config = {"base_dir": str((home / "history" / "runs").resolve())}
    ours = {"event_log_storage": {"module": __name__, "class": EventLog.__name__, "config": config}}
    return f"{instance.rstrip()}\n\n{yaml.safe_dump(ours, sort_keys=False)}"


class EventLog(SqliteEventLogStorage):
    """SqliteEventLogStorage, made to write a thousand events."""

    def __init__(self, base_dir: str, inst_data: Any = None):
        self._engine = lru_cache(maxsize=_RUNS_IN_MEMORY)(self._new_engine)
        self._there: set[str] = set()
        # The connections of the batch that is being written, by shard; None outside of one.
        self._batch: dict[str, Connection] | None = None
        super().__init__(base_dir, inst_data)
        self._db_lock = threading.RLock()

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: dict) -> EventLog:
        return cls(inst_data=inst_data, **config_value)

    def has_table(self, table_name: str) -> bool:
        return self._once(f"table {table_name}", lambda: super(EventLog, self).has_table(table_name))

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        above = super()._has_asset_key_col_on_connection
        return self._once(f"column {column_name}", lambda: above(conn, column_name))

    def _once(self, what: str, look) -> bool:
        """Whether something is there, without looking again once it was: nothing takes tables or columns away."""
        if what not in self._there and look():
            self._there.add(what)
        return what in self._there

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store the events in one transaction a file: all of them or, where it fails, none."""
        with self._db_lock:
            self._batch = {}
            try:
                with ExitStack() as self._transactions:
                    for event in events:
                        self.store_event(event)
            finally:
                self._batch = None

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if self._batch is None:
                with self._connected(shard) as connection:
                    yield connection
                return
            if shard not in self._batch:
                self._batch[shard] = self._transactions.enter_context(self._connected(shard))
            yield self._batch[shard]

    @contextmanager
    def _connected(self, shard: str) -> Iterator[Connection]:
        engine = self._engine(shard)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        with engine.connect() as connection, connection.begin():
            yield connection

    def _new_engine(self, shard: str) -> Engine:
        limits = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
        return create_engine(self.conn_string_for_shard(shard), poolclass=NullPool, connect_args=limits)
