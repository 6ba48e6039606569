//! The streams, one row each, to be read beside Stripe's API reference.

use super::api::VERSION;
use super::row::Row;

/// Objects that never change.
const CREATED_ROW: Row = Row {
    name: "",
    path: "",
    params: &[],
    windows: true,
    version: VERSION,
    object: "",
    object_path: "",
    cursor: Some("created"),
    events: &[],
    list_newest: false,
    listed_by: None,
    parent: None,
    key: "id",
    of_parent: &[],
    inside: None,
    deleted_with_parent: false,
};

/// Objects that change, and have events.
const UPDATED_ROW: Row = Row { cursor: Some("updated"), ..CREATED_ROW };

/// A list in each object of another list, without events.
const CHILD_ROW: Row = Row { windows: false, ..CREATED_ROW };

const ACCOUNTS: Row = Row {
    name: "accounts",
    windows: false,
    events: &[
        "account.updated",
        "account.external_account.created",
        "account.external_account.updated",
        "account.external_account.deleted",
    ],
    list_newest: true,
    ..UPDATED_ROW
};

const APPLICATION_FEES: Row =
    Row { name: "application_fees", events: &["application_fee.created", "application_fee.refunded"], ..UPDATED_ROW };

const CHECKOUT_SESSIONS: Row = Row {
    name: "checkout_sessions",
    path: "checkout/sessions",
    windows: false,
    events: &[
        "checkout.session.async_payment_failed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.completed",
        "checkout.session.expired",
    ],
    list_newest: true,
    ..UPDATED_ROW
};

const CUSTOMERS: Row =
    Row { name: "customers", events: &["customer.created", "customer.updated", "customer.deleted"], ..UPDATED_ROW };

const INVOICES: Row = Row {
    name: "invoices",
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

const PAYOUTS: Row = Row {
    name: "payouts",
    events: &[
        "payout.canceled",
        "payout.created",
        "payout.failed",
        "payout.paid",
        "payout.reconciliation_completed",
        "payout.updated",
    ],
    ..UPDATED_ROW
};

const SETUP_INTENTS: Row = Row {
    name: "setup_intents",
    events: &[
        "setup_intent.canceled",
        "setup_intent.created",
        "setup_intent.requires_action",
        "setup_intent.setup_failed",
        "setup_intent.succeeded",
    ],
    ..UPDATED_ROW
};

const SUBSCRIPTIONS: Row = Row {
    name: "subscriptions",
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

const TRANSFERS: Row =
    Row { name: "transfers", events: &["transfer.created", "transfer.reversed", "transfer.updated"], ..UPDATED_ROW };

/// Customers, expanded with the bank accounts and cards that Stripe otherwise omits.
const CUSTOMERS_WITH_SOURCES: Row =
    Row { name: "customers_with_sources", path: "customers", params: &[("expand[]", "data.sources")], ..CUSTOMERS };

const SUBSCRIPTION_ITEMS: Row = Row {
    name: "subscription_items",
    parent: Some(&SUBSCRIPTIONS),
    inside: Some("items"),
    params: &[("subscription", "{id}")],
    cursor: Some("subscription_updated"),
    of_parent: &[("subscription_updated", "updated")],
    events: SUBSCRIPTIONS.events,
    ..UPDATED_ROW
};

/// All streams, in the order of the catalog.
pub(super) const STREAMS: &[Row] = &[
    Row { name: "events", ..CREATED_ROW },
    Row { name: "shipping_rates", ..CREATED_ROW },
    Row { name: "balance_transactions", ..CREATED_ROW },
    Row { name: "files", ..CREATED_ROW },
    Row { name: "file_links", ..CREATED_ROW },
    APPLICATION_FEES,
    Row {
        name: "authorizations",
        path: "issuing/authorizations",
        events: &["issuing_authorization.created", "issuing_authorization.request", "issuing_authorization.updated"],
        ..UPDATED_ROW
    },
    Row {
        name: "cardholders",
        path: "issuing/cardholders",
        events: &["issuing_cardholder.created", "issuing_cardholder.updated"],
        ..UPDATED_ROW
    },
    Row {
        name: "cards",
        path: "issuing/cards",
        events: &["issuing_card.created", "issuing_card.updated"],
        ..UPDATED_ROW
    },
    Row {
        name: "charges",
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
    Row { name: "coupons", events: &["coupon.created", "coupon.updated", "coupon.deleted"], ..UPDATED_ROW },
    CUSTOMERS,
    Row {
        name: "disputes",
        events: &[
            "charge.dispute.closed",
            "charge.dispute.created",
            "charge.dispute.funds_reinstated",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.updated",
        ],
        ..UPDATED_ROW
    },
    Row {
        name: "invoice_items",
        path: "invoiceitems",
        events: &["invoiceitem.created", "invoiceitem.updated", "invoiceitem.deleted"],
        ..UPDATED_ROW
    },
    INVOICES,
    Row {
        name: "payment_intents",
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
    PAYOUTS,
    Row {
        name: "plans",
        params: &[("expand[]", "data.tiers")],
        events: &["plan.created", "plan.updated", "plan.deleted"],
        ..UPDATED_ROW
    },
    Row { name: "prices", events: &["price.created", "price.updated", "price.deleted"], ..UPDATED_ROW },
    Row { name: "products", events: &["product.created", "product.updated", "product.deleted"], ..UPDATED_ROW },
    Row { name: "promotion_codes", events: &["promotion_code.created", "promotion_code.updated"], ..UPDATED_ROW },
    Row {
        name: "refunds",
        events: &["refund.created", "refund.updated", "charge.refund.updated", "refund.failed"],
        ..UPDATED_ROW
    },
    Row { name: "reviews", events: &["review.closed", "review.opened"], ..UPDATED_ROW },
    SETUP_INTENTS,
    Row {
        name: "subscription_schedule",
        path: "subscription_schedules",
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
    Row {
        name: "top_ups",
        path: "topups",
        events: &["topup.canceled", "topup.created", "topup.failed", "topup.reversed", "topup.succeeded"],
        ..UPDATED_ROW
    },
    Row {
        name: "transactions",
        path: "issuing/transactions",
        events: &[
            "issuing_transaction.created",
            "issuing_transaction.updated",
            "issuing_transaction.purchase_details_receipt_updated",
        ],
        ..UPDATED_ROW
    },
    TRANSFERS,
    ACCOUNTS,
    CHECKOUT_SESSIONS,
    Row {
        name: "credit_notes",
        windows: false,
        events: &["credit_note.created", "credit_note.updated", "credit_note.voided"],
        ..UPDATED_ROW
    },
    Row {
        name: "early_fraud_warnings",
        path: "radar/early_fraud_warnings",
        windows: false,
        events: &["radar.early_fraud_warning.created", "radar.early_fraud_warning.updated"],
        ..UPDATED_ROW
    },
    Row {
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
    Row {
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
    Row {
        name: "checkout_sessions_line_items",
        parent: Some(&CHECKOUT_SESSIONS),
        key: "checkout_session_id",
        path: "checkout/sessions/{checkout_session_id}/line_items",
        params: &[("expand[]", "data.discounts"), ("expand[]", "data.taxes")],
        cursor: Some("checkout_session_updated"),
        of_parent: &[
            ("checkout_session_id", "checkout_session_id"),
            ("checkout_session_created", "created"),
            ("checkout_session_updated", "updated"),
            ("checkout_session_expires_at", "expires_at"),
        ],
        ..CHILD_ROW
    },
    Row {
        name: "customer_balance_transactions",
        parent: Some(&CUSTOMERS),
        key: "customer_id",
        path: "customers/{customer_id}/balance_transactions",
        ..CHILD_ROW
    },
    Row {
        name: "payout_balance_transactions",
        parent: Some(&PAYOUTS),
        key: "payout_id",
        path: "balance_transactions",
        params: &[("payout", "{payout_id}")],
        cursor: Some("updated"),
        of_parent: &[("payout", "payout_id"), ("updated", "updated")],
        ..CHILD_ROW
    },
    Row {
        name: "setup_attempts",
        parent: Some(&SETUP_INTENTS),
        key: "setup_intent_id",
        params: &[("setup_intent", "{setup_intent_id}")],
        windows: true,
        ..CHILD_ROW
    },
    Row {
        name: "transfer_reversals",
        parent: Some(&TRANSFERS),
        key: "transfer_id",
        path: "transfers/{transfer_id}/reversals",
        ..CHILD_ROW
    },
    Row {
        name: "payment_methods",
        parent: Some(&CUSTOMERS),
        key: "customer_id",
        path: "customers/{customer_id}/payment_methods",
        object: "payment_method",
        object_path: "payment_methods/{id}",
        listed_by: Some("customer"),
        events: &["payment_method.*"],
        windows: false,
        ..UPDATED_ROW
    },
    Row {
        name: "persons",
        parent: Some(&ACCOUNTS),
        key: "account_id",
        path: "accounts/{account_id}/persons",
        object: "person",
        object_path: "accounts/{account}/persons/{id}",
        events: &["person.created", "person.updated", "person.deleted"],
        windows: false,
        ..UPDATED_ROW
    },
    Row {
        name: "application_fees_refunds",
        parent: Some(&APPLICATION_FEES),
        inside: Some("refunds"),
        path: "application_fees/{id}/refunds",
        object: "fee_refund",
        object_path: "application_fees/{fee}/refunds/{id}",
        // No event carries a new refund alone; the event about its fee lists it.
        events: &["application_fee.refund.updated", "application_fee.refunded"],
        ..UPDATED_ROW
    },
    Row {
        name: "bank_accounts",
        parent: Some(&CUSTOMERS_WITH_SOURCES),
        inside: Some("sources"),
        path: "customers/{id}/bank_accounts",
        object: "bank_account",
        object_path: "customers/{customer}/bank_accounts/{id}",
        events: &[
            "customer.source.created",
            "customer.source.expiring",
            "customer.source.updated",
            "customer.source.deleted",
        ],
        ..UPDATED_ROW
    },
    Row {
        name: "invoice_line_items",
        parent: Some(&INVOICES),
        inside: Some("lines"),
        path: "invoices/{id}/lines",
        object: "line_item",
        cursor: Some("invoice_updated"),
        of_parent: &[("invoice_id", "id"), ("invoice_created", "created"), ("invoice_updated", "updated")],
        events: &["invoice.created", "invoice.deleted", "invoice.updated"],
        deleted_with_parent: true,
        ..UPDATED_ROW
    },
    SUBSCRIPTION_ITEMS,
    Row {
        name: "usage_records",
        parent: Some(&SUBSCRIPTION_ITEMS),
        key: "subscription_item_id",
        path: "subscription_items/{subscription_item_id}/usage_record_summaries",
        cursor: None,
        ..CHILD_ROW
    },
    // It was added in a later version of the API, and is requested in that one.
    Row {
        name: "invoice_payments",
        windows: false,
        events: &["invoice_payment.paid"],
        list_newest: true,
        version: "2025-03-31.basil",
        ..UPDATED_ROW
    },
];

/// Whether other streams read this stream's list, too.
pub(super) fn has_children(row: &Row) -> bool {
    STREAMS.iter().filter_map(|child| child.parent).any(|parent| parent.name == row.name)
}
