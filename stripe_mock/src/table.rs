//! The table of list endpoints, by name. A further endpoint is a row here and a function in
//! `objects`.

use serde_json::Value;

use super::DAY;
use super::objects;
use super::resource::Resource;

/// The defaults of most rows.
const LIST: Resource = Resource {
    name: "",
    path: "",
    object: "",
    id_prefix: "",
    id_digits: 24,
    objects_at: None,
    created_filter: true,
    created_field: "created",
    filters: &[],
    parent_filter: None,
    required: None,
    shows_only: None,
    types: false,
    retention: None,
    event_created: None,
    event_updated: None,
    event_deleted: None,
    generate: |_| Value::Null,
};

pub(super) const RESOURCES: &[Resource] = &[
    Resource {
        name: "accounts",
        path: "/v1/accounts",
        object: "account",
        id_prefix: "acct_",
        id_digits: 16,
        event_updated: Some("account.updated"),
        generate: objects::account,
        ..LIST
    },
    Resource {
        name: "application_fees",
        path: "/v1/application_fees",
        object: "application_fee",
        id_prefix: "fee_",
        filters: &["charge"],
        event_created: Some("application_fee.created"),
        event_updated: Some("application_fee.refunded"),
        generate: objects::application_fee,
        ..LIST
    },
    Resource {
        name: "application_fees_refunds",
        path: "/v1/application_fees/{fee}/refunds",
        object: "fee_refund",
        id_prefix: "fr_",
        created_filter: false,
        event_updated: Some("application_fee.refund.updated"),
        generate: objects::application_fee_refund,
        ..LIST
    },
    Resource {
        name: "authorizations",
        path: "/v1/issuing/authorizations",
        object: "issuing.authorization",
        id_prefix: "iauth_",
        filters: &["card", "cardholder", "status"],
        event_created: Some("issuing_authorization.created"),
        event_updated: Some("issuing_authorization.updated"),
        generate: objects::authorization,
        ..LIST
    },
    Resource {
        name: "balance_transactions",
        path: "/v1/balance_transactions",
        object: "balance_transaction",
        id_prefix: "txn_",
        filters: &["currency", "source", "type"],
        parent_filter: Some("payout"),
        generate: objects::balance_transaction,
        ..LIST
    },
    // A customer's payment sources: bank accounts, and cards, which `sources` shows as well.
    Resource {
        name: "bank_accounts",
        path: "/v1/customers/{customer}/bank_accounts",
        object: "bank_account",
        id_prefix: "ba_",
        created_filter: false,
        shows_only: Some("bank_account"),
        event_created: Some("customer.source.created"),
        event_updated: Some("customer.source.updated"),
        event_deleted: Some("customer.source.deleted"),
        generate: objects::payment_source,
        ..LIST
    },
    Resource {
        name: "cardholders",
        path: "/v1/issuing/cardholders",
        object: "issuing.cardholder",
        id_prefix: "ich_",
        filters: &["email", "phone_number", "status", "type"],
        event_created: Some("issuing_cardholder.created"),
        event_updated: Some("issuing_cardholder.updated"),
        generate: objects::cardholder,
        ..LIST
    },
    Resource {
        name: "cards",
        path: "/v1/issuing/cards",
        object: "issuing.card",
        id_prefix: "ic_",
        filters: &["cardholder", "exp_month", "exp_year", "last4", "status", "type"],
        event_created: Some("issuing_card.created"),
        event_updated: Some("issuing_card.updated"),
        generate: objects::issuing_card,
        ..LIST
    },
    Resource {
        name: "charges",
        path: "/v1/charges",
        object: "charge",
        id_prefix: "ch_",
        filters: &["customer", "payment_intent", "transfer_group"],
        event_created: Some("charge.succeeded"),
        event_updated: Some("charge.updated"),
        generate: objects::charge,
        ..LIST
    },
    Resource {
        name: "checkout_sessions",
        path: "/v1/checkout/sessions",
        object: "checkout.session",
        id_prefix: "cs_test_",
        id_digits: 58,
        created_filter: false,
        filters: &["customer", "payment_intent", "payment_link", "subscription"],
        event_updated: Some("checkout.session.completed"),
        generate: objects::checkout_session,
        ..LIST
    },
    Resource {
        name: "checkout_sessions_line_items",
        path: "/v1/checkout/sessions/{_parent}/line_items",
        object: "item",
        id_prefix: "li_",
        created_filter: false,
        generate: objects::checkout_line_item,
        ..LIST
    },
    Resource {
        name: "coupons",
        path: "/v1/coupons",
        object: "coupon",
        id_prefix: "SAVE",
        id_digits: 6,
        event_created: Some("coupon.created"),
        event_updated: Some("coupon.updated"),
        event_deleted: Some("coupon.deleted"),
        generate: objects::coupon,
        ..LIST
    },
    Resource {
        name: "credit_notes",
        path: "/v1/credit_notes",
        object: "credit_note",
        id_prefix: "cn_",
        created_filter: false,
        filters: &["customer", "invoice"],
        event_created: Some("credit_note.created"),
        event_updated: Some("credit_note.updated"),
        generate: objects::credit_note,
        ..LIST
    },
    Resource {
        name: "customer_balance_transactions",
        path: "/v1/customers/{customer}/balance_transactions",
        object: "customer_balance_transaction",
        id_prefix: "cbtxn_",
        created_filter: false,
        generate: objects::customer_balance_transaction,
        ..LIST
    },
    Resource {
        name: "customers",
        path: "/v1/customers",
        object: "customer",
        id_prefix: "cus_",
        id_digits: 14,
        filters: &["email", "test_clock"],
        event_created: Some("customer.created"),
        event_updated: Some("customer.updated"),
        event_deleted: Some("customer.deleted"),
        generate: objects::customer,
        ..LIST
    },
    Resource {
        name: "disputes",
        path: "/v1/disputes",
        object: "dispute",
        id_prefix: "dp_",
        filters: &["charge", "payment_intent"],
        event_created: Some("charge.dispute.created"),
        event_updated: Some("charge.dispute.updated"),
        generate: objects::dispute,
        ..LIST
    },
    Resource {
        name: "early_fraud_warnings",
        path: "/v1/radar/early_fraud_warnings",
        object: "radar.early_fraud_warning",
        id_prefix: "issfr_",
        created_filter: false,
        filters: &["charge", "payment_intent"],
        event_created: Some("radar.early_fraud_warning.created"),
        event_updated: Some("radar.early_fraud_warning.updated"),
        generate: objects::early_fraud_warning,
        ..LIST
    },
    Resource {
        name: "events",
        path: "/v1/events",
        object: "event",
        id_prefix: "evt_",
        types: true,
        retention: Some(30 * DAY),
        generate: objects::event,
        ..LIST
    },
    // Bank accounts and cards.
    Resource {
        name: "external_accounts",
        path: "/v1/accounts/{account}/external_accounts",
        object: "bank_account",
        id_prefix: "ba_1X",
        id_digits: 22,
        created_filter: false,
        filters: &["object"],
        event_created: Some("account.external_account.created"),
        event_updated: Some("account.external_account.updated"),
        event_deleted: Some("account.external_account.deleted"),
        generate: objects::external_account,
        ..LIST
    },
    Resource {
        name: "file_links",
        path: "/v1/file_links",
        object: "file_link",
        id_prefix: "link_",
        filters: &["expired", "file"],
        generate: objects::file_link,
        ..LIST
    },
    Resource {
        name: "files",
        path: "/v1/files",
        object: "file",
        id_prefix: "file_",
        filters: &["purpose"],
        generate: objects::file,
        ..LIST
    },
    Resource {
        name: "invoice_items",
        path: "/v1/invoiceitems",
        object: "invoiceitem",
        id_prefix: "ii_",
        created_field: "date",
        filters: &["customer", "invoice"],
        event_created: Some("invoiceitem.created"),
        event_updated: Some("invoiceitem.updated"),
        event_deleted: Some("invoiceitem.deleted"),
        generate: objects::invoice_item,
        ..LIST
    },
    Resource {
        name: "invoice_line_items",
        path: "/v1/invoices/{_parent}/lines",
        object: "line_item",
        id_prefix: "il_",
        created_filter: false,
        generate: objects::invoice_line_item,
        ..LIST
    },
    Resource {
        name: "invoice_payments",
        path: "/v1/invoice_payments",
        object: "invoice_payment",
        id_prefix: "inpay_",
        created_filter: false,
        filters: &["invoice", "status"],
        event_updated: Some("invoice_payment.paid"),
        generate: objects::invoice_payment,
        ..LIST
    },
    Resource {
        name: "invoices",
        path: "/v1/invoices",
        object: "invoice",
        id_prefix: "in_",
        filters: &["collection_method", "customer", "due_date", "status", "subscription"],
        event_created: Some("invoice.created"),
        event_updated: Some("invoice.updated"),
        event_deleted: Some("invoice.deleted"),
        generate: objects::invoice,
        ..LIST
    },
    Resource {
        name: "payment_intents",
        path: "/v1/payment_intents",
        object: "payment_intent",
        id_prefix: "pi_",
        filters: &["customer"],
        event_created: Some("payment_intent.created"),
        event_updated: Some("payment_intent.succeeded"),
        generate: objects::payment_intent,
        ..LIST
    },
    Resource {
        name: "payment_methods",
        path: "/v1/customers/{customer}/payment_methods",
        objects_at: Some("/v1/payment_methods"),
        object: "payment_method",
        id_prefix: "pm_",
        created_filter: false,
        filters: &["type"],
        event_created: Some("payment_method.attached"),
        event_updated: Some("payment_method.updated"),
        event_deleted: Some("payment_method.detached"),
        generate: objects::payment_method,
        ..LIST
    },
    Resource {
        name: "payouts",
        path: "/v1/payouts",
        object: "payout",
        id_prefix: "po_",
        filters: &["arrival_date", "destination", "status"],
        event_created: Some("payout.created"),
        event_updated: Some("payout.updated"),
        generate: objects::payout,
        ..LIST
    },
    Resource {
        name: "persons",
        path: "/v1/accounts/{account}/persons",
        object: "person",
        id_prefix: "person_",
        created_filter: false,
        event_created: Some("person.created"),
        event_updated: Some("person.updated"),
        event_deleted: Some("person.deleted"),
        generate: objects::account_person,
        ..LIST
    },
    Resource {
        name: "plans",
        path: "/v1/plans",
        object: "plan",
        id_prefix: "plan_",
        id_digits: 14,
        filters: &["active", "product"],
        event_created: Some("plan.created"),
        event_updated: Some("plan.updated"),
        event_deleted: Some("plan.deleted"),
        generate: objects::plan,
        ..LIST
    },
    Resource {
        name: "prices",
        path: "/v1/prices",
        object: "price",
        id_prefix: "price_",
        filters: &["active", "currency", "product", "type"],
        event_created: Some("price.created"),
        event_updated: Some("price.updated"),
        event_deleted: Some("price.deleted"),
        generate: objects::price,
        ..LIST
    },
    Resource {
        name: "products",
        path: "/v1/products",
        object: "product",
        id_prefix: "prod_",
        id_digits: 14,
        filters: &["active", "shippable", "url"],
        event_created: Some("product.created"),
        event_updated: Some("product.updated"),
        event_deleted: Some("product.deleted"),
        generate: objects::product,
        ..LIST
    },
    Resource {
        name: "promotion_codes",
        path: "/v1/promotion_codes",
        object: "promotion_code",
        id_prefix: "promo_",
        filters: &["active", "code", "coupon", "customer"],
        event_created: Some("promotion_code.created"),
        event_updated: Some("promotion_code.updated"),
        generate: objects::promotion_code,
        ..LIST
    },
    Resource {
        name: "refunds",
        path: "/v1/refunds",
        object: "refund",
        id_prefix: "re_",
        filters: &["charge", "payment_intent"],
        event_created: Some("refund.created"),
        event_updated: Some("refund.updated"),
        generate: objects::refund,
        ..LIST
    },
    Resource {
        name: "reviews",
        path: "/v1/reviews",
        object: "review",
        id_prefix: "prv_",
        event_created: Some("review.opened"),
        event_updated: Some("review.closed"),
        generate: objects::review,
        ..LIST
    },
    Resource {
        name: "setup_attempts",
        path: "/v1/setup_attempts",
        object: "setup_attempt",
        id_prefix: "setatt_",
        required: Some("setup_intent"),
        generate: objects::setup_attempt,
        ..LIST
    },
    Resource {
        name: "setup_intents",
        path: "/v1/setup_intents",
        object: "setup_intent",
        id_prefix: "seti_",
        filters: &["attach_to_self", "customer", "payment_method"],
        event_created: Some("setup_intent.created"),
        event_updated: Some("setup_intent.succeeded"),
        generate: objects::setup_intent,
        ..LIST
    },
    Resource {
        name: "shipping_rates",
        path: "/v1/shipping_rates",
        object: "shipping_rate",
        id_prefix: "shr_",
        filters: &["active"],
        generate: objects::shipping_rate,
        ..LIST
    },
    Resource {
        name: "subscription_items",
        path: "/v1/subscription_items",
        object: "subscription_item",
        id_prefix: "si_",
        id_digits: 14,
        created_filter: false,
        required: Some("subscription"),
        generate: objects::subscription_item,
        ..LIST
    },
    Resource {
        name: "subscription_schedule",
        path: "/v1/subscription_schedules",
        object: "subscription_schedule",
        id_prefix: "sub_sched_",
        filters: &["canceled_at", "completed_at", "customer", "released_at"],
        event_created: Some("subscription_schedule.created"),
        event_updated: Some("subscription_schedule.updated"),
        generate: objects::subscription_schedule,
        ..LIST
    },
    Resource {
        name: "subscriptions",
        path: "/v1/subscriptions",
        object: "subscription",
        id_prefix: "sub_",
        filters: &[
            "collection_method",
            "current_period_end",
            "current_period_start",
            "customer",
            "status",
            "test_clock",
        ],
        event_created: Some("customer.subscription.created"),
        event_updated: Some("customer.subscription.updated"),
        event_deleted: Some("customer.subscription.deleted"),
        generate: objects::subscription,
        ..LIST
    },
    Resource {
        name: "top_ups",
        path: "/v1/topups",
        object: "topup",
        id_prefix: "tu_",
        filters: &["amount", "status"],
        event_created: Some("topup.created"),
        event_updated: Some("topup.succeeded"),
        generate: objects::top_up,
        ..LIST
    },
    Resource {
        name: "transactions",
        path: "/v1/issuing/transactions",
        object: "issuing.transaction",
        id_prefix: "ipi_",
        filters: &["card", "cardholder", "type"],
        event_created: Some("issuing_transaction.created"),
        event_updated: Some("issuing_transaction.updated"),
        generate: objects::issuing_transaction,
        ..LIST
    },
    Resource {
        name: "transfer_reversals",
        path: "/v1/transfers/{transfer}/reversals",
        object: "transfer_reversal",
        id_prefix: "trr_",
        created_filter: false,
        generate: objects::transfer_reversal,
        ..LIST
    },
    Resource {
        name: "transfers",
        path: "/v1/transfers",
        object: "transfer",
        id_prefix: "tr_",
        filters: &["destination", "transfer_group"],
        event_created: Some("transfer.created"),
        event_updated: Some("transfer.updated"),
        generate: objects::transfer,
        ..LIST
    },
    Resource {
        name: "usage_records",
        path: "/v1/subscription_items/{subscription_item}/usage_record_summaries",
        object: "usage_record_summary",
        id_prefix: "sis_",
        created_filter: false,
        generate: objects::usage_record_summary,
        ..LIST
    },
];
