"""Compares the catalogs of both connectors: streams, order, keys, cursors, modes and fields."""

from report import Report

# Streams that only we have, and why.
ONLY_OURS = {
    "invoice_payments": "the 48th stream of newer versions of the peer",
}

# Top-level fields, the columns of a table, that only the peer declares: (stream, field) -> why.
# Nested ones are not compared: the peer declares many that Stripe never had.
FIELDS_LEFT_OUT = {}

# Members of the catalog that differ: (stream, member) -> why.
OTHER_MEMBERS = {
    ("usage_records", "is_resumable"): "our full refreshes resume where they were interrupted",
}

RULES = {
    "other member": "see OTHER_MEMBERS",
    "only ours": "streams that newer versions of the peer have",
    "field left out": "see FIELDS_LEFT_OUT",
    "type": "ours is the type in Stripe's reference and in the records",
}

# The members of a catalog that a platform uses, and that must be equal in both, with their defaults.
MEMBERS = {
    "supported_sync_modes": [],
    "source_defined_cursor": False,
    "default_cursor_field": [],
    "source_defined_primary_key": [],
    "is_resumable": False,
    "namespace": None,
}


def types(schema):
    """The types of a field except null, as text; without a declared type, any."""
    declared = schema.get("type", [])
    declared = {declared} if isinstance(declared, str) else set(declared)
    for part in schema.get("anyOf", []) + schema.get("oneOf", []):
        declared.update(types(part).split(" or "))
    return " or ".join(sorted(declared - {"null", "any"})) or "any"


def compare(ours, peer, partial):
    """The report on two catalogs, which are lists of streams; with `partial`, ours may lack some."""
    report = Report("discover", RULES)
    of_ours = {stream["name"]: stream for stream in ours}
    of_peer = {stream["name"]: stream for stream in peer}

    missing = [name for name in of_peer if name not in of_ours]
    if missing and partial:
        report.line(f"only the peer has {', '.join(missing)}")
    for name in [] if partial else missing:
        report.fault(name, "only the peer has this stream")
    for name in of_ours:
        if name in ONLY_OURS:
            report.explain("only ours")
        elif name not in of_peer:
            report.fault(name, "only we have this stream; give the reason in ONLY_OURS")

    common = [name for name in of_peer if name in of_ours]
    order = [name for name in of_ours if name in of_peer]
    report.check(order == common, "order", f"ours is {order}, the peer's {common}")

    declared = 0
    other_types = {}
    for name in common:
        for member, default in MEMBERS.items():
            a, b = of_ours[name].get(member, default), of_peer[name].get(member, default)
            if a != b and (name, member) in OTHER_MEMBERS:
                report.explain("other member")
            else:
                report.check(a == b, name, f"{member} is {a}, the peer's is {b}")
        our_fields = of_ours[name]["json_schema"]["properties"]
        peer_fields = of_peer[name]["json_schema"]["properties"]
        declared += len(peer_fields)
        for field in sorted(peer_fields):
            if field in our_fields:
                change = (types(peer_fields[field]), types(our_fields[field]))
                if change[0] != change[1]:
                    other_types.setdefault(change, []).append(f"{name}.{field}")
            elif (name, field) in FIELDS_LEFT_OUT:
                report.explain("field left out")
            else:
                report.fault(name, f"only the peer declares the field {field}")
    report.line(
        f"we have {len(of_ours)} streams, the peer {len(of_peer)}; {len(common)} are compared, "
        f"in which the peer declares {declared} top-level fields"
    )
    for (from_type, to_type), where in sorted(other_types.items()):
        report.explain("type", len(where))
        report.line(f"the peer's type is {from_type}, ours {to_type}: {', '.join(where)}")
    return report
