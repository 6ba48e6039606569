"""Compares the requests of both connectors, for each stream and in total.

A request is its path and its parameters. Names replace times that depend on the time of the run:
`now`; `30 days ago`, the time of Stripe's oldest events; `the last read`, the cursor of objects
without a time of creation. Requests are compared as sets, and counted.
"""

from collections import Counter

from report import Report

# How long Stripe keeps events, in seconds.
EVENTS_KEPT = 30 * 86_400
# How much a time may differ from that of its run, in seconds.
NEAR = 5

RULES = {
    "more events": "we request more types of events, which have the same objects",
    "not again": "after its first sync the peer reads 30 days of events again; we resume from our state",
    "one window": "we request the few children of one parent at once, not in windows",
    "rest of items": "an event has only the first items; the peer never reads the others",
    "newest of list": "no event reports a new object, so we read the newest part of the list, too",
    "some minutes again": "we resume some minutes before the end of the last sync, the peer from the newest record",
    "changed object": "we request a changed object if its list expands a field that events lack",
}

# Lists of children that we do not read in windows.
ONE_WINDOW = {"/v1/setup_attempts"}
# Lists of items whose first ones are in events, with ID instead of the parent's id.
ITEMS = {
    "/v1/application_fees/ID/refunds",
    "/v1/invoices/ID/lines",
    "/v1/subscription_items",
}
# How long before the end of the last sync we resume, in seconds.
OVERLAP = 300
# Lists whose newest part we read in addition to events.
NEWEST = {"/v1/accounts", "/v1/checkout/sessions"}


def bound(name, value, run, before):
    """A bound of a window. It is replaced by a name if it depends on the time of this run or the last."""
    seconds = int(value)
    if name == "created[lte]" and run.began - NEAR <= seconds <= run.ended + NEAR:
        return "now"
    if run.began - NEAR <= seconds + EVENTS_KEPT <= run.ended + NEAR:
        return "30 days ago"
    if before and int(before.began) <= seconds <= before.ended:
        return "the last read"
    return value


def shape(request, run, before=None):
    """A request as text, which is the same for equal requests."""
    query = []
    for name, value in request.query:
        if name.startswith("created["):
            value = bound(name, value, run, before)
        query.append(f"{name}={value}")
    return f"{request.path}?{'&'.join(sorted(query))}"


class Parts:
    """The parts of a request's shape."""

    def __init__(self, text):
        self.text = text
        self.path, _, query = text.partition("?")
        members = [tuple(member.split("=", 1)) for member in query.split("&") if member]
        self.types = {value for name, value in members if name in ("type", "types[]")}
        self.bounds = {name: value for name, value in members if name.startswith("created[")}
        named = {"type", "types[]", *self.bounds}
        self.rest = [member for member in members if member[0] not in named]

    def rules_against(self, peer):
        """The rules by which this request of ours replaces the peer's; None if it does not."""
        if (self.path, self.rest) != (peer.path, peer.rest):
            return None
        rules = []
        if self.types != peer.types:
            if not self.types > peer.types:
                return None
            rules.append("more events")
        if self.bounds != peer.bounds:
            upper = self.bounds.get("created[lte]") == peer.bounds.get("created[lte]")
            if self.types and upper and peer.bounds["created[gte]"] == "30 days ago":
                rules.append("not again")
            elif self.path in ONE_WINDOW and not self.bounds:
                rules.append("one window")
            elif upper and self.begins_within_overlap(peer):
                rules.append("some minutes again")
            else:
                return None
        return rules

    def begins_within_overlap(self, peer):
        """Whether our window begins after the peer's, or before it by at most the overlap."""
        ours, theirs = self.bounds.get("created[gte]", ""), peer.bounds.get("created[gte]", "")
        if not ours.isdigit():
            return False
        return not theirs.isdigit() or int(ours) >= int(theirs) - OVERLAP

    def rule_for_more(self):
        """The rule that explains a request that only we send, in a later sync, or None."""
        if self.path in NEWEST:
            return "newest of list"
        names = {name for name, _ in self.rest}
        if "limit" not in names and template(self.path).endswith("/ID"):
            return "changed object"
        further = any(name == "starting_after" for name, _ in self.rest)
        return "rest of items" if further and template(self.path) in ITEMS else None


def explain(ours, peer, which, report):
    """The shapes of both sets that no rule explains."""
    ours, peer = [Parts(text) for text in sorted(ours)], [Parts(text) for text in sorted(peer)]
    used = set()
    for request in list(peer):
        for candidate in ours:
            rules = candidate.rules_against(request)
            if rules is not None:
                for rule in rules:
                    report.explain(rule)
                used.add(candidate)
                peer.remove(request)
                break
    ours = [request for request in ours if request not in used]
    for request in list(ours):
        rule = request.rule_for_more()
        if rule and which != "first":
            report.explain(rule)
            ours.remove(request)
    return [request.text for request in ours], [request.text for request in peer]


def compare_syncs(rounds):
    """The report on incremental syncs, in order: (stream, which sync, our run, the peer's run)."""
    report = Report("requests of incremental syncs", RULES)
    rows = {}
    before = {}
    for stream, which, ours, peer in rounds:
        for run in (ours, peer):
            if run.failure():
                report.fault(stream, f"{which} sync: {run.failure()}")
        our_last, peer_last = before.get(stream, (None, None))
        before[stream] = (ours, peer)
        of_ours = Counter(shape(request, ours, our_last) for request in ours.requests)
        of_peer = Counter(shape(request, peer, peer_last) for request in peer.requests)
        row = rows.setdefault(stream, [stream])
        row += [of_ours.total(), of_peer.total()]
        left, right = set(of_ours), set(of_peer)
        both = left & right
        left, right = explain(left - both, right - both, which, report)
        for text in left:
            report.fault(stream, f"{which} sync: only we request {text}")
        for text in right:
            report.fault(stream, f"{which} sync: only the peer requests {text}")
    header = ["stream"] + [f"{side} {n}." for n in (1, 2, 3) for side in ("ours", "peer")]
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
    rows.append(["total", len(ours.requests), len(peer.requests)])
    report.table(["path", "ours", "peer"], rows)
    report.check(
        len(ours.requests) <= len(peer.requests),
        "all",
        f"we sent {len(ours.requests)} requests, the peer {len(peer.requests)}",
    )
    return report


def template(path):
    """A path with ID instead of each id."""
    parts = path.split("/")
    return "/".join("ID" if "_" in part and any(map(str.isdigit, part)) else part for part in parts)
