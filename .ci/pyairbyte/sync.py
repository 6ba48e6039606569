"""Reads the mock Stripe with PyAirbyte and the connector into DuckDB, twice.

The models of the protocol show that lines are well-formed. This shows that a third-party client
handles them: states that it returns, records that replace older versions, a stream without a
cursor. Between the syncs objects are created, changed and deleted, and the tables must have the
changes.

Usage: python3 .ci/pyairbyte/sync.py --ours BINARY --mock BINARY

It uses only loopback. Every other connection is an error.
"""

import argparse
import os
import socket
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "peer"))

from mock import Mock  # noqa: E402

# A stream of each kind, and the mock's resource of its records. See `docs/stripe.md`.
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
# It has no key, so every sync adds all of its records.
WITHOUT_KEY = "usage_records"


def stay_on_loopback():
    """Makes every connection to another host an error."""
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
    """Sets PyAirbyte to offline: no telemetry, no registry of connectors."""
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
    """The contents of the tables."""

    def __init__(self, cache):
        self.cache = cache

    def column(self, stream, name):
        """The values of a column."""
        rows = self.cache.run_sql_query(f'SELECT "{name}" AS value FROM "{self._table(stream)}"')
        return [row["value"] for row in rows]

    def value(self, stream, key, name):
        """The value of a column in the only row with this key."""
        rows = self.cache.run_sql_query(
            f"SELECT \"{name}\" AS value FROM \"{self._table(stream)}\" WHERE id = '{key}'"
        )
        expect(len(rows) == 1, f"{len(rows)} rows of {stream} have the key {key}")
        return rows[0]["value"]

    def _table(self, stream):
        return self.cache.processor.get_sql_table_name(stream)


def expect(condition, error):
    """Ends the test with the error if the condition is false."""
    if not condition:
        raise SystemExit(f"FAILED: {error}")


def expect_keys(tables, mock, stream, deleted=()):
    """Checks that each object has one row, also those that were deleted after a sync."""
    found = sorted(tables.column(stream, "id"))
    expected = sorted({*mock.ids(STREAMS[stream]), *deleted})
    expect(
        found == expected,
        f"{stream} has {len(found)} rows with {len(set(found))} keys; "
        f"there are {len(expected)} objects. Missing: {sorted(set(expected) - set(found))[:5]}, "
        f"too many: {sorted(set(found) - set(expected))[:5]}",
    )


def expect_types(source):
    """Checks that PyAirbyte knows every column's type. Otherwise it takes text, and each batch has a warning."""
    from airbyte.types import SQLTypeConversionError, _get_airbyte_type

    unknown = []
    for stream in source.discovered_catalog.streams:
        for name, schema in stream.json_schema["properties"].items():
            try:
                _get_airbyte_type(schema)
            except SQLTypeConversionError:
                unknown.append(f"{stream.name}.{name}: {schema}")
    expect(not unknown, f"PyAirbyte does not know the types of {len(unknown)} columns, such as {unknown[:3]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ours", type=Path, required=True, help="our binary")
    parser.add_argument("--mock", type=Path, required=True, help="the mock's binary")
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
    # After the settings, because the import reads them.
    import airbyte
    from airbyte.caches import DuckDBCache

    source = airbyte.get_source("source-stripe", mock.config, local_executable=binary)
    source.check()
    count = len(source.get_available_streams())
    expect(count == 48, f"{count} streams instead of 48")
    expect_types(source)
    source.select_streams(list(STREAMS))
    cache = DuckDBCache(db_path=folder / "stripe.duckdb")
    tables = Tables(cache)

    first = source.read(cache)
    keyed = [stream for stream in STREAMS if stream != WITHOUT_KEY]
    for stream in keyed:
        expect_keys(tables, mock, stream)
    whole = len(tables.column(WITHOUT_KEY, "subscription_item"))
    expect(whole > 0, f"{WITHOUT_KEY} has no rows")
    print(f"first sync: {first.processed_records} records, {len(STREAMS)} tables without faults")

    mock.set_now()
    created = {
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
        expect_keys(tables, mock, stream, deleted={product} if stream == "products" else ())
    for stream, key in created.items():
        expect(key in tables.column(stream, "id"), f"{stream} lacks the new {key}")
    expect(tables.value("customers", customer, "name") == "Ada Lovelace", "the new name is missing")
    expect(tables.value("customers", customer, "balance") == 1234, "the new balance is missing")
    expect(tables.value("customers", customer, "updated") > before, "the change has no later time")
    expect(tables.value("accounts", account, "email") == "new@shop.example", "the email is missing")
    expect(tables.value("products", product, "is_deleted") is True, "the deletion is missing")
    expect(
        len(tables.column(WITHOUT_KEY, "subscription_item")) in (whole, 2 * whole),
        f"the second sync did not read all of {WITHOUT_KEY}",
    )
    changed = second.processed_records - whole
    expect(0 < changed < 60, f"{changed} records of incremental streams instead of 1 to 59")
    print(f"second sync: {second.processed_records} records, {whole} of them of {WITHOUT_KEY}, "
          "all changes in the tables")


if __name__ == "__main__":
    main()
