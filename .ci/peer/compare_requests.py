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
    "not again": "after its first sync the peer reads 30 days of events again; we resume from there",
    "one span": "the few children of one parent are asked for at once, not in spans of time",
    "rest of items": "an event holds the first items only; the peer never reads the rest",
    "newest of list": "no event reports a new object, so we read the newest part of the list, too",
    "some minutes again": "we go on some minutes before the end of the last sync, not at the newest record",
    "changed object": "we ask for a changed object where its list expands what an event has not",
}

# Lists of children that we do not read in spans of time.
ONE_SPAN = {"/v1/setup_attempts"}
# Lists of items that events bring the first of; the name of the parent's id is left out.
ITEMS = {
    "/v1/application_fees/ID/refunds",
    "/v1/invoices/ID/lines",
    "/v1/subscription_items",
}
# How long before the end of the last sync we go on, in seconds.
OVERLAP = 300
# Lists whose newest part we read beside the events.
NEWEST = {"/v1/accounts", "/v1/checkout/sessions"}


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


class Parts:
    """A request's shape, taken apart."""

    def __init__(self, text):
        self.text = text
        self.path, _, query = text.partition("?")
        members = [tuple(member.split("=", 1)) for member in query.split("&") if member]
        self.types = {value for name, value in members if name in ("type", "types[]")}
        self.bounds = {name: value for name, value in members if name.startswith("created[")}
        named = {"type", "types[]", *self.bounds}
        self.rest = [member for member in members if member[0] not in named]

    def rules_against(self, peer):
        """The rules by which this request of ours stands for the peer's; None if it does not."""
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
            elif self.path in ONE_SPAN and not self.bounds:
                rules.append("one span")
            elif upper and self.goes_on_before(peer):
                rules.append("some minutes again")
            else:
                return None
        return rules

    def goes_on_before(self, peer):
        """Whether our span begins no more than the overlap before the peer's, or later."""
        ours, theirs = self.bounds.get("created[gte]", ""), peer.bounds.get("created[gte]", "")
        if not ours.isdigit():
            return False
        return not theirs.isdigit() or int(ours) >= int(theirs) - OVERLAP

    def rule_for_more(self):
        """The rule by which we ask this in a later sync and the peer does not, or None."""
        if self.path in NEWEST:
            return "newest of list"
        names = {name for name, _ in self.rest}
        if "limit" not in names and template(self.path).endswith("/ID"):
            return "changed object"
        further = any(name == "starting_after" for name, _ in self.rest)
        return "rest of items" if further and template(self.path) in ITEMS else None


def explain(ours, peer, which, report):
    """What is left of both sets of shapes when the rules have explained what they can."""
    ours, peer = [Parts(text) for text in sorted(ours)], [Parts(text) for text in sorted(peer)]
    answered = set()
    for request in list(peer):
        for candidate in ours:
            rules = candidate.rules_against(request)
            if rules is not None:
                for rule in rules:
                    report.explain(rule)
                answered.add(candidate)
                peer.remove(request)
                break
    ours = [request for request in ours if request not in answered]
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
            if run.trouble():
                report.fault(stream, f"{which} sync: {run.trouble()}")
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
            report.fault(stream, f"{which} sync: asked by us alone: {text}")
        for text in right:
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
