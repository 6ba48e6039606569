"""Checks the discovered Stripe schemas against Stripe's own sample objects.

With a wrong type in a schema, a destination rejects or nulls a column. The connector would not
notice, because it does not validate records. Stripe publishes one sample object for each resource.
Each must satisfy the schema of its stream, and the schema must declare every field of the sample,
at any depth. The exceptions are members of maps, and of expanded objects, which the schema does
not describe.

Usage: python3 .ci/check_stripe_samples.py CATALOG.jsonl SAMPLES.json

CATALOG.jsonl is the stdout of `source-http discover`: one Airbyte message a line.
SAMPLES.json is an object whose `resources` maps resource names to sample objects.
Exit status: 0 if there are no faults, 1 if there are, or if nothing was checked.
"""

import json
import sys

from jsonschema import Draft7Validator

# Stream name -> name of the resource in SAMPLES.json whose objects the stream emits.
RESOURCE_OF = {
    "accounts": "account",
    "application_fees": "application_fee",
    "application_fees_refunds": "fee_refund",
    "authorizations": "issuing.authorization",
    "balance_transactions": "balance_transaction",
    "bank_accounts": "bank_account",
    "cardholders": "issuing.cardholder",
    "cards": "issuing.card",
    "charges": "charge",
    "checkout_sessions": "checkout.session",
    "checkout_sessions_line_items": "item",
    "coupons": "coupon",
    "credit_notes": "credit_note",
    "customer_balance_transactions": "customer_balance_transaction",
    "customers": "customer",
    "disputes": "dispute",
    "early_fraud_warnings": "radar.early_fraud_warning",
    "events": "event",
    "external_account_bank_accounts": "bank_account",
    "external_account_cards": "card",
    "file_links": "file_link",
    "files": "file",
    "invoice_items": "invoiceitem",
    "invoice_line_items": "line_item",
    "invoices": "invoice",
    "payment_intents": "payment_intent",
    "payment_methods": "payment_method",
    "payout_balance_transactions": "balance_transaction",
    "payouts": "payout",
    "persons": "person",
    "plans": "plan",
    "prices": "price",
    "products": "product",
    "promotion_codes": "promotion_code",
    "refunds": "refund",
    "reviews": "review",
    "setup_attempts": "setup_attempt",
    "setup_intents": "setup_intent",
    "shipping_rates": "shipping_rate",
    "subscription_items": "subscription_item",
    "subscription_schedule": "subscription_schedule",
    "subscriptions": "subscription",
    "top_ups": "topup",
    "transactions": "issuing.transaction",
    "transfer_reversals": "transfer_reversal",
    "transfers": "transfer",
    "usage_records": "usage_record_summary",
}

# Streams without a sample, and why.
NO_SAMPLE = {"invoice_payments": "the resource is newer than the samples"}


def read_streams(path):
    """The streams of the one CATALOG message in the file at `path`."""
    catalogs = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            if message["type"] == "CATALOG":
                catalogs.append(message["catalog"])
    if len(catalogs) != 1:
        sys.exit(f"{path}: expected one CATALOG message, found {len(catalogs)}")
    return catalogs[0]["streams"]


def has_ref(schema):
    """Whether `schema` contains a `$ref` keyword or property."""
    if isinstance(schema, dict):
        return "$ref" in schema or any(has_ref(part) for part in schema.values())
    return isinstance(schema, list) and any(has_ref(part) for part in schema)


def count_checked(schema, value):
    """The number of fields of `value`, at any depth, that the schema declares."""
    if isinstance(value, dict):
        declared = schema.get("properties", {})
        return sum(
            1 + count_checked(declared[name], part)
            for name, part in value.items()
            if name in declared
        )
    if isinstance(value, list):
        return sum(count_checked(schema.get("items", {}), part) for part in value)
    return 0


def undeclared(schema, value, path):
    """The path of each field of `value` that `schema` does not declare, in objects with declared fields."""
    if isinstance(value, dict) and "properties" in schema:
        for name, part in value.items():
            if name in schema["properties"]:
                yield from undeclared(schema["properties"][name], part, f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(value, list):
        for part in value:
            yield from undeclared(schema.get("items", {}), part, f"{path}[]")


def check(schema, sample):
    """The faults of a stream's schema for a sample object, one line each."""
    Draft7Validator.check_schema(schema)
    # Discovered schemas must be self-contained. The validator would load a reference.
    if has_ref(schema):
        return ["the schema still contains a $ref"]
    findings = [
        f"{error.json_path}: {error.message}"
        for error in Draft7Validator(schema).iter_errors(sample)
    ]
    unknown = sorted(set(undeclared(schema, sample, "$")))
    return findings + [f"{path}: in the sample, not in the schema" for path in unknown]


def main(arguments):
    if len(arguments) != 2:
        sys.exit("usage: check_stripe_samples.py CATALOG.jsonl SAMPLES.json")
    catalog_path, samples_path = arguments
    with open(samples_path, encoding="utf-8") as file:
        samples = json.load(file)["resources"]

    checked = failed = 0
    for stream in read_streams(catalog_path):
        name, schema = stream["name"], stream["json_schema"]
        if name in NO_SAMPLE:
            print(f"{name}: skipped, {NO_SAMPLE[name]}")
            continue
        sample = samples.get(RESOURCE_OF.get(name))
        findings = ["no sample in RESOURCE_OF"] if sample is None else check(schema, sample)
        print(f"{name}: {count_checked(schema, sample)} properties checked")
        for finding in findings:
            print(f"{name}: FAILED: {finding}")
        checked += 1
        failed += bool(findings)

    print(f"{checked} streams checked, {failed} failed")
    return 1 if failed or not checked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
