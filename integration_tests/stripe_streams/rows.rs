//! The requests of each stream to Stripe, written down from the API's reference and from other connectors.

use Kind::{Child, Created, Full, Nested, PerParent, Updated, UpdatedChild};

/// How a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By creation time.
    Created,
    /// The list first, then events.
    Updated,
    /// For each parent; parents by their events later.
    Child,
    /// The same, with a cursor for each parent.
    PerParent,
    /// For each parent first, then events.
    UpdatedChild,
    /// The first page is in the parent.
    Nested,
    /// Always whole.
    Full,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// The list's target, or that of the parent's.
    pub(super) list: &'static str,
    /// Whether it is requested in windows of creation time.
    pub(super) windows: bool,
    /// The target for one parent; `{}` stands for its id.
    pub(super) child: &'static str,
    pub(super) parent: &'static str,
    /// The query for events.
    pub(super) events: &'static str,
    pub(super) cursor: &'static str,
}

const ROW: Row =
    Row { name: "", kind: Created, list: "", windows: true, child: "", parent: "", events: "", cursor: "" };

pub(super) const ROWS: &[Row] = &[
    Row { name: "events", kind: Created, list: "/v1/events?limit=100", cursor: "created", ..ROW },
    Row { name: "shipping_rates", kind: Created, list: "/v1/shipping_rates?limit=100", cursor: "created", ..ROW },
    Row {
        name: "balance_transactions",
        kind: Created,
        list: "/v1/balance_transactions?limit=100",
        cursor: "created",
        ..ROW
    },
    Row { name: "files", kind: Created, list: "/v1/files?limit=100", cursor: "created", ..ROW },
    Row { name: "file_links", kind: Created, list: "/v1/file_links?limit=100", cursor: "created", ..ROW },
    Row {
        name: "application_fees",
        kind: Updated,
        list: "/v1/application_fees?limit=100",
        events: "types[]=application_fee.created&types[]=application_fee.refunded",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "authorizations",
        kind: Updated,
        list: "/v1/issuing/authorizations?limit=100",
        events: "types[]=issuing_authorization.created&types[]=issuing_authorization.request&\
                 types[]=issuing_authorization.updated",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "cardholders",
        kind: Updated,
        list: "/v1/issuing/cardholders?limit=100",
        events: "types[]=issuing_cardholder.created&types[]=issuing_cardholder.updated",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "cards",
        kind: Updated,
        list: "/v1/issuing/cards?limit=100",
        events: "types[]=issuing_card.created&types[]=issuing_card.updated",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "charges",
        kind: Updated,
        list: "/v1/charges?expand[]=data.refunds&limit=100",
        events: "types[]=charge.captured&types[]=charge.expired&types[]=charge.failed&\
                 types[]=charge.pending&types[]=charge.refunded&types[]=charge.refund.updated&\
                 types[]=charge.succeeded&types[]=charge.updated",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "coupons",
        kind: Updated,
        list: "/v1/coupons?limit=100",
        events: "types[]=coupon.created&types[]=coupon.updated&types[]=coupon.deleted",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "customers",
        kind: Updated,
        list: "/v1/customers?limit=100",
        events: "types[]=customer.created&types[]=customer.updated&types[]=customer.deleted",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "disputes",
        kind: Updated,
        list: "/v1/disputes?limit=100",
        events: "types[]=charge.dispute.closed&types[]=charge.dispute.created&\
                 types[]=charge.dispute.funds_reinstated&types[]=charge.dispute.funds_withdrawn&\
                 types[]=charge.dispute.updated",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "invoice_items",
        kind: Updated,
        list: "/v1/invoiceitems?limit=100",
        events: "types[]=invoiceitem.created&types[]=invoiceitem.updated&types[]=invoiceitem.deleted",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "invoices",
        kind: Updated,
        list: "/v1/invoices?expand[]=data.discounts&expand[]=data.total_tax_amounts.tax_rate&limit=100",
        events: "types[]=invoice.created&types[]=invoice.deleted&types[]=invoice.finalization_failed&\
                 types[]=invoice.finalized&types[]=invoice.marked_uncollectible&\
                 types[]=invoice.overdue&types[]=invoice.paid&types[]=invoice.payment_action_required&\
                 types[]=invoice.payment_failed&types[]=invoice.payment_succeeded&\
                 types[]=invoice.sent&types[]=invoice.updated&types[]=invoice.voided&\
                 types[]=invoice.will_be_due&types[]=invoice.overpaid&\
                 types[]=invoice.payment_attempt_required",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "payment_intents",
        kind: Updated,
        list: "/v1/payment_intents?limit=100",
        events: "types[]=payment_intent.amount_capturable_updated&types[]=payment_intent.canceled&\
                 types[]=payment_intent.created&types[]=payment_intent.partially_funded&\
                 types[]=payment_intent.payment_failed&types[]=payment_intent.processing&\
                 types[]=payment_intent.requires_action&types[]=payment_intent.succeeded",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "payouts",
        kind: Updated,
        list: "/v1/payouts?limit=100",
        events: "types[]=payout.canceled&types[]=payout.created&types[]=payout.failed&\
                 types[]=payout.paid&types[]=payout.reconciliation_completed&types[]=payout.updated",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "plans",
        kind: Updated,
        list: "/v1/plans?expand[]=data.tiers&limit=100",
        events: "types[]=plan.created&types[]=plan.updated&types[]=plan.deleted",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "prices",
        kind: Updated,
        list: "/v1/prices?limit=100",
        events: "types[]=price.created&types[]=price.updated&types[]=price.deleted",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "products",
        kind: Updated,
        list: "/v1/products?limit=100",
        events: "types[]=product.created&types[]=product.updated&types[]=product.deleted",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "promotion_codes",
        kind: Updated,
        list: "/v1/promotion_codes?limit=100",
        events: "types[]=promotion_code.created&types[]=promotion_code.updated",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "refunds",
        kind: Updated,
        list: "/v1/refunds?limit=100",
        events: "types[]=refund.created&types[]=refund.updated&types[]=charge.refund.updated&\
                 types[]=refund.failed",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "reviews",
        kind: Updated,
        list: "/v1/reviews?limit=100",
        events: "types[]=review.closed&types[]=review.opened",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "setup_intents",
        kind: Updated,
        list: "/v1/setup_intents?limit=100",
        events: "types[]=setup_intent.canceled&types[]=setup_intent.created&\
                 types[]=setup_intent.requires_action&types[]=setup_intent.setup_failed&\
                 types[]=setup_intent.succeeded",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "subscription_schedule",
        kind: Updated,
        list: "/v1/subscription_schedules?limit=100",
        events: "types[]=subscription_schedule.aborted&types[]=subscription_schedule.canceled&\
                 types[]=subscription_schedule.completed&types[]=subscription_schedule.created&\
                 types[]=subscription_schedule.expiring&types[]=subscription_schedule.released&\
                 types[]=subscription_schedule.updated",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "subscriptions",
        kind: Updated,
        list: "/v1/subscriptions?status=all&limit=100",
        events: "types[]=customer.subscription.created&types[]=customer.subscription.paused&\
                 types[]=customer.subscription.pending_update_applied&\
                 types[]=customer.subscription.pending_update_expired&\
                 types[]=customer.subscription.resumed&types[]=customer.subscription.trial_will_end&\
                 types[]=customer.subscription.updated&types[]=customer.subscription.deleted",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "top_ups",
        kind: Updated,
        list: "/v1/topups?limit=100",
        events: "types[]=topup.canceled&types[]=topup.created&types[]=topup.failed&\
                 types[]=topup.reversed&types[]=topup.succeeded",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "transactions",
        kind: Updated,
        list: "/v1/issuing/transactions?limit=100",
        events: "types[]=issuing_transaction.created&types[]=issuing_transaction.updated&\
                 types[]=issuing_transaction.purchase_details_receipt_updated",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "transfers",
        kind: Updated,
        list: "/v1/transfers?limit=100",
        events: "types[]=transfer.created&types[]=transfer.reversed&types[]=transfer.updated",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "accounts",
        kind: Updated,
        list: "/v1/accounts?limit=100",
        windows: false,
        events: "types[]=account.updated&types[]=account.external_account.created&\
                 types[]=account.external_account.updated&types[]=account.external_account.deleted",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "checkout_sessions",
        kind: Updated,
        list: "/v1/checkout/sessions?limit=100",
        windows: false,
        events: "types[]=checkout.session.async_payment_failed&\
                 types[]=checkout.session.async_payment_succeeded&types[]=checkout.session.completed&\
                 types[]=checkout.session.expired",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "credit_notes",
        kind: Updated,
        list: "/v1/credit_notes?limit=100",
        windows: false,
        events: "types[]=credit_note.created&types[]=credit_note.updated&types[]=credit_note.voided",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "early_fraud_warnings",
        kind: Updated,
        list: "/v1/radar/early_fraud_warnings?limit=100",
        windows: false,
        events: "types[]=radar.early_fraud_warning.created&types[]=radar.early_fraud_warning.updated",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "external_account_bank_accounts",
        kind: Updated,
        list: "/v1/accounts/{account_id}/external_accounts?object=bank_account&limit=100",
        windows: false,
        events: "types[]=account.external_account.created&types[]=account.external_account.updated&\
                 types[]=account.external_account.deleted",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "external_account_cards",
        kind: Updated,
        list: "/v1/accounts/{account_id}/external_accounts?object=card&limit=100",
        windows: false,
        events: "types[]=account.external_account.created&types[]=account.external_account.updated&\
                 types[]=account.external_account.deleted",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "checkout_sessions_line_items",
        kind: Child,
        list: "/v1/checkout/sessions?limit=100",
        windows: false,
        child: "/v1/checkout/sessions/{}/line_items?expand[]=data.discounts&expand[]=data.taxes&limit=100",
        parent: "checkout_sessions",
        events: "types[]=checkout.session.async_payment_failed&\
                 types[]=checkout.session.async_payment_succeeded&types[]=checkout.session.completed&\
                 types[]=checkout.session.expired",
        cursor: "checkout_session_updated",
    },
    Row {
        name: "customer_balance_transactions",
        kind: Child,
        list: "/v1/customers?limit=100",
        child: "/v1/customers/{}/balance_transactions?limit=100",
        parent: "customers",
        events: "types[]=customer.created&types[]=customer.updated&types[]=customer.deleted",
        cursor: "created",
        ..ROW
    },
    Row {
        name: "payout_balance_transactions",
        kind: Child,
        list: "/v1/payouts?limit=100",
        child: "/v1/balance_transactions?payout={}&limit=100",
        parent: "payouts",
        events: "types[]=payout.canceled&types[]=payout.created&types[]=payout.failed&\
                 types[]=payout.paid&types[]=payout.reconciliation_completed&types[]=payout.updated",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "setup_attempts",
        kind: PerParent,
        list: "/v1/setup_intents?limit=100",
        child: "/v1/setup_attempts?setup_intent={}&limit=100",
        parent: "setup_intents",
        events: "types[]=setup_intent.canceled&types[]=setup_intent.created&\
                 types[]=setup_intent.requires_action&types[]=setup_intent.setup_failed&\
                 types[]=setup_intent.succeeded",
        cursor: "created",
        ..ROW
    },
    Row {
        name: "transfer_reversals",
        kind: Child,
        list: "/v1/transfers?limit=100",
        child: "/v1/transfers/{}/reversals?limit=100",
        parent: "transfers",
        events: "types[]=transfer.created&types[]=transfer.reversed&types[]=transfer.updated",
        cursor: "created",
        ..ROW
    },
    Row {
        name: "payment_methods",
        kind: UpdatedChild,
        list: "/v1/customers?limit=100",
        child: "/v1/customers/{}/payment_methods?limit=100",
        parent: "customers",
        events: "type=payment_method.*",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "persons",
        kind: UpdatedChild,
        list: "/v1/accounts?limit=100",
        windows: false,
        child: "/v1/accounts/{}/persons?limit=100",
        parent: "accounts",
        events: "types[]=person.created&types[]=person.updated&types[]=person.deleted",
        cursor: "updated",
    },
    Row {
        name: "application_fees_refunds",
        kind: Nested,
        list: "/v1/application_fees?limit=100",
        parent: "application_fees",
        events: "types[]=application_fee.refund.updated&types[]=application_fee.refunded",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "bank_accounts",
        kind: Nested,
        list: "/v1/customers?expand[]=data.sources&limit=100",
        parent: "customers",
        events: "types[]=customer.source.created&types[]=customer.source.expiring&\
                 types[]=customer.source.updated&types[]=customer.source.deleted",
        cursor: "updated",
        ..ROW
    },
    Row {
        name: "invoice_line_items",
        kind: Nested,
        list: "/v1/invoices?expand[]=data.discounts&expand[]=data.total_tax_amounts.tax_rate&limit=100",
        parent: "invoices",
        events: "types[]=invoice.created&types[]=invoice.deleted&types[]=invoice.updated",
        cursor: "invoice_updated",
        ..ROW
    },
    Row {
        name: "subscription_items",
        kind: Nested,
        list: "/v1/subscriptions?status=all&limit=100",
        parent: "subscriptions",
        events: "types[]=customer.subscription.created&types[]=customer.subscription.paused&\
                 types[]=customer.subscription.pending_update_applied&\
                 types[]=customer.subscription.pending_update_expired&\
                 types[]=customer.subscription.resumed&types[]=customer.subscription.trial_will_end&\
                 types[]=customer.subscription.updated&types[]=customer.subscription.deleted",
        cursor: "subscription_updated",
        ..ROW
    },
    Row {
        name: "usage_records",
        kind: Full,
        list: "/v1/subscriptions?status=all&limit=100",
        child: "/v1/subscription_items/{}/usage_record_summaries?limit=100",
        parent: "subscription_items",
        cursor: "",
        ..ROW
    },
    Row {
        name: "invoice_payments",
        kind: Updated,
        list: "/v1/invoice_payments?limit=100",
        windows: false,
        events: "types[]=invoice_payment.paid",
        cursor: "updated",
        ..ROW
    },
];
