"""Compares our program with Airbyte's low-code runtime, airbyte-cdk, on the same manifests.

Usage: python3 benches/low_code.py [STREAM...] [--runs N] [--scale X] [--ours PATH] [--python PATH]

Prints a table in Markdown for each stream: medians of alternating runs, without start-up, which is
the time of a read without records, and the ratios of both. Streams:

  plain      a list of charges of about 2.6 KB, 100 a page
  changed    the same with AddFields, RemoveFields and a RecordFilter that drops every second record
  children   invoice items of each of many customers, a request for each customer
  csv        one CSV file, of 100 bytes a row
  report     the result of a job: the same file in gzip

Ours reads ten times the records of airbyte-cdk; with fewer it ends too soon to be measured.
A job is done at the first poll. airbyte-cdk waits five seconds after it, also for a job without rows,
so they count as start-up.
`--scale 0.1` reads a tenth of the records; with too few there is no ratio, because start-up is most of
the time. It needs GNU time and the release binary; without the binary, it measures nothing. It installs
airbyte-cdk below `target/`, unless `--python` names a Python that has it.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from compare import installed, machine
from measure import (
    BENCH_SERVER,
    OURS,
    ROOT,
    SLOW_BENCH_SERVER,
    BenchServer,
    in_turn,
    measured,
    median,
    read_of,
    records_of,
    table,
)

# Records that airbyte-cdk reads; ours reads ten times as many.
COUNTS = {"plain": 5_000, "changed": 5_000, "children": 4_000, "csv": 20_000, "report": 1_000_000}
MORE = 10
# Children of each parent.
CHILDREN = 20


def extractor(path):
    return {"type": "DpathExtractor", "field_path": path}


def by_cursor():
    """A paginator that takes the next page's token from `next`."""
    option = {"inject_into": "request_parameter", "field_name": "cursor"}
    return {
        "type": "DefaultPaginator",
        "page_token_option": {"type": "RequestOption", **option},
        "pagination_strategy": {
            "type": "CursorPagination",
            "cursor_value": "{{ response['next'] }}",
            "stop_condition": "{{ not response['next'] }}",
        },
    }


def stream(name, url, path, **retriever):
    """A stream of the records in `data`, at a path of the server."""
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": "id",
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": url, "path": path},
            "record_selector": {"type": "RecordSelector", "extractor": extractor(["data"])},
            **retriever,
        },
        "schema_loader": {
            "type": "InlineSchemaLoader",
            "schema": {"type": "object", "additionalProperties": True, "properties": {}},
        },
    }


def plain(server, count):
    return stream("plain", server.url(f"count={count}"), "items", paginator=by_cursor())


def changed(server, count):
    whole = stream("changed", server.url(f"count={count}"), "items", paginator=by_cursor())
    # The last digit of an id is even for every second record.
    condition = "{{ record['id'][-1:] | int % 2 == 0 }}"
    selector = whole["retriever"]["record_selector"]
    selector["record_filter"] = {"type": "RecordFilter", "condition": condition}
    of = "{{ record['id'] | upper }} of {{ stream_slice | length }}"
    label = {"path": ["label"], "value": of}
    double = {"path": ["double"], "value": "{{ record['amount'] * 2 }}"}
    whole["transformations"] = [
        {"type": "AddFields", "fields": [label, double]},
        {"type": "RemoveFields", "field_pointers": [["metadata"], ["outcome", "risk_level"]]},
    ]
    return whole


def children(server, count):
    parents = server.url(f"count={count // CHILDREN},kind=customers")
    router = {
        "type": "SubstreamPartitionRouter",
        "parent_stream_configs": [
            {
                "type": "ParentStreamConfig",
                "stream": stream("parents", parents, "items", paginator=by_cursor()),
                "parent_key": "id",
                "partition_field": "parent",
            }
        ],
    }
    url = server.url(f"count={CHILDREN},kind=invoice_items")
    whole = stream("children", url, "items", paginator=by_cursor(), partition_router=router)
    of = "{{ stream_partition['parent'] }}"
    whole["retriever"]["requester"]["request_parameters"] = {"of": of}
    return whole


def csv(server, count):
    whole = stream("csv", server.url(f"count={count}"), "csv", decoder={"type": "CsvDecoder"})
    whole["retriever"]["record_selector"]["extractor"] = extractor([])
    return whole


def report(server, count, file="csv.gz"):
    """The stream of a job's result, a file of the server."""
    url = server.url(f"count={count}")
    creation = {"type": "HttpRequester", "url_base": url, "path": "job", "http_method": "POST"}
    decoder = {"type": "CsvDecoder"}
    whole = stream("report", url, file)
    whole["retriever"] = {
        "type": "AsyncRetriever",
        "creation_requester": creation,
        "polling_requester": {**creation, "http_method": "GET"},
        "status_extractor": extractor(["status"]),
        "status_mapping": {
            "type": "AsyncJobStatusMap",
            "running": ["running"],
            "completed": ["done"],
            "failed": ["failed"],
            "timeout": ["expired"],
        },
        "download_requester": {"type": "HttpRequester", "url_base": url, "path": file},
        "download_decoder": {"type": "GzipDecoder", "decoder": decoder} if file.endswith("gz") else decoder,
        "record_selector": {"type": "RecordSelector", "extractor": extractor([])},
    }
    return whole


STREAMS = {made.__name__: made for made in (plain, changed, children, csv, report)}


def read(connector, made, folder, name):
    """The command for a full refresh of a stream by a connector."""
    schema = {"type": "object", "additionalProperties": True, "properties": {}}
    manifest = {
        "version": "7.39.1",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [made["name"]]},
        "streams": [made],
        "spec": {"type": "Spec", "connection_specification": schema},
    }
    config = {"__injected_declarative_manifest": manifest}
    return read_of(connector, config, [made["name"]], folder, name)


def compared(name, make, server, connectors, folder, options):
    """The rows of a stream: one for each connector, and their ratio."""
    times = {"ours": MORE, "cdk": 1}
    counts, commands = {}, {}
    for side, connector in connectors.items():
        # A multiple of CHILDREN, so that each parent has all of its children.
        scaled = max(CHILDREN, round(COUNTS[name] * options.scale))
        count = scaled // CHILDREN * CHILDREN * times[side]
        for run, records in ((side, count), (f"{side}, none", 0)):
            made = make(server, records)
            commands[run] = read(connector, made, folder, f"{name}-{run.replace(', ', '-')}")
        counts[side] = records_of(commands[side])
        expected = count // 2 if name == "changed" else count
        if counts[side] != expected:
            sys.exit(f"{name}: {counts[side]} records instead of {expected} by {side}")
    runs = {
        run: lambda command=command: measured(command, folder)
        for run, command in commands.items()
    }
    costs = in_turn(runs, options.runs)
    rows, each = [], {}
    for side, count in counts.items():
        wall, start = (median(costs[run], "wall") for run in (side, f"{side}, none"))
        cpu = median(costs[side], "cpu") - median(costs[f"{side}, none"], "cpu")
        peak = median(costs[side], "megabytes")
        row = [side, f"{count:,}", f"{wall:.2f}"]
        if wall > start and cpu > 0:
            each[side] = count / (wall - start), cpu / count, peak, start
            row += [f"{each[side][0]:,.0f}", f"{each[side][1] * 1e6:.2f}"]
        else:
            row += ["too few records"] * 2
        rows.append([*row, f"{peak:.1f}", f"{start * 1000:.0f}"])
    if len(each) == 2:
        ours, cdk = each["ours"], each["cdk"]
        less = [f"1/{theirs / own:,.0f}" for own, theirs in zip(ours[1:], cdk[1:], strict=True)]
        rows.append(["ours : cdk", "", "", f"{ours[0] / cdk[0]:,.0f}", *less])
    return rows


def main():
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("streams", nargs="*", metavar="STREAM", help=", ".join(STREAMS))
    parser.add_argument("--runs", type=int, default=3, help="number of runs; default: 3")
    parser.add_argument("--scale", type=float, default=1, help="share of the records; default: 1")
    parser.add_argument("--ours", type=Path, default=OURS, help="default: the release binary")
    parser.add_argument("--python", type=Path, help="a Python with airbyte-cdk; default: a new environment")
    options = parser.parse_args()
    if unknown := [name for name in options.streams if name not in STREAMS]:
        parser.error(f"no stream {', '.join(unknown)}")
    if not options.ours.exists():
        print(f"skipped: {options.ours} does not exist. Build it with cargo build --release")
        return
    python = options.python or installed("bench-venv", ROOT / "benches/requirements.txt")
    connectors = {"ours": [options.ours], "cdk": [python.parent / "source-declarative-manifest"]}
    print(f"{machine()}; medians of {options.runs}\n")
    server = BenchServer(BENCH_SERVER if BENCH_SERVER.exists() else SLOW_BENCH_SERVER)
    columns = ["", "records", "wall s", "records/s", "CPU µs/record", "peak MB", "start-up ms"]
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name in options.streams or STREAMS:
                print(f"## {name}\n", flush=True)
                make = STREAMS[name]
                rows = compared(name, make, server, connectors, Path(folder), options)
                table(columns, rows)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
