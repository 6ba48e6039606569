"""The objects at Stripe before the first sync, and their changes before the second.

One object of each resource is created, one is changed and one is deleted, if Stripe reports it in
an event or lists the object by its time of creation. Otherwise no connector could notice it.
"""

# A member that no object has; both connectors keep undeclared members.
MARK = "changed_between_syncs"

# More children of one parent than the parent contains, and more objects than a page has.
MANY = {
    "application_fees_refunds": 12,
    "bank_accounts": 12,
    "invoice_line_items": 12,
    "subscription_items": 12,
    "products": 105,
}

# Objects that never change, and are listed by their time of creation.
ONLY_CREATED = {
    "events",
    "shipping_rates",
    "balance_transactions",
    "files",
    "file_links",
}

# Children without events. Stripe changes the parent with them, and reports that.
PARENTS = {
    "checkout_sessions_line_items": "checkout_sessions",
    "customer_balance_transactions": "customers",
    "invoice_line_items": "invoices",
    "payout_balance_transactions": "payouts",
    "setup_attempts": "setup_intents",
    "subscription_items": "subscriptions",
    "transfer_reversals": "transfers",
}

# Children whose creation is reported by an event of their parent.
EVENTS_OF_PARENTS = {
    "application_fees_refunds": ("application_fees", "application_fee.refunded"),
}

# Streams without a resource of the same name in the mock: the resource, and the `object` of the
# stream's objects in it.
RESOURCES = {
    "external_account_bank_accounts": ("external_accounts", "bank_account"),
    "external_account_cards": ("external_accounts", "card"),
    "payout_balance_transactions": ("balance_transactions", None),
}


class Change:
    """One object that was created, changed or deleted."""

    def __init__(self, kind, key, event):
        self.kind = kind
        self.key = key
        # The type of the event that reports it, or None.
        self.event = event["type"] if event else None

    def __str__(self):
        return f"{self.key} {self.kind} ({self.event or 'no event'})"

    def is_in(self, records):
        """Whether the records contain the object as it is after the change."""
        versions = [record for record in records if record.get("id") == self.key]
        match self.kind:
            case "deleted" if self.event.endswith(".deleted"):
                return any(record.get("is_deleted") is True for record in versions)
            case "changed":
                return any(MARK in record for record in versions)
            case _:
                return bool(versions)


def prepare(mock):
    """Adds objects to a new mock."""
    for resource, count in MANY.items():
        for _ in range(count):
            mock.create(resource)
    for stream, (_, kind) in RESOURCES.items():
        # One of each kind will be changed and one deleted.
        for _ in range(2 if kind else 0):
            make_object(mock, stream)


def make(mock, now, streams, records):
    """Makes the changes at this time and returns, by stream, those that a connector can notice.

    `streams` are catalog entries, parents first; `records` those of a full refresh, by stream.
    """
    mock.set_now(now)
    made = {}
    for stream in streams:
        name = stream["name"]
        # Streams without a key are read in full each time.
        if not stream.get("source_defined_primary_key"):
            continue
        resource = RESOURCES.get(name, (name, None))[0]
        key, event = make_object(mock, name)
        # The mock adds a new child to the newest parent.
        if name in PARENTS:
            parent = PARENTS[name]
            event = mock.update(parent, mock.ids(parent)[0], {MARK: True})
        if name in EVENTS_OF_PARENTS:
            parent, kind = EVENTS_OF_PARENTS[name]
            event = mock.add_event(kind, parent, mock.ids(parent)[0])
        made[name] = [Change("created", key, event)]
        if name in PARENTS or name in ONLY_CREATED:
            continue
        oldest_first = sorted(records[name], key=lambda record: record.get("created", 0))
        # `prepare` gave many children to the newest.
        to_delete, to_change = oldest_first[0]["id"], oldest_first[-1]["id"]
        for kind, key, event in (
            ("changed", to_change, mock.update(resource, to_change, {MARK: True})),
            ("deleted", to_delete, mock.delete(resource, to_delete)),
        ):
            if event:
                made[name].append(Change(kind, key, event))
    return made


def make_object(mock, stream):
    """Creates an object of the stream, and returns its id and its event."""
    resource, wanted = RESOURCES.get(stream, (stream, None))
    members = {}
    if resource == "external_accounts":
        members["account"] = mock.config["account_id"]
    if stream == "payout_balance_transactions":
        # Not all balance transactions belong to a payout; the mock's responses omit this member.
        members["_parent"] = mock.ids("payouts")[0]
    # The mock creates objects of each kind in turn.
    for _ in range(3):
        key, event = mock.create(resource, members)
        if wanted is None or event["data"]["object"]["object"] == wanted:
            return key, event
    raise SystemExit(f"the mock creates no {wanted} in {resource}")
