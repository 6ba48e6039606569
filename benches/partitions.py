"""Measures streams with a cursor for each of many partitions, on our program and on Airbyte's low-code runtime.

Usage: python3 benches/partitions.py [KIND...] [--counts N,N] [--ours PATH] [--python PATH] [--plot FILE]

Prints a table in Markdown: peak memory, STATE messages and their bytes, and user CPU time for each
partition, which depends little on other work. Kinds of reads:

  first   the first read: a request for each partition, with one record
  idle    a read from a state with all partitions: nothing is new, and no partition is requested
  parent  the first read of a child; its state also contains the state of its parents
  nested  the same, and each parent has its own partition and state

Ours reads 1,000, 10,000 and 100,000 partitions; airbyte-cdk 1,000, and idle also 10,001, which takes
a minute. `--plot` writes a diagram. It needs GNU time and the release binary. It installs
airbyte-cdk below `target/`, unless `--python` names a Python that has it.
"""

import argparse
import asyncio
import json
import math
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from compare import installed, machine
from measure import OURS, ROOT, TIME, shown, table, written_to

KINDS = ["first", "idle", "parent", "nested"]
COUNTS = [1_000, 10_000, 100_000]
# The partitions of airbyte-cdk, which takes a minute for 10,001.
OF_CDK = {"first": [1_000], "idle": [1_000, 10_001], "parent": [1_000], "nested": [1_000]}
PAGE = 1_000
DAY = "2024-01-10"


class Server(asyncio.Protocol):
    """Serves pages of ids, and one record for each id, without delay."""

    count = 0

    def connection_made(self, transport):
        self.transport, self.rest = transport, b""

    def data_received(self, data):
        self.rest += data
        while (end := self.rest.find(b"\r\n\r\n")) >= 0:
            head, self.rest = self.rest[:end], self.rest[end + 4 :]
            target = urlsplit(head.split(b" ", 2)[1].decode())
            body = json.dumps(self.answer(target.path, parse_qs(target.query))).encode()
            length = f"Content-Length: {len(body)}".encode()
            kind = b"Content-Type: application/json"
            self.transport.write(b"HTTP/1.1 200 OK\r\n" + kind + b"\r\n" + length + b"\r\n\r\n" + body)

    def answer(self, path, query):
        if path == "/ids":
            first = (int(query.get("page", ["1"])[0]) - 1) * PAGE + 1
            ids = range(first, min(first + PAGE, Server.count + 1))
            return {"data": [{"id": id, "day": "2024-01-05"} for id in ids]}
        of = query["of"][0]
        return {"data": [{"id": int(of), "of": of, "day": DAY}]}


def serve():
    """Starts the server in a thread. Returns its address."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(Server, "127.0.0.1", 0))
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def stream(name, url, path, **more):
    """A stream of the records in `data`."""
    retriever = {
        "type": "SimpleRetriever",
        "requester": {"type": "HttpRequester", "url_base": url, "path": path},
        "record_selector": {
            "type": "RecordSelector",
            "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
        },
    }
    for field in ("paginator", "partition_router"):
        if field in more:
            retriever[field] = more.pop(field)
    schema = {"type": "object", "additionalProperties": True, "properties": {}}
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": "id",
        "retriever": retriever,
        "schema_loader": {"type": "InlineSchemaLoader", "schema": schema},
        **more,
    }


def cursor():
    return {
        "type": "DatetimeBasedCursor",
        "cursor_field": "day",
        "datetime_format": "%Y-%m-%d",
        "start_datetime": "2024-01-01",
        "end_datetime": DAY,
    }


def router(parent, **more):
    config = {"stream": parent, "parent_key": "id", "partition_field": "of", **more}
    option = {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "of"}
    config |= {"type": "ParentStreamConfig", "request_option": option}
    return {"type": "SubstreamPartitionRouter", "parent_stream_configs": [config]}


def manifest(kind, url):
    paginator = {
        "type": "DefaultPaginator",
        "page_token_option": {
            "type": "RequestOption",
            "inject_into": "request_parameter",
            "field_name": "page",
        },
        "pagination_strategy": {"type": "PageIncrement", "page_size": PAGE, "start_from_page": 1},
    }
    ids = stream("ids", url, "ids", paginator=paginator)
    kept = {}
    if kind in ("parent", "nested"):
        ids["incremental_sync"] = cursor()
        kept = {"incremental_dependency": True}
    if kind == "nested":
        ids = stream(
            "middle", url, "one", partition_router=router(ids, **kept), incremental_sync=cursor()
        )
    items = stream(
        "items", url, "one", partition_router=router(ids, **kept), incremental_sync=cursor()
    )
    schema = {"type": "object", "additionalProperties": True, "properties": {}}
    return {
        "version": "7.39.1",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["items"]},
        "streams": [items],
        "spec": {"type": "Spec", "connection_specification": schema},
    }


def state_of(count):
    """The state of a stream with this many partitions, all of them up to date."""
    partitions = [
        {"partition": {"of": id, "parent_slice": {}}, "cursor": {"day": DAY}} for id in range(1, count + 1)
    ]
    blob = {"use_global_cursor": False, "states": partitions, "state": {"day": DAY}}
    blob["lookback_window"] = 1
    state = {"stream_descriptor": {"name": "items"}, "stream_state": blob}
    return [{"type": "STREAM", "stream": state}]


def measured(connector, kind, count, url, folder):
    """The costs of a read: peak memory, states, their bytes, CPU seconds."""
    Server.count = count
    entry = {
        "name": "items",
        "json_schema": {},
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_cursor": True,
        "default_cursor_field": ["day"],
    }
    entry = {"stream": entry, "sync_mode": "incremental", "destination_sync_mode": "append"}
    config = {"__injected_declarative_manifest": manifest(kind, url)}
    cost = folder / "cost"
    command = [TIME, "-o", cost, "-f", "%M %U", *connector, "read"]
    command += ["--config", written_to(folder, "config.json", config)]
    command += ["--catalog", written_to(folder, "catalog.json", {"streams": [entry]})]
    if kind == "idle":
        command += ["--state", written_to(folder, "state.json", state_of(count))]
    records, states, bytes_of_states = 0, 0, 0
    with subprocess.Popen(
        [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        for line in process.stdout:
            kind_of = line[:20].replace(b" ", b"")
            if kind_of.startswith(b'{"type":"RECORD"'):
                records += 1
            elif kind_of.startswith(b'{"type":"STATE"'):
                states, bytes_of_states = states + 1, bytes_of_states + len(line)
    expected = 0 if kind == "idle" else count
    if process.returncode or records != expected:
        sys.exit(f"{shown(command)}: exit code {process.returncode}, {records} records, not {expected}")
    kilobytes, seconds = cost.read_text(encoding="utf-8").split()[-2:]
    return int(kilobytes) * 1024 / 1e6, states, bytes_of_states, float(seconds)


def plot(points, path):
    """Draws the CPU time of a partition over the number of partitions, on logarithmic scales."""
    width, height, left, top = 640, 360, 70, 20
    xs = [count for line in points.values() for count, _ in line]
    ys = [value for line in points.values() for _, value in line]
    low, high = (f(math.log10(v)) for f, v in ((math.floor, min(ys)), (math.ceil, max(ys))))
    first, last = math.log10(min(xs)), math.log10(max(xs))

    def at(count, value):
        x = left + (math.log10(count) - first) / (last - first) * (width - left - 150)
        y = top + (high - math.log10(value)) / (high - low) * (height - top - 60)
        return x, y

    style = "font-family='sans-serif' font-size='12' fill='#555'"
    parts = [f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' {style}>"]
    parts.append(f"<rect width='{width}' height='{height}' fill='white'/>")
    for power in range(low, high + 1):
        x, y = at(min(xs), 10**power)
        parts.append(f"<path d='M{x:.0f} {y:.0f}H{width - 150}' stroke='#ddd'/>")
        parts.append(f"<text x='{left - 8}' y='{y + 4:.0f}' text-anchor='end'>{10**power:,} µs</text>")
    for power in range(math.ceil(first), math.floor(last) + 1):
        x, y = at(10**power, 10**low)
        parts.append(f"<text x='{x:.0f}' y='{y + 18:.0f}' text-anchor='middle'>{10**power:,}</text>")
    middle = (left + width - 150) / 2
    parts.append(f"<text x='{middle}' y='{height - 12}' text-anchor='middle'>partitions</text>")
    # Labels at the same height are written below each other.
    ends = {name: at(*line[-1])[1] for name, line in points.items()}
    written = -100
    for name in sorted(ends, key=ends.get):
        line, color = points[name], "#c0392b" if "airbyte-cdk" in name else "#1f6f8b"
        spots = [at(*point) for point in line]
        way = "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
        parts.append(f"<path d='M{way}' fill='none' stroke='{color}' stroke-width='2'/>")
        parts += [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='{color}'/>" for x, y in spots]
        written = max(ends[name] + 4, written + 14)
        x = spots[-1][0] + 8
        parts.append(f"<text x='{x:.0f}' y='{written:.0f}' fill='{color}'>{name}</text>")
    parts.append("</svg>")
    Path(path).write_text("\n".join(parts) + "\n", encoding="utf-8")


def main():
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--counts", help="partitions; default: 1000,10000,100000")
    parser.add_argument("--ours", type=Path, default=OURS, help="default: the release binary")
    parser.add_argument("--python", type=Path, help="a Python with airbyte-cdk; `none` leaves it out")
    parser.add_argument("--plot", help="the SVG to write")
    options = parser.parse_args()
    if unknown := [kind for kind in options.kinds if kind not in KINDS]:
        parser.error(f"no kind {', '.join(unknown)}")
    if not options.ours.exists():
        print(f"skipped: {options.ours} does not exist. Build it with cargo build --release")
        return
    counts = [int(count) for count in options.counts.split(",")] if options.counts else COUNTS
    connectors = {"here": ([options.ours], {kind: counts for kind in KINDS})}
    if str(options.python) != "none":
        python = options.python or installed("bench-venv", ROOT / "benches/requirements.txt")
        connectors["airbyte-cdk"] = ([python.parent / "source-declarative-manifest"], OF_CDK)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    print(f"{machine()}; commit {commit.stdout.strip()}\n", flush=True)
    url, rows, points = serve(), [], {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.kinds or KINDS:
            for side, (connector, of_kind) in connectors.items():
                for count in of_kind[kind]:
                    peak, states, length, cpu = measured(connector, kind, count, url, Path(folder))
                    each = cpu / count * 1e6
                    points.setdefault(f"{kind}, {side}", []).append((count, max(each, 0.1)))
                    row = [kind, side, f"{count:,}", f"{peak:.1f} MB", states, f"{length:,}"]
                    rows.append([*row, f"{cpu:.2f} s", f"{each:,.1f} µs"])
                    print(*rows[-1], file=sys.stderr, flush=True)
    columns = ["read", "", "partitions", "peak memory", "states", "state bytes", "user CPU", "a partition"]
    table(columns, rows)
    if options.plot:
        plot(points, options.plot)


if __name__ == "__main__":
    main()
