"""Compares the records of both connectors, read from the same mock: of full refreshes and of second syncs.

Records are matched by primary key. A rule must explain every difference.
"""

import re
from collections import Counter

from report import Report

RULES = {
    "null dropped": "the peer leaves out fields that are null; we send what Stripe sent",
    "to number": "the peer turns integers into floats where its schema says number",
    "to integer": "the peer turns booleans and floats into integers where its schema says integer",
    "to string": "the peer turns values into text where its schema says string",
    "to repr": "the peer writes objects as Python's own text where its schema says string",
    "no created": "without a time of creation, the peer takes the time of the read, we may take the parent's",
}

CHANGED_RULES = {
    **RULES,
    "other object": "events contain objects of other kinds, too; the peer sends them as records of the stream",
    "more": "see OURS_MORE",
    "expanded": "the peer sends the event's object, without expansions; we request the object as in lists",
    "detached": "a payment method without a customer is in no list; we send it as deleted",
    "sent before": "the peer sends records of the first sync again; we skip those of the last minutes",
}

# Streams in which the peer sends objects of other kinds from events, and the kind that belongs there.
OBJECTS = {
    "accounts": "account",
    "charges": "charge",
    "invoice_line_items": "line_item",
    "subscription_items": "subscription_item",
}

# Streams of which we send more records in a second sync.
OURS_MORE = {
    "accounts": "we list new accounts, because no event reports them",
    "application_fees_refunds": "the fee's event reports a new one; the peer does not read it",
    "checkout_sessions": "we list new sessions, because no event reports them",
    "invoice_line_items": "we read all items of a changed invoice",
    "subscription_items": "we read all items of a changed subscription",
}

# The fields that lists of a stream expand. Objects in events do not have them.
EXPANDED = {
    "charges": ("refunds",),
    "invoices": ("discounts", "total_tax_amounts"),
    "plans": ("tiers",),
}

# The cursor of objects without a time of creation: a time during the read.
CURSOR = "updated"


def converted(value, schema):
    """A value as the peer converts it for a field of its schema, and the name of the rule.

    With several types, except null, the peer does not convert it.
    """
    declared = schema.get("type", [])
    declared = [declared] if isinstance(declared, str) else declared
    if value is None and "null" in declared:
        return value, None
    declared = [kind for kind in declared if kind != "null"]
    if len(declared) != 1:
        return value, None
    kind = declared[0]
    try:
        match kind:
            case "string":
                return str(value), "to repr" if isinstance(value, (dict, list)) else "to string"
            case "number":
                return float(value), "to number"
            case "integer":
                return int(value), "to integer"
    except (TypeError, ValueError):
        pass
    return value, None


def same(a, b):
    """Whether two JSON values are the same. 1, 1.0 and true differ."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def differences(ours, peer, schema, path=""):
    """For each difference, the name of its rule, or None, and a text."""
    if same(ours, peer):
        return
    if isinstance(ours, dict) and isinstance(peer, dict):
        for name in sorted(ours.keys() | peer.keys()):
            place = f"{path}.{name}" if path else name
            part = schema.get("properties", {}).get(name, {})
            if name not in ours:
                yield None, f"{place} is missing, the peer's is {peer[name]!r}"
            elif name not in peer:
                null_at_top = ours[name] is None and not path
                rule = "null dropped" if null_at_top else None
                yield rule, f"{place} is {ours[name]!r}, the peer's is missing"
            else:
                yield from difference_of_field(ours[name], peer[name], part, place)
    elif isinstance(ours, list) and isinstance(peer, list) and len(ours) == len(peer):
        part = schema.get("items", {})
        part = part if isinstance(part, dict) else {}
        for a, b in zip(ours, peer):
            yield from difference_of_field(a, b, part, f"{path}[]")
    else:
        yield None, f"{path} is {ours!r}, the peer's is {peer!r}"


def difference_of_field(ours, peer, schema, path):
    """Like `differences`, for a value that the peer may have converted."""
    if same(ours, peer):
        return
    value, rule = converted(ours, schema)
    if rule and same(value, peer):
        yield rule, path
    else:
        yield from differences(ours, peer, schema, path)


def key_of(record, stream):
    """The values of the primary key; without a declared key, the id."""
    paths = stream.get("source_defined_primary_key") or [["id"]]
    return tuple(str(record.get(path[0])) for path in paths)


def by_key(records, stream):
    """Records by primary key, and the number of repeated ones."""
    found = {key_of(record, stream): record for record in records}
    return found, len(records) - len(found)


def compare_record(ours, peer, stream, runs, report, counts, rule_of=lambda name, text: None):
    """Counts the differences of two records with one key by rule; one without a rule is a fault."""
    name, key = stream["name"], "/".join(key_of(ours, stream))
    for rule, text in differences(ours, peer, stream["json_schema"]):
        if rule is None and text.startswith(f"{CURSOR} is"):
            rule = rule_of_cursor(ours, peer, *runs)
        rule = rule or rule_of(name, text)
        if rule is None:
            report.fault(name, f"{key}: {text}")
        else:
            counts[rule] += 1


def compare_full(streams, ours, peer):
    """The report on two full refreshes of the peer's streams (catalog entries)."""
    report = Report("records, full refresh", RULES)
    for run in (ours, peer):
        if run.failure():
            report.fault("all", run.failure())
    rows = []
    for stream in streams:
        name = stream["name"]
        counts = Counter()
        of_ours, our_repeats = by_key(ours.records.get(name, []), stream)
        of_peer, peer_repeats = by_key(peer.records.get(name, []), stream)
        for side, repeats in (("we", our_repeats), ("the peer", peer_repeats)):
            report.check(not repeats, name, f"{side} sent {repeats} records twice")
        for key in sorted(of_ours.keys() ^ of_peer.keys()):
            side = "we" if key not in of_ours else "the peer"
            report.fault(name, f"{side} did not send the record {'/'.join(key)}")
        for key in sorted(of_ours.keys() & of_peer.keys()):
            compare_record(of_ours[key], of_peer[key], stream, (ours, peer), report, counts)
        report.check(of_ours, name, "no records, so nothing was compared")
        rows.append([name, len(of_ours), len(of_peer), explained(counts, report)])
    report.table(["stream", "ours", "peer", "differences"], rows)
    return report


def compare_changed(streams, first, second):
    """The report on second syncs, each from its own state; `first`, `second`: stream -> both runs."""
    report = Report("records, second sync", CHANGED_RULES)
    rows = []
    for stream in streams:
        name = stream["name"]
        runs = second[name]
        counts = Counter()
        versions = [newest(run.records.get(name, []), stream) for run in runs]
        of_ours, of_peer = versions
        before, _ = by_key(first[name][0].records.get(name, []), stream)
        for key in sorted(of_peer.keys() - of_ours.keys()):
            rule = other_object(name, of_peer[key]) or sent_before(stream, before.get(key), of_peer[key])
            if rule:
                counts[rule] += 1
            else:
                report.fault(name, f"we did not send the record {'/'.join(key)}")
        for key in sorted(of_ours.keys() - of_peer.keys()):
            if name in OURS_MORE:
                counts["more"] += 1
            else:
                report.fault(name, f"the peer did not send the record {'/'.join(key)}")
        for key in sorted(of_ours.keys() & of_peer.keys()):
            compare_record(of_ours[key], of_peer[key], stream, runs, report, counts, rule_of_change)
        rows.append([name, len(of_ours), len(of_peer), explained(counts, report)])
    report.table(["stream", "ours", "peer", "differences"], rows)
    return report


def rule_of_change(stream, text):
    """The rule that explains a difference between the object in an event and the requested one, or None."""
    field = re.split(r"[.\[ ]", text, maxsplit=1)[0]
    if field in EXPANDED.get(stream, ()):
        return "expanded"
    if stream == "payment_methods" and text.startswith("is_deleted is True,"):
        return "detached"
    return None


def newest(records, stream):
    """The records by key, each the one with the highest cursor value."""
    field = (stream.get("default_cursor_field") or [None])[0]
    found = {}
    for record in records:
        key = key_of(record, stream)
        if key not in found or record.get(field, 0) > found[key].get(field, 0):
            found[key] = record
    return found


def other_object(stream, record):
    """The rule that explains a record that only the peer has sent, if its object is of another kind, or None."""
    own = OBJECTS.get(stream)
    if own and record.get("object") != own:
        return "other object"
    return None


def sent_before(stream, ours, peer):
    """The rule that explains a record that only the peer has sent, if our first sync has sent it, or None.

    The cursor may differ.
    """
    cursors = {CURSOR, *(stream.get("default_cursor_field") or [])}
    if ours is None:
        return None
    other = [
        text
        for rule, text in differences(ours, peer, stream["json_schema"])
        if rule is None and text.split(" ", 1)[0] not in cursors
    ]
    return None if other else "sent before"


def explained(counts, report):
    """The counts as text. Adds them to the report."""
    for rule, count in counts.items():
        report.explain(rule, count)
    return ", ".join(f"{rule} {count}" for rule, count in sorted(counts.items()))


def rule_of_cursor(ours, peer, our_run, peer_run):
    """The rule that explains different cursor values of two records, or None."""
    without = "created" not in ours
    at_read = int(peer_run.began) <= peer[CURSOR] <= peer_run.ended
    return "no created" if without and at_read and ours[CURSOR] <= our_run.ended else None
