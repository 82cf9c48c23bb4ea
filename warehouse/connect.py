"""The only door to DuckDB: short sessions, one writer at a time, no way out to files or network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from warehouse import lingering, marks, migrate
from warehouse.errors import MemoryShort, WarehouseDamaged, WarehouseError, WarehouseFull, WarehouseMissing
from warehouse.settings import WarehouseSettings
from warehouse.turnstile import pass_by, turn

if TYPE_CHECKING:
    import pyarrow as pa

Connection = duckdb.DuckDBPyConnection
DatabaseError = duckdb.Error


class Warehouse:
    """A warehouse on disk. Holds nothing open: `reading()` and `writing()` are one session each.

    Keep sessions short: fetch, leave, and only then compute or draw, because a reader that stays
    keeps the writers waiting.
    """

    def __init__(self, path: Path, settings: WarehouseSettings, *, lingering: bool = False) -> None:
        self.path = path
        self.settings = settings
        self.lingering = lingering

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only session. Raises WarehouseMissing where nothing was stored yet.

        Where the warehouse is `lingering`, the file stays open for a moment for the next one (`warehouse.lingering`).
        """
        if not self.path.exists() or self._is_empty():
            raise WarehouseMissing(
                f"There is no warehouse at {self.path} yet.",
                "Run 'whosends ingest PATH', 'whosends poll' or 'whosends demo' first.",
            )
        if not self.lingering:
            with self._reading() as connection:
                yield connection
            return
        passing = partial(pass_by, self.path, wait=self.settings.wait)
        with _explained(self.path), lingering.shared(self.path, self._reading, passing) as connection:
            yield connection

    def let_go(self) -> None:
        """Close what lingers."""
        lingering.let_go(self.path)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with turn(self.path, write=False, wait=self.settings.wait), self._open(read_only=True) as connection:
            outdated = migrate.outdated(connection)
            if not outdated:
                yield connection
                return
        # An older schema is brought up to date by a writer's turn; then the reader has its own.
        with self.writing():
            pass
        with turn(self.path, write=False, wait=self.settings.wait), self._open(read_only=True) as connection:
            yield connection

    @contextmanager
    def writing(self, *, reports: bool = True, memory: str = "") -> Iterator[Connection]:
        """A session in one transaction: committed at the end, rolled back on any error.

        `memory` bounds what DuckDB holds of it, where the settings do not: what is beyond that waits in a file. Raises
        MemoryShort where it cannot do with so little.
        `reports` is False only where aggregate reports, what their rollups sum to and addresses surely stay as they
        are, or where the session itself says whose do not (`warehouse.marks`): then what is kept of answers
        (`warehouse.kept`) stays good.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"Cannot make the folder {self.path.parent}: {error.strerror}."
            raise WarehouseError(message, "Point --warehouse to a place that can be written.") from error
        self.let_go()
        with (
            turn(self.path, write=True, wait=self.settings.wait),
            self._open(read_only=False, memory=memory) as connection,
        ):
            migrate.migrate(connection)
            connection.begin()
            try:
                yield connection
                if reports:
                    marks.change_all(connection)
                connection.commit()
            except BaseException:
                # A commit that failed has rolled back by itself, and a broken database has nothing to undo.
                with suppress(duckdb.Error):
                    connection.rollback()
                raise

    def _is_empty(self) -> bool:
        # What a crash before the very first write leaves; DuckDB takes it for damage.
        return self.path.is_file() and not self.path.stat().st_size

    @contextmanager
    def _open(self, *, read_only: bool, memory: str = "") -> Iterator[Connection]:
        config: dict[str, str | bool | int | float | list[str]] = {
            "enable_external_access": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "lock_configuration": "true",
            # Since this version a log names the state of the file that it belongs to, and is played into no other.
            "storage_compatibility_version": "v1.4.0",
        }
        # A batch is small: a second thread saves a writer little time, and takes a quarter more of the processor's.
        threads = self.settings.threads if read_only else 1
        if threads:
            config["threads"] = str(threads)
        if memory or self.settings.memory:
            config["memory_limit"] = self.settings.memory or memory
        if not read_only and self.path.exists() and self._is_empty():
            self.path.unlink()
        try:
            connection = duckdb.connect(str(self.path), read_only=read_only, config=config)
        except (duckdb.IOException, duckdb.SerializationException, duckdb.FatalException) as error:
            raise _opening_fault(self.path, error) from error
        except duckdb.OutOfMemoryException as error:
            raise _too_little(self.path) from error
        except UnicodeEncodeError as error:
            message = f"The path {str(self.path)!a} is no UTF-8 text, and DuckDB opens no other."
            raise WarehouseError(message, "Point --warehouse to another path.") from error
        except (duckdb.InvalidInputException, duckdb.ParserException) as error:
            raise WarehouseError(f"DuckDB refuses the settings of {self.path}: {_line(error)}.") from error
        try:
            with _explained(self.path):
                yield connection
        finally:
            connection.close()


def insert(connection: Connection, name: str, rows: pa.Table) -> None:
    """Append rows to a table of ours by column name."""
    connection.register("incoming", once(rows))
    connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM incoming")
    connection.unregister("incoming")


def once(rows: pa.Table) -> pa.RecordBatchReader:
    """Rows to register that are let go as they are read; a table is held until the transaction ends."""
    import pyarrow as pa  # noqa: PLC0415  sessions that only read need not load it

    return pa.RecordBatchReader.from_batches(rows.schema, iter(rows.to_batches()))


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """What an error of the file, not of a query, means to a person."""
    try:
        yield
    except duckdb.Error as error:
        if fault := _session_fault(path, error):
            raise fault from error
        raise


_OF_MEMORY = ("failed to pin", "failed to offload", "could not allocate block")


def _session_fault(path: Path, error: duckdb.Error) -> WarehouseError | None:
    """What an error of the file, not of a query, means to a person. The transaction is undone in any case."""
    text = str(error)
    if isinstance(error, duckdb.DataError | duckdb.ProgrammingError):
        return None  # of a query, and what it quotes may be any text
    # A commit tells of it in other words; "offload" is where there is no room on disk for what does not fit.
    if isinstance(error, duckdb.OutOfMemoryException) or any(sign in text for sign in _OF_MEMORY):
        return _too_little(path)
    if "No space left" in text or "Disk quota" in text:
        return WarehouseFull(
            f"The disk that holds {path} is full; nothing of this batch was stored, and all before it is safe.",
            "Make room and run the same command again: it goes on where it stopped.",
        )
    if _tells_of_damage(error) or isinstance(error, duckdb.FatalException | duckdb.SerializationException):
        return _damaged(path, error)
    if isinstance(error, duckdb.IOException):
        return WarehouseError(f"The warehouse {path} could not be read or written: {_line(error)}.")
    return None


def _too_little(path: Path) -> MemoryShort:
    return MemoryShort(
        f"The warehouse {path} needs more memory than it may take; nothing was stored of this batch.",
        "Raise 'memory' under [warehouse], or end other programs, and run the same command again.",
    )


def _opening_fault(path: Path, error: duckdb.Error) -> WarehouseError:
    text = str(error)
    if "set lock on file" in text or "used by another process" in text:
        return WarehouseError(
            f"Another program has {path} open and does not take turns.",
            "Close it (a DuckDB shell, a notebook) and try again.",
        )
    if "WAL" in text:
        foreign = "checkpoint iteration" in text or "was created for" in text or "does not match" in text
        what = "belongs to another file, or to an older state of this one" if foreign else "is damaged"
        return WarehouseDamaged(
            f"The log {path.name}.wal beside {path} {what}: {_line(error)}.",
            "Restore a copy; or move the log away and go on with the file alone, without what only the log holds.",
        )
    if _tells_of_damage(error) or not isinstance(error, duckdb.IOException):
        return _damaged(path, error)
    return WarehouseError(f"Cannot open the warehouse {path}: {_line(error)}.")


def _tells_of_damage(error: duckdb.Error) -> bool:
    signs = ("not a valid DuckDB", "checksum", "orrupt", "not read enough bytes")
    return any(sign in str(error) for sign in signs)


def _damaged(path: Path, error: duckdb.Error) -> WarehouseDamaged:
    return WarehouseDamaged(
        f"The warehouse {path} is damaged or is no DuckDB file: {_line(error)}.",
        "Move it away and restore a copy, or ingest the reports again.",
    )


def _line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0].rstrip(".")
