//! The streams, one row each, to be read beside Stripe's API reference.

use super::api::VERSION;
use super::row::{Child, ChildCursor, Created, Nested, Request, Updated, UpdatedChild};

/// The defaults of most rows.
const UPDATED_ROW: Updated = Updated {
    name: "",
    path: "",
    object: "",
    windows: true,
    params: &[],
    events: &[],
    list_newest: false,
    version: VERSION,
};

pub(super) const CREATED: &[Created] = &[
    Created { name: "events", path: "events" },
    Created { name: "shipping_rates", path: "shipping_rates" },
    Created { name: "balance_transactions", path: "balance_transactions" },
    Created { name: "files", path: "files" },
    Created { name: "file_links", path: "file_links" },
];

const APPLICATION_FEES: Updated = Updated {
    name: "application_fees",
    path: "application_fees",
    object: "application_fee",
    events: &["application_fee.created", "application_fee.refunded"],
    ..UPDATED_ROW
};

const CUSTOMERS: Updated = Updated {
    name: "customers",
    path: "customers",
    object: "customer",
    events: &["customer.created", "customer.updated", "customer.deleted"],
    ..UPDATED_ROW
};

const INVOICES: Updated = Updated {
    name: "invoices",
    path: "invoices",
    object: "invoice",
    params: &[("expand[]", "data.discounts"), ("expand[]", "data.total_tax_amounts.tax_rate")],
    events: &[
        "invoice.created",
        "invoice.deleted",
        "invoice.finalization_failed",
        "invoice.finalized",
        "invoice.marked_uncollectible",
        "invoice.overdue",
        "invoice.paid",
        "invoice.payment_action_required",
        "invoice.payment_failed",
        "invoice.payment_succeeded",
        "invoice.sent",
        "invoice.updated",
        "invoice.voided",
        "invoice.will_be_due",
        "invoice.overpaid",
        "invoice.payment_attempt_required",
    ],
    ..UPDATED_ROW
};

const SUBSCRIPTIONS: Updated = Updated {
    name: "subscriptions",
    path: "subscriptions",
    object: "subscription",
    params: &[("status", "all")],
    events: &[
        "customer.subscription.created",
        "customer.subscription.paused",
        "customer.subscription.pending_update_applied",
        "customer.subscription.pending_update_expired",
        "customer.subscription.resumed",
        "customer.subscription.trial_will_end",
        "customer.subscription.updated",
        "customer.subscription.deleted",
    ],
    ..UPDATED_ROW
};

/// Customers, expanded with the bank accounts and cards that Stripe otherwise omits.
const CUSTOMERS_WITH_SOURCES: Updated =
    Updated { name: "customers_with_sources", params: &[("expand[]", "data.sources")], ..CUSTOMERS };

pub(super) const UPDATED: &[Updated] = &[
    APPLICATION_FEES,
    Updated {
        name: "authorizations",
        path: "issuing/authorizations",
        object: "issuing.authorization",
        events: &["issuing_authorization.created", "issuing_authorization.request", "issuing_authorization.updated"],
        ..UPDATED_ROW
    },
    Updated {
        name: "cardholders",
        path: "issuing/cardholders",
        object: "issuing.cardholder",
        events: &["issuing_cardholder.created", "issuing_cardholder.updated"],
        ..UPDATED_ROW
    },
    Updated {
        name: "cards",
        path: "issuing/cards",
        object: "issuing.card",
        events: &["issuing_card.created", "issuing_card.updated"],
        ..UPDATED_ROW
    },
    Updated {
        name: "charges",
        path: "charges",
        object: "charge",
        params: &[("expand[]", "data.refunds")],
        events: &[
            "charge.captured",
            "charge.expired",
            "charge.failed",
            "charge.pending",
            "charge.refunded",
            "charge.refund.updated",
            "charge.succeeded",
            "charge.updated",
        ],
        ..UPDATED_ROW
    },
    Updated {
        name: "coupons",
        path: "coupons",
        object: "coupon",
        events: &["coupon.created", "coupon.updated", "coupon.deleted"],
        ..UPDATED_ROW
    },
    CUSTOMERS,
    Updated {
        name: "disputes",
        path: "disputes",
        object: "dispute",
        events: &[
            "charge.dispute.closed",
            "charge.dispute.created",
            "charge.dispute.funds_reinstated",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.updated",
        ],
        ..UPDATED_ROW
    },
    Updated {
        name: "invoice_items",
        path: "invoiceitems",
        object: "invoiceitem",
        events: &["invoiceitem.created", "invoiceitem.updated", "invoiceitem.deleted"],
        ..UPDATED_ROW
    },
    INVOICES,
    Updated {
        name: "payment_intents",
        path: "payment_intents",
        object: "payment_intent",
        events: &[
            "payment_intent.amount_capturable_updated",
            "payment_intent.canceled",
            "payment_intent.created",
            "payment_intent.partially_funded",
            "payment_intent.payment_failed",
            "payment_intent.processing",
            "payment_intent.requires_action",
            "payment_intent.succeeded",
        ],
        ..UPDATED_ROW
    },
    Updated {
        name: "payouts",
        path: "payouts",
        object: "payout",
        events: &[
            "payout.canceled",
            "payout.created",
            "payout.failed",
            "payout.paid",
            "payout.reconciliation_completed",
            "payout.updated",
        ],
        ..UPDATED_ROW
    },
    Updated {
        name: "plans",
        path: "plans",
        object: "plan",
        params: &[("expand[]", "data.tiers")],
        events: &["plan.created", "plan.updated", "plan.deleted"],
        ..UPDATED_ROW
    },
    Updated {
        name: "prices",
        path: "prices",
        object: "price",
        events: &["price.created", "price.updated", "price.deleted"],
        ..UPDATED_ROW
    },
    Updated {
        name: "products",
        path: "products",
        object: "product",
        events: &["product.created", "product.updated", "product.deleted"],
        ..UPDATED_ROW
    },
    Updated {
        name: "promotion_codes",
        path: "promotion_codes",
        object: "promotion_code",
        events: &["promotion_code.created", "promotion_code.updated"],
        ..UPDATED_ROW
    },
    Updated {
        name: "refunds",
        path: "refunds",
        object: "refund",
        events: &["refund.created", "refund.updated", "charge.refund.updated", "refund.failed"],
        ..UPDATED_ROW
    },
    Updated {
        name: "reviews",
        path: "reviews",
        object: "review",
        events: &["review.closed", "review.opened"],
        ..UPDATED_ROW
    },
    Updated {
        name: "setup_intents",
        path: "setup_intents",
        object: "setup_intent",
        events: &[
            "setup_intent.canceled",
            "setup_intent.created",
            "setup_intent.requires_action",
            "setup_intent.setup_failed",
            "setup_intent.succeeded",
        ],
        ..UPDATED_ROW
    },
    Updated {
        name: "subscription_schedule",
        path: "subscription_schedules",
        object: "subscription_schedule",
        events: &[
            "subscription_schedule.aborted",
            "subscription_schedule.canceled",
            "subscription_schedule.completed",
            "subscription_schedule.created",
            "subscription_schedule.expiring",
            "subscription_schedule.released",
            "subscription_schedule.updated",
        ],
        ..UPDATED_ROW
    },
    SUBSCRIPTIONS,
    Updated {
        name: "top_ups",
        path: "topups",
        object: "topup",
        events: &["topup.canceled", "topup.created", "topup.failed", "topup.reversed", "topup.succeeded"],
        ..UPDATED_ROW
    },
    Updated {
        name: "transactions",
        path: "issuing/transactions",
        object: "issuing.transaction",
        events: &[
            "issuing_transaction.created",
            "issuing_transaction.updated",
            "issuing_transaction.purchase_details_receipt_updated",
        ],
        ..UPDATED_ROW
    },
    Updated {
        name: "transfers",
        path: "transfers",
        object: "transfer",
        events: &["transfer.created", "transfer.reversed", "transfer.updated"],
        ..UPDATED_ROW
    },
    Updated {
        name: "accounts",
        path: "accounts",
        object: "account",
        windows: false,
        events: &[
            "account.updated",
            "account.external_account.created",
            "account.external_account.updated",
            "account.external_account.deleted",
        ],
        list_newest: true,
        ..UPDATED_ROW
    },
    Updated {
        name: "checkout_sessions",
        path: "checkout/sessions",
        object: "checkout.session",
        windows: false,
        events: &[
            "checkout.session.async_payment_failed",
            "checkout.session.async_payment_succeeded",
            "checkout.session.completed",
            "checkout.session.expired",
        ],
        list_newest: true,
        ..UPDATED_ROW
    },
    Updated {
        name: "credit_notes",
        path: "credit_notes",
        object: "credit_note",
        windows: false,
        events: &["credit_note.created", "credit_note.updated", "credit_note.voided"],
        ..UPDATED_ROW
    },
    Updated {
        name: "early_fraud_warnings",
        path: "radar/early_fraud_warnings",
        object: "radar.early_fraud_warning",
        windows: false,
        events: &["radar.early_fraud_warning.created", "radar.early_fraud_warning.updated"],
        ..UPDATED_ROW
    },
    Updated {
        name: "external_account_bank_accounts",
        path: "accounts/{account_id}/external_accounts",
        object: "bank_account",
        windows: false,
        params: &[("object", "bank_account")],
        events: &[
            "account.external_account.created",
            "account.external_account.updated",
            "account.external_account.deleted",
        ],
        ..UPDATED_ROW
    },
    Updated {
        name: "external_account_cards",
        path: "accounts/{account_id}/external_accounts",
        object: "card",
        windows: false,
        params: &[("object", "card")],
        events: &[
            "account.external_account.created",
            "account.external_account.updated",
            "account.external_account.deleted",
        ],
        ..UPDATED_ROW
    },
];

pub(super) const CHILDREN: &[Child] = &[
    Child {
        name: "checkout_sessions_line_items",
        parent: "checkout_sessions",
        key: "checkout_session_id",
        extra_fields: &["created", "updated", "expires_at"],
        request: Request {
            path: "checkout/sessions/{checkout_session_id}/line_items",
            params: &[("expand[]", "data.discounts"), ("expand[]", "data.taxes")],
        },
        cursor: ChildCursor::Global("checkout_session_updated"),
        of_parent: &[
            ("checkout_session_id", "checkout_session_id"),
            ("checkout_session_created", "created"),
            ("checkout_session_updated", "updated"),
            ("checkout_session_expires_at", "expires_at"),
        ],
    },
    Child {
        name: "customer_balance_transactions",
        parent: "customers",
        key: "customer_id",
        extra_fields: &[],
        request: Request { path: "customers/{customer_id}/balance_transactions", params: &[] },
        cursor: ChildCursor::Global("created"),
        of_parent: &[],
    },
    Child {
        name: "payout_balance_transactions",
        parent: "payouts",
        key: "payout_id",
        extra_fields: &["updated"],
        request: Request { path: "balance_transactions", params: &[("payout", "{payout_id}")] },
        cursor: ChildCursor::Global("updated"),
        of_parent: &[("payout", "payout_id"), ("updated", "updated")],
    },
    Child {
        name: "setup_attempts",
        parent: "setup_intents",
        key: "setup_intent_id",
        extra_fields: &[],
        request: Request { path: "setup_attempts", params: &[("setup_intent", "{setup_intent_id}")] },
        cursor: ChildCursor::PerParent("created"),
        of_parent: &[],
    },
    Child {
        name: "transfer_reversals",
        parent: "transfers",
        key: "transfer_id",
        extra_fields: &[],
        request: Request { path: "transfers/{transfer_id}/reversals", params: &[] },
        cursor: ChildCursor::Global("created"),
        of_parent: &[],
    },
];

pub(super) const UPDATED_CHILDREN: &[UpdatedChild] = &[
    UpdatedChild {
        name: "payment_methods",
        parent: "customers",
        key: "customer_id",
        request: Request { path: "customers/{customer_id}/payment_methods", params: &[] },
        object: "payment_method",
        object_path: "payment_methods/{id}",
        listed_by: Some("customer"),
        events: &["payment_method.*"],
    },
    UpdatedChild {
        name: "persons",
        parent: "accounts",
        key: "account_id",
        request: Request { path: "accounts/{account_id}/persons", params: &[] },
        object: "person",
        object_path: "accounts/{account}/persons/{id}",
        listed_by: None,
        events: &["person.created", "person.updated", "person.deleted"],
    },
];

pub(super) const NESTED: &[Nested] = &[
    Nested {
        name: "application_fees_refunds",
        parent: &APPLICATION_FEES,
        field: "refunds",
        request: Request { path: "application_fees/{id}/refunds", params: &[] },
        object: "fee_refund",
        object_path: Some("application_fees/{fee}/refunds/{id}"),
        cursor: "updated",
        of_parent: &[],
        // No event carries a new refund alone; the event about its fee lists it.
        events: &["application_fee.refund.updated", "application_fee.refunded"],
        deleted_with_parent: false,
    },
    Nested {
        name: "bank_accounts",
        parent: &CUSTOMERS_WITH_SOURCES,
        field: "sources",
        request: Request { path: "customers/{id}/bank_accounts", params: &[] },
        object: "bank_account",
        object_path: Some("customers/{customer}/bank_accounts/{id}"),
        cursor: "updated",
        of_parent: &[],
        events: &[
            "customer.source.created",
            "customer.source.expiring",
            "customer.source.updated",
            "customer.source.deleted",
        ],
        deleted_with_parent: false,
    },
    Nested {
        name: "invoice_line_items",
        parent: &INVOICES,
        field: "lines",
        request: Request { path: "invoices/{id}/lines", params: &[] },
        object: "line_item",
        object_path: None,
        cursor: "invoice_updated",
        of_parent: &[("invoice_id", "id"), ("invoice_created", "created"), ("invoice_updated", "updated")],
        events: &["invoice.created", "invoice.deleted", "invoice.updated"],
        deleted_with_parent: true,
    },
    Nested {
        name: "subscription_items",
        parent: &SUBSCRIPTIONS,
        field: "items",
        request: Request { path: "subscription_items", params: &[("subscription", "{id}")] },
        object: "subscription_item",
        object_path: None,
        cursor: "subscription_updated",
        of_parent: &[("subscription_updated", "updated")],
        events: SUBSCRIPTIONS.events,
        deleted_with_parent: false,
    },
];

/// Children of the streams above.
pub(super) const GRANDCHILDREN: &[Child] = &[Child {
    name: "usage_records",
    parent: "subscription_items",
    key: "subscription_item_id",
    extra_fields: &[],
    request: Request { path: "subscription_items/{subscription_item_id}/usage_record_summaries", params: &[] },
    cursor: ChildCursor::None,
    of_parent: &[],
}];

/// Objects that were added in a later version of the API, and are requested in that one.
pub(super) const LATER: &[Updated] = &[Updated {
    name: "invoice_payments",
    path: "invoice_payments",
    object: "invoice_payment",
    windows: false,
    events: &["invoice_payment.paid"],
    list_newest: true,
    version: "2025-03-31.basil",
    ..UPDATED_ROW
}];

/// Whether other streams read this stream's list, too.
pub(super) fn has_children(stream: &str) -> bool {
    let lists = CHILDREN.iter().chain(GRANDCHILDREN).map(|row| row.parent);
    let lists = lists.chain(UPDATED_CHILDREN.iter().map(|row| row.parent));
    lists.chain(NESTED.iter().map(|row| row.parent.name)).any(|parent| parent == stream)
}
