"""Runs every block of docs/clients.md as a reader does, three times, and checks the results.

Shell blocks run in bash, Python blocks in this Python, SQL blocks in DuckDB, in one folder, with the connector as `source-http`
on the path. Between the runs objects are created, changed and deleted. Then the query of docs/airbyte.md runs on the same lines.

Usage: python3 .ci/pyairbyte/page.py --ours BINARY --mock BINARY
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
from sync import Mock, expect, settings

DOCS = Path(__file__).parent.parent.parent / "docs"


def blocks(page="clients.md"):
    """The language and the text of each block of a page."""
    found = []
    for block in (DOCS / page).read_text(encoding="utf-8").split("```")[1::2]:
        language, _, text = block.partition("\n")
        found.append((language, text))
    return found


def run_page():
    """Runs the blocks in order, in the working folder, except those that install packages."""
    for language, text in blocks():
        if text.startswith("pip install"):
            continue
        if language == "sql":
            with duckdb.connect("stripe.duckdb") as database:
                database.execute(text)
            continue
        command = {"sh": ["bash", "-euc", text], "python": [sys.executable, "-c", text]}[language]
        done = subprocess.run(command, capture_output=True, text=True)
        expect(done.returncode == 0, f"this block fails:\n{text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        warned = "pandas as pd" in text and "Warning" in done.stderr
        expect(not warned, f"this block has a warning:\n{text}\n{done.stderr[-2000:]}")
        expect("Could not determine airbyte type" not in done.stdout + done.stderr, "PyAirbyte does not know a column's type")


def expect_tables(mock):
    """Checks that each table has one row for each object. Returns the names of the customers."""
    customers = sorted(mock.ids("customers"))
    with duckdb.connect("stripe.duckdb") as database:
        tables = {"DuckDB": dict(database.execute("select id, name from customers").fetchall())}
        charges = sorted(row[0] for row in database.execute("select id from charges").fetchall())
    expect(charges == sorted(mock.ids("charges")), "the charges in DuckDB are not those of the mock")
    for client in ("pyairbyte", "pandas"):
        with open(f"customers-{client}.csv", newline="", encoding="utf-8") as file:
            tables[client] = {row["id"]: row["name"] for row in csv.DictReader(file)}
    for client, table in tables.items():
        expect(sorted(table) == customers, f"{client} has {len(table)} customers instead of {len(customers)}")
    return tables


def expect_query(mock):
    """Checks the query of docs/airbyte.md, on a stream with deleted objects and on one without."""
    [query] = [text for language, text in blocks("airbyte.md") if language == "sql" and "charges.jsonl" in text]
    with open("stripe.jsonl", encoding="utf-8") as lines:
        messages = [json.loads(line) for line in lines]
    charges = [m["record"]["data"] for m in messages if m["type"] == "RECORD" and m["record"]["stream"] == "charges"]
    Path("charges.jsonl").write_text("".join(json.dumps(row) + "\n" for row in charges), encoding="utf-8")
    for stream in ["charges", "customers"]:
        rows = duckdb.sql(query.replace("charges.jsonl", f"{stream}.jsonl")).fetchall()
        found = sorted(json.loads(row[0])["id"] for row in rows)
        expect(found == sorted(mock.ids(stream)), f"the query of docs/airbyte.md finds {len(found)} other {stream}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ours", type=Path, required=True, help="our binary")
    parser.add_argument("--mock", type=Path, required=True, help="the mock's binary")
    args = parser.parse_args()
    ours, mock_binary = args.ours.absolute(), args.mock.absolute()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings(folder)
        os.chdir(folder)
        (folder / "bin").mkdir()
        (folder / "bin" / "source-http").symlink_to(ours)
        os.environ["PATH"] = f"{folder / 'bin'}:{os.environ['PATH']}"
        mock = Mock(mock_binary, [250, "--others", 40, "--children", 2])
        try:
            (folder / "config.json").write_text(json.dumps(mock.config))
            run_page()
            expect_tables(mock)
            changed, deleted = mock.ids("customers")[3], mock.ids("customers")[5]
            mock.set_now()
            mock.create("charges")
            mock.create("customers")
            mock.update("customers", changed, {"name": "Ada Lovelace"})
            mock.delete("customers", deleted)
            run_page()
            for client, table in expect_tables(mock).items():
                expect(table[changed] == "Ada Lovelace", f"{client} lacks the new name")
                expect(deleted not in table, f"{client} has a deleted customer")
            # The deletion is in the same second as the change: of two versions with the same cursor, the last line is valid.
            mock.delete("customers", changed)
            run_page()
            lines = [json.loads(line) for line in open("customers.jsonl", encoding="utf-8")]
            tied = [row["updated"] for row in lines if row["id"] == changed][-2:]
            expect(tied[0] == tied[1], f"the deletion is in another second than the change: {tied}")
            for client, table in expect_tables(mock).items():
                expect(changed not in table, f"{client} has a customer that was deleted in the second of its change")
            expect_query(mock)
        finally:
            mock.stop()
    print(f"{len(blocks())} blocks of docs/clients.md ran three times")


if __name__ == "__main__":
    main()
