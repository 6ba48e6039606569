"""PyAirbyte reads the mock Stripe through the connector into DuckDB, twice, as a user of it would.

The models of the protocol say whether a line is well-formed; this says whether a client that others
wrote can live with what the lines mean: states that come back, records that replace their older
versions, a stream without a cursor. Between the two syncs objects are made, changed and deleted, and
the tables have to say so.

Usage: python3 .ci/pyairbyte/sync.py --ours BINARY --mock BINARY

Nothing is asked of any host but loopback, and anything else that tries to is an error.
"""

import argparse
import os
import socket
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "peer"))

from mock import Mock  # noqa: E402

# A stream of each kind, and the mock's resource that its records are of. See `docs/stripe.md`.
STREAMS = {
    "balance_transactions": "balance_transactions",
    "charges": "charges",
    "customers": "customers",
    "products": "products",
    "accounts": "accounts",
    "payment_methods": "payment_methods",
    "customer_balance_transactions": "customer_balance_transactions",
    "invoice_line_items": "invoice_line_items",
    "usage_records": "usage_records",
}
# Without a key, so that every sync adds all of it.
WITHOUT_KEY = "usage_records"


def stay_on_loopback():
    """Makes every connection to anywhere else an error."""
    connect = socket.socket.connect

    def checked(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in (
            "127.0.0.1",
            "::1",
        ):
            raise AssertionError(f"a connection to {address}")
        return connect(self, address)

    socket.socket.connect = checked


def settings(folder):
    """Tells PyAirbyte to stay offline: no telemetry, no registry of connectors."""
    os.environ.update(
        {
            "DO_NOT_TRACK": "1",
            "AIRBYTE_OFFLINE_MODE": "1",
            "AIRBYTE_PROJECT_DIR": str(folder),
            "AIRBYTE_CACHE_ROOT": str(folder),
            "AIRBYTE_TEMP_DIR": str(folder),
            "AIRBYTE_LOGGING_ROOT": str(folder),
            "NO_COLOR": "1",
        }
    )


class Tables:
    """What is in the tables."""

    def __init__(self, cache):
        self.cache = cache

    def column(self, stream, name):
        """The values of a column."""
        rows = self.cache.run_sql_query(f'SELECT "{name}" AS value FROM "{self._table(stream)}"')
        return [row["value"] for row in rows]

    def value(self, stream, key, name):
        """The value of a column in the one row of that key."""
        rows = self.cache.run_sql_query(
            f"SELECT \"{name}\" AS value FROM \"{self._table(stream)}\" WHERE id = '{key}'"
        )
        expect(len(rows) == 1, f"{len(rows)} rows of {stream} have the key {key}")
        return rows[0]["value"]

    def _table(self, stream):
        return self.cache.processor.get_sql_table_name(stream)


def expect(is_so, text):
    if not is_so:
        raise SystemExit(f"not so: {text}")


def expect_keys(tables, mock, stream, gone=()):
    """Each object there is has one row, and so have those that were deleted after a sync."""
    found = sorted(tables.column(stream, "id"))
    wanted = sorted({*mock.ids(STREAMS[stream]), *gone})
    expect(
        found == wanted,
        f"{stream} has {len(found)} rows, {len(set(found))} of them with a key of their own; "
        f"there are {len(wanted)} objects. Missing: {sorted(set(wanted) - set(found))[:5]}, "
        f"too many: {sorted(set(found) - set(wanted))[:5]}",
    )


def expect_types(source):
    """PyAirbyte knows the type of every column; otherwise it takes text, with a warning for each at every batch."""
    from airbyte.types import SQLTypeConversionError, _get_airbyte_type

    unknown = []
    for stream in source.discovered_catalog.streams:
        for name, schema in stream.json_schema["properties"].items():
            try:
                _get_airbyte_type(schema)
            except SQLTypeConversionError:
                unknown.append(f"{stream.name}.{name}: {schema}")
    expect(not unknown, f"{len(unknown)} columns have no type that PyAirbyte knows, such as {unknown[:3]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ours", type=Path, required=True)
    parser.add_argument("--mock", type=Path, required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings(folder)
        stay_on_loopback()
        mock = Mock(args.mock, [250, "--others", 40, "--children", 2])
        try:
            sync_twice(args.ours.absolute(), mock, Path(folder))
        finally:
            mock.stop()


def sync_twice(binary, mock, folder):
    # Not before the settings: it looks at them when it is imported.
    import airbyte
    from airbyte.caches import DuckDBCache

    source = airbyte.get_source("source-stripe", mock.config, local_executable=binary)
    source.check()
    expect(len(source.get_available_streams()) == 48, "there are 48 streams")
    expect_types(source)
    source.select_streams(list(STREAMS))
    cache = DuckDBCache(db_path=folder / "stripe.duckdb")
    tables = Tables(cache)

    first = source.read(cache)
    keyed = [stream for stream in STREAMS if stream != WITHOUT_KEY]
    for stream in keyed:
        expect_keys(tables, mock, stream)
    whole = len(tables.column(WITHOUT_KEY, "subscription_item"))
    expect(whole > 0, f"{WITHOUT_KEY} has rows")
    print(f"first sync: {first.processed_records} records, {len(STREAMS)} tables as they should be")

    mock.set_now()
    made = {
        stream: mock.create(stream)[0] for stream in ("charges", "customers", "balance_transactions")
    }
    customer, product = mock.ids("customers")[3], mock.ids("products")[5]
    account = mock.ids("accounts")[2]
    before = tables.value("customers", customer, "updated")
    mock.update("customers", customer, {"name": "Ada Lovelace", "balance": 1234})
    mock.update("accounts", account, {"email": "new@shop.example"})
    mock.delete("products", product)

    second = source.read(cache)
    for stream in keyed:
        expect_keys(tables, mock, stream, gone={product} if stream == "products" else ())
    for stream, key in made.items():
        expect(key in tables.column(stream, "id"), f"{stream} has the new {key}")
    expect(tables.value("customers", customer, "name") == "Ada Lovelace", "the new name is there")
    expect(tables.value("customers", customer, "balance") == 1234, "the new balance is there")
    expect(tables.value("customers", customer, "updated") > before, "the change has a later time")
    expect(tables.value("accounts", account, "email") == "new@shop.example", "the email is there")
    expect(tables.value("products", product, "is_deleted") is True, "the deletion is there")
    expect(
        len(tables.column(WITHOUT_KEY, "subscription_item")) in (whole, 2 * whole),
        f"{WITHOUT_KEY} was read whole again",
    )
    changed = second.processed_records - whole
    expect(0 < changed < 60, f"{changed} records of incremental streams, which were to be few")
    print(f"second sync: {second.processed_records} records, {whole} of them of {WITHOUT_KEY}, "
          "every change is in the tables")


if __name__ == "__main__":
    main()
