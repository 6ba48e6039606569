"""Compares the connector with curl and with a connector on the Python framework, airbyte-cdk.

Usage: python3 benches/compare.py [SECTION...] [--runs N] [--scale X]

Prints tables in Markdown: medians of alternating runs, and medians of the ratios of neighbouring
runs; then the targets, and whether they were met. Sections:

  read      200,000 charges of about 2.6 KB, 100 a page, to a pipe: compact, indented, compressed;
            curl on the same URLs; a connector on airbyte-cdk, with fewer records
  start     spec, check and discover of both
  memory    the peak for 20,000 and for 1,000,000 charges
  document  one response of 1 GB with a million records
  slices    60 slices of a request of 50 ms each, by 10 workers and by 1
  cache     a parent with 1,000 records and two children, with the cache and without
  states    a state for each of 300, 600 and 1,200 parents
  size      the release binary
  peer      charges, beside airbyte-source-stripe; needs Python 3.11, and runs only if it is named

`--scale 0.1` reads a tenth of the records. It needs curl and GNU time. It installs airbyte-cdk below
`target/`, and builds the programs, unless `--no-build` is given.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import peer as beside_peer
from measure import (
    BENCH_SOURCE,
    OURS,
    ROOT,
    BenchServer,
    in_turn,
    is_record,
    measured,
    median,
    output_of,
    read_of,
    records_of,
    table,
    written_to,
)

SLICES = 60


class Bench:
    """What a section needs: the server, a folder, the number of runs, the scale of records."""

    def __init__(self, server, cdk, folder, options):
        self.server = server
        # The command of the connector on the Python framework.
        self.cdk = cdk
        self.folder = folder
        self.runs = options.runs
        self.scale = options.scale
        # Name, target, measured value, whether it was met.
        self.targets = []

    def count(self, records):
        return max(100, round(records * self.scale))

    def target(self, what, target, measured, is_met):
        self.targets.append((what, target, measured, "yes" if is_met else "**no**"))

    def ours(self, settings, *flags):
        """Our command that reads the server's charges."""
        name = f"ours-{settings}"
        read = read_of([OURS], self.server.stripe(settings), ["charges"], self.folder, name)
        return [*read, *flags]

    def of_cdk(self, settings):
        """The same command of the connector on the Python framework."""
        config = {"url": self.server.url(settings)}
        return read_of(self.cdk, config, ["charges"], self.folder, f"cdk-{settings}")

    def source(self, streams, name, **config):
        """The command of `bench_source`, which reads other streams of the server."""
        config = {"url": self.server.config["url"], **config}
        return read_of([BENCH_SOURCE], config, streams, self.folder, name)

    def curl(self, targets, *flags):
        """A command that fetches these over one connection, and discards them."""
        urls = [f'url = "{self.server.config["url"]}{target}"\n' for target in targets]
        # Each URL needs its own output, or curl writes the others to stdout.
        lines = "".join(f'{url}output = "/dev/null"\n' for url in urls)
        path = written_to(self.folder, f"curl-{len(targets)}-{len(flags)}.txt", lines)
        return ["curl", "--silent", "--fail", "--globoff", *flags, "--config", path]

    def measured(self, command, memory=True):
        return lambda: measured(command, self.folder, memory)


def ratio(costs, name, over, under):
    """The median of the ratios of two contenders' neighbouring runs."""
    pairs = zip(costs[over], costs[under], strict=True)
    return statistics.median(getattr(a, name) / max(getattr(b, name), 1e-6) for a, b in pairs)


def read(bench):
    """Reads of compact, indented and compressed pages."""
    # Start-up is subtracted, so it must not be most of the time.
    ours_count, cdk_count = bench.count(200_000), max(2_000, bench.count(5_000))
    rows = []
    for style in ("compact", "pretty", "gzip"):
        ours = bench.ours(f"count={ours_count},{style}")
        bench.server.record()
        # This read also makes the server compress its pages.
        counted = records_of(ours)
        targets = bench.server.targets()
        if counted != ours_count or len(targets) != -(-ours_count // 100):
            sys.exit(f"{counted} records in {len(targets)} requests")
        flags = ["--compressed"] if style == "gzip" else []
        cdk = bench.of_cdk(f"count={cdk_count},{style}")
        if (counted := records_of(cdk)) != cdk_count:
            sys.exit(f"{counted} records with airbyte-cdk")
        contenders = {
            "ours": ours,
            "curl": bench.curl(targets, *flags),
            "ours, none": bench.ours(f"count=0,{style}"),
            "curl, one": bench.curl(targets[:1], *flags),
            "cdk": cdk,
            "cdk, none": bench.of_cdk(f"count=0,{style}"),
        }
        costs = in_turn({name: bench.measured(run) for name, run in contenders.items()}, bench.runs)
        each = {}
        for name, empty, count in (
            ("ours", "ours, none", ours_count),
            ("curl", "curl, one", ours_count),
            ("cdk", "cdk, none", cdk_count),
        ):
            wall, start = median(costs[name], "wall"), median(costs[empty], "wall")
            rate = count / max(wall - start, 1e-3)
            cpu = (median(costs[name], "cpu") - median(costs[empty], "cpu")) / count
            each[name] = rate, cpu
            row = [f"{wall:.2f}", f"{start * 1000:.0f}", f"{rate:,.0f}", f"{cpu * 1e6:.2f}"]
            memory = f"{median(costs[name], 'megabytes'):.1f}"
            rows.append([style, name, f"{count:,}", *row, memory])
        over_curl = ratio(costs, "wall", "ours", "curl")
        faster, cheaper = (each["ours"][0] / each["cdk"][0], each["cdk"][1] / each["ours"][1])
        rows.append([style, "ours : curl", "", f"{over_curl:.2f}", "", "", "", ""])
        row = [style, "ours : cdk", "", "", "", f"{faster:,.0f}", f"1/{cheaper:,.0f}", ""]
        rows.append(row)
        most = {"compact": 1.5, "pretty": 2}.get(style)
        if most:
            what = f"read, {style}, wall time against curl"
            bench.target(what, f"at most {most} x", f"{over_curl:.2f} x", over_curl <= most)
            what = f"read, {style}, records a second against airbyte-cdk"
            bench.target(what, "at least 50 x", f"{faster:,.0f} x", faster >= 50)
            what = f"read, {style}, CPU a record against airbyte-cdk"
            bench.target(what, "at most 1/50", f"1/{cheaper:,.0f}", cheaper >= 50)
    columns = ["pages", "", "records", "wall s", "start-up ms", "records/s", "CPU µs/record"]
    table([*columns, "peak MB"], rows)


def start(bench):
    """spec, check and discover."""
    ours_config = written_to(bench.folder, "ours.json", bench.server.stripe("count=100,pretty"))
    cdk_config = {"url": bench.server.url("count=100,pretty")}
    cdk_config = written_to(bench.folder, "cdk.json", cdk_config)
    rows = []
    for command in ("spec", "check", "discover"):
        arguments = [[command, "--config", config] for config in (ours_config, cdk_config)]
        if command == "spec":
            arguments = [["spec"]] * 2
        contenders = {"ours": [OURS, *arguments[0]], "cdk": [*bench.cdk, *arguments[1]]}
        # Without GNU time, which takes a while itself.
        short = {name: bench.measured(run, memory=False) for name, run in contenders.items()}
        costs = in_turn(short, bench.runs)
        memory = in_turn({name: bench.measured(run) for name, run in contenders.items()}, 1)
        faster = ratio(costs, "wall", "cdk", "ours")
        for name in contenders:
            peak = f"{median(memory[name], 'megabytes'):.1f}"
            rows.append([command, name, f"{median(costs[name], 'wall') * 1000:.1f}", peak])
        rows.append([command, "ours : cdk", f"1/{faster:,.0f}", ""])
        if command != "check":
            wall = median(costs["ours"], "wall") * 1000
            what, target = f"`{command}` against airbyte-cdk", "at most 1/200, under 10 ms"
            is_met = faster >= 200 and wall < 10
            bench.target(what, target, f"1/{faster:,.0f}, {wall:.1f} ms", is_met)
    table(["command", "", "wall ms", "peak MB"], rows)


def memory(bench):
    """Peak memory, which must not grow with the number of records."""
    counts = [bench.count(20_000), bench.count(1_000_000)]
    commands = {count: bench.ours(f"count={count},pretty") for count in counts}
    costs = in_turn({count: bench.measured(run) for count, run in commands.items()}, bench.runs)
    peaks = {count: median(costs[count], "megabytes") for count in counts}
    walls = {count: f"{median(costs[count], 'wall'):.2f}" for count in counts}
    rows = [[f"{count:,}", walls[count], f"{peaks[count]:.1f}"] for count in counts]
    table(["records", "wall s", "peak MB"], rows)
    few, many = peaks.values()
    is_met = abs(many - few) <= 2 and many < 16
    what, target = "peak memory, 20,000 and 1,000,000 records", "equal within 2 MB, under 16 MB"
    bench.target(what, target, f"{few:.1f} and {many:.1f} MB", is_met)


def document(bench):
    """A read of one long response."""
    settings = f"count={bench.count(1_050_000)},kind=invoice_items"
    command = bench.source(["document"], "document", list=settings)
    if (counted := records_of(command)) != bench.count(1_050_000):
        sys.exit(f"{counted} records of the document")
    contenders = {"ours": command, "curl": bench.curl([f"/{settings}/document"])}
    costs = in_turn({name: bench.measured(run) for name, run in contenders.items()}, bench.runs)
    rows = []
    for name in contenders:
        figures = [f"{median(costs[name], figure):.2f}" for figure in ("wall", "cpu")]
        rows.append([name, *figures, f"{median(costs[name], 'megabytes'):.1f}"])
    rows.append(["ours : curl", f"{ratio(costs, 'wall', 'ours', 'curl'):.1f}", "", ""])
    table(["", "wall s", "CPU s", "peak MB"], rows)
    peak = median(costs["ours"], "megabytes")
    what = "peak memory, one response of 1 GB with a million records"
    bench.target(what, "under 48 MB", f"{peak:.1f} MB", peak < 48)


def slices(bench):
    """Slices that workers read concurrently."""
    settings = {"list": "count=100,kind=customers,delay=50", "slices": SLICES}
    command = bench.source(["slices"], "slices", **settings)
    found = {}

    def run(workers):
        cost = measured([*command, "--workers", workers], bench.folder)
        records = validated(output_of([*command, "--workers", workers]))
        if found.setdefault("records", records) != records:
            sys.exit(f"the records with {workers} workers differ")
        return cost

    costs = in_turn({1: lambda: run(1), 10: lambda: run(10)}, bench.runs)
    faster = ratio(costs, "wall", 1, 10)
    rows = [[workers, f"{median(costs[workers], 'wall'):.2f}"] for workers in costs]
    table(["workers", "wall s"], [*rows, ["1 : 10", f"{faster:.1f}"]])
    what = "60 slices, 50 ms a request, 10 workers against 1"
    target = "at least 9 x, same records, valid states"
    bench.target(what, target, f"{faster:.1f} x, same records, valid states", faster >= 9)


def validated(lines):
    """The records by slice. Ends the program if a state reports a slice before its last record."""
    seen, claims = {}, []
    for line in lines:
        message = json.loads(line)
        if message["type"] == "RECORD":
            key = message["record"]["data"]["id"]
            # The digits of an id are the number of its list, and its number in the list.
            digits = int("".join(filter(str.isdigit, key)))
            seen.setdefault(digits // 100_000_000, []).append(key)
        elif message["type"] == "STATE":
            state = message["state"]["stream"]["stream_state"]
            slices = [entry["partition"]["id"] for entry in state.get("states", [])]
            if state.get("__ab_full_refresh_sync_complete"):
                slices = range(1, SLICES + 1)
            claims += [(slice_id, len(seen.get(slice_id, []))) for slice_id in slices]
    for slice_id, count in claims:
        if count != len(seen[slice_id]):
            sys.exit(f"a state reports slice {slice_id} after only {count} of its records")
    if count := SLICES - len({slice_id for slice_id, _ in claims}):
        sys.exit(f"no state reports {count} slices")
    return {slice_id: sorted(keys) for slice_id, keys in seen.items()}


def cache(bench):
    """The cache: the parents are requested once for two children."""
    parents = f"count={bench.count(1_000)},kind=customers"
    streams = ["parents", "first_children", "second_children"]
    settings = {"list": parents, "children": "count=50,kind=invoice_items"}
    costs, fetched, commands = {}, {}, {}
    for name, use_cache in (("on", True), ("off", False)):
        command = bench.source(streams, f"cache-{name}", use_cache=use_cache, **settings)
        commands[name] = [*command, "--workers", 1]
        bench.server.record()
        records_of(commands[name])
        targets = bench.server.targets()
        fetched[name] = sum(target.startswith(f"/{parents}/items") for target in targets)
    costs = in_turn({name: bench.measured(run) for name, run in commands.items()}, bench.runs)
    rows = []
    for name in commands:
        figures = [f"{median(costs[name], figure):.2f}" for figure in ("wall", "cpu")]
        rows.append([name, fetched[name], *figures])
    more = ratio(costs, "wall", "on", "off") - 1
    rows.append(["on : off", "", f"{more:+.1%}", f"{ratio(costs, 'cpu', 'on', 'off') - 1:+.1%}"])
    table(["cache", "requests for the parents", "wall s", "CPU s"], rows)
    pages = -(-bench.count(1_000) // 100)
    what = "a parent with 1,000 records and two children, cache on"
    measure = f"{fetched['on'] / pages:g} x fetched, {more:+.1%}"
    is_met = fetched["on"] == pages and more < 0.1
    bench.target(what, "fetched once, costs under 10 %", measure, is_met)


def states(bench):
    """The share of states in the output, with a state for each parent."""
    rows, share, children = [], {}, "count=20,kind=invoice_items"
    for parents in (300, 600, 1_200):
        settings = {"list": f"count={parents},kind=customers", "children": children}
        command = bench.source(["dated_children"], f"states-{parents}", **settings)
        lines = output_of([*command, "--workers", 1])
        records = sum(len(line) + 1 for line in lines if is_record(line))
        states = [len(line) + 1 for line in lines if b'"type":"STATE"' in line[:40]]
        share[parents] = sum(states) / records
        row = [f"{parents:,}", f"{records:,}", len(states), f"{sum(states):,}"]
        rows.append([*row, f"{share[parents]:.1%}"])
    table(["parents", "record bytes", "states", "state bytes", "share"], rows)
    what = "600 parents with a state each"
    is_met = share[600] < 0.05 and share[1_200] < 0.05
    bench.target(what, "state bytes under 5 % of record bytes", f"{share[600]:.1%}", is_met)


def size(bench):
    """The size of the binary."""
    megabytes = OURS.stat().st_size / 1e6
    table(["", "MB"], [["release binary, stripped", f"{megabytes:.1f}"]])
    bench.target("release binary, stripped", "under 10 MB", f"{megabytes:.1f} MB", megabytes < 10)


def peer(bench):
    """The connector that ours replaces."""
    if sys.version_info[:2] != (3, 11):
        sys.exit("airbyte-source-stripe needs Python 3.11")
    python = installed("bench-peer", ROOT / ".ci/peer/requirements.txt")
    counts = bench.count(200_000), bench.count(2_000)
    compared = beside_peer.compare("charges", python, *counts, bench.runs)
    beside_peer.show({"charges": compared})
    faster = compared["ours"]["rate"] / compared["peer"]["rate"]
    what = "charges, records a second against airbyte-source-stripe"
    bench.target(what, "at least 1,000 x", f"{faster:,.0f} x", faster >= 1_000)


SECTIONS = [read, start, memory, document, slices, cache, states, size]
ON_DEMAND = [peer]


def machine():
    """The machine of the figures, in a line."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    models = [line.split(": ")[1] for line in text.splitlines() if line.startswith("model name")]
    memory = Path("/proc/meminfo").read_text(encoding="utf-8").split()[1]
    system = f"{platform.system()} {platform.release()}"
    return f"{len(models)} x {models[0]}, {int(memory) / 1e6:.0f} GB, {system}"


def build(*what):
    subprocess.run(["cargo", "build", "--release", *what], cwd=ROOT, check=True)


def installed(name, requirements):
    """The Python of a virtual environment below `target/`, which is created if necessary."""
    venv = ROOT / "target" / name
    if not (venv / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip = [venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", requirements], check=True)
        (venv / "installed").touch()
    return venv / "bin/python"


def main():
    names = {section.__name__: section for section in SECTIONS + ON_DEMAND}
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(names))
    parser.add_argument("--runs", type=int, default=5, help="number of runs; default: 5")
    parser.add_argument("--scale", type=float, default=1, help="share of the records; default: 1")
    parser.add_argument("--no-build", action="store_true", help="measure the programs of an earlier build")
    options = parser.parse_args()
    if unknown := [name for name in options.sections if name not in names]:
        parser.error(f"no section {', '.join(unknown)}")
    if not options.no_build:
        build("--example", "bench_server", "--example", "bench_source")
        # Separately, as the published one: together with examples it would be built with the test kit.
        build("--bin", "source-http")
    python = installed("bench-venv", ROOT / "benches/requirements.txt")
    print(f"{machine()}; medians of {options.runs}\n")
    server = BenchServer()
    try:
        with tempfile.TemporaryDirectory() as folder:
            cdk = [python, ROOT / "benches/cdk_source.py"]
            bench = Bench(server, cdk, Path(folder), options)
            for section in [names[name] for name in options.sections] or SECTIONS:
                print(f"## {section.__name__}\n", flush=True)
                section(bench)
    finally:
        server.stop()
    print("## targets\n")
    table(["what", "target", "measured", "met"], bench.targets)


if __name__ == "__main__":
    main()
