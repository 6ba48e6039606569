"""Compares what both connectors ask of Stripe, per stream and in all.

A request is its path and its parameters. Moments that depend on when a run was are named: `now`,
`30 days ago`, from when on Stripe has events, and `the last read`, which objects without a time of
creation have for their cursor. Requests are compared as sets; how often each was sent is counted
beside.
"""

from collections import Counter

from report import Report

# How long Stripe keeps events, in seconds.
EVENTS_KEPT = 30 * 86_400
# How far a moment may lie from the run that it belongs to, in seconds.
NEAR = 5

RULES = {
    "more events": "we ask for further types of events that carry the same objects",
}


def moment(name, value, run, before):
    """A bound of a span of time: its name if it depends on when the run or the one before was."""
    seconds = int(value)
    if name == "created[lte]" and run.began - NEAR <= seconds <= run.ended + NEAR:
        return "now"
    if run.began - NEAR <= seconds + EVENTS_KEPT <= run.ended + NEAR:
        return "30 days ago"
    if before and int(before.began) <= seconds <= before.ended:
        return "the last read"
    return value


def shape(request, run, before=None):
    """A request as text that is the same for the same question."""
    query = []
    for name, value in request.query:
        if name.startswith("created["):
            value = moment(name, value, run, before)
        query.append(f"{name}={value}")
    return f"{request.path}?{'&'.join(sorted(query))}"


def types_and_rest(text):
    """The event types that a request asks for, and the request without them."""
    path, _, query = text.partition("?")
    members = query.split("&")
    asked = {member.split("=", 1)[1] for member in members if member.startswith(("types[]=", "type="))}
    rest = [member for member in members if not member.startswith(("types[]=", "type="))]
    return asked, f"{path}?{'&'.join(rest)}"


def explain(ours, peer, report):
    """Takes out of both sets what a rule explains."""
    for text in sorted(peer):
        asked, rest = types_and_rest(text)
        for other in sorted(ours):
            more, same = types_and_rest(other)
            if rest == same and asked and asked < more:
                report.explain("more events")
                ours.discard(other)
                peer.discard(text)
                break


def compare_syncs(rounds):
    """The report on incremental syncs, in order: (stream, which sync, our run, the peer's run)."""
    report = Report("requests of incremental syncs", RULES)
    rows = {}
    before = {}
    for stream, which, ours, peer in rounds:
        our_last, peer_last = before.get(stream, (None, None))
        before[stream] = (ours, peer)
        of_ours = Counter(shape(request, ours, our_last) for request in ours.requests)
        of_peer = Counter(shape(request, peer, peer_last) for request in peer.requests)
        row = rows.setdefault(stream, [stream])
        row += [of_ours.total(), of_peer.total()]
        left, right = set(of_ours), set(of_peer)
        both = left & right
        left, right = left - both, right - both
        explain(left, right, report)
        for text in sorted(left):
            report.fault(stream, f"{which} sync: asked by us alone: {text}")
        for text in sorted(right):
            report.fault(stream, f"{which} sync: asked by the peer alone: {text}")
    header = ["stream"] + [f"{who} {n}." for n in (1, 2, 3) for who in ("ours", "peer")]
    report.table(header, rows.values())
    return report


def compare_totals(ours, peer):
    """The report on one full refresh of all streams together."""
    report = Report("requests of a full refresh of all streams", {})
    ours_by_path, peer_by_path = (
        Counter(template(request.path) for request in run.requests) for run in (ours, peer)
    )
    rows = [
        [path, ours_by_path[path], peer_by_path[path]]
        for path in sorted(ours_by_path.keys() | peer_by_path.keys())
    ]
    rows.append(["in all", len(ours.requests), len(peer.requests)])
    report.table(["path", "ours", "peer"], rows)
    report.check(
        len(ours.requests) <= len(peer.requests),
        "all",
        f"{len(ours.requests)} requests by us, {len(peer.requests)} by the peer",
    )
    return report


def template(path):
    """A path with the ids in it left out."""
    parts = path.split("/")
    return "/".join("ID" if "_" in part and any(map(str.isdigit, part)) else part for part in parts)
