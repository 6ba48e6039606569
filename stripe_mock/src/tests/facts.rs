//! Facts about Stripe's API against which its objects are checked.

/// For each resource the fields that Stripe always sends at version 2022-11-15, with the type:
/// array, boolean, integer, number, object or string (also an id that is not expanded). Of lists
/// with two kinds of objects, the fields that both have.
pub(super) const ALWAYS_PRESENT: &[(&str, &str)] = &[
    ("accounts", "id:s object:s"),
    (
        "application_fees",
        "account:s amount:i amount_refunded:i application:s charge:s created:i currency:s id:s livemode:b object:s refunded:b refunds:o",
    ),
    ("application_fees_refunds", "amount:i created:i currency:s fee:s id:s object:s"),
    (
        "authorizations",
        "amount:i approved:b authorization_method:s balance_transactions:a card:o created:i currency:s id:s livemode:b merchant_amount:i merchant_currency:s merchant_data:o metadata:o object:s request_history:a status:s transactions:a verification_data:o",
    ),
    (
        "balance_transactions",
        "amount:i available_on:i created:i currency:s fee:i fee_details:a id:s net:i object:s reporting_category:s status:s type:s",
    ),
    ("bank_accounts", "id:s last4:s object:s"),
    ("cardholders", "billing:o created:i id:s livemode:b metadata:o name:s object:s requirements:o status:s type:s"),
    (
        "cards",
        "brand:s cardholder:o created:i currency:s exp_month:i exp_year:i id:s last4:s livemode:b metadata:o object:s spending_controls:o status:s type:s",
    ),
    (
        "charges",
        "amount:i amount_captured:i amount_refunded:i billing_details:o captured:b created:i currency:s disputed:b id:s livemode:b metadata:o object:s paid:b refunded:b status:s",
    ),
    (
        "checkout_sessions",
        "automatic_tax:o created:i custom_fields:a custom_text:o expires_at:i id:s livemode:b mode:s object:s payment_method_types:a payment_status:s shipping_options:a",
    ),
    (
        "checkout_sessions_line_items",
        "amount_discount:i amount_subtotal:i amount_tax:i amount_total:i currency:s description:s id:s object:s",
    ),
    ("coupons", "created:i duration:s id:s livemode:b object:s times_redeemed:i valid:b"),
    (
        "credit_notes",
        "amount:i amount_shipping:i created:i currency:s customer:s discount_amount:i discount_amounts:a id:s invoice:s lines:o livemode:b number:s object:s pdf:s status:s subtotal:i tax_amounts:a total:i type:s",
    ),
    (
        "customer_balance_transactions",
        "amount:i created:i currency:s customer:s ending_balance:i id:s livemode:b object:s type:s",
    ),
    ("customers", "created:i id:s livemode:b object:s"),
    (
        "disputes",
        "amount:i balance_transactions:a charge:s created:i currency:s evidence:o evidence_details:o id:s is_charge_refundable:b livemode:b metadata:o object:s reason:s status:s",
    ),
    ("early_fraud_warnings", "actionable:b charge:s created:i fraud_type:s id:s livemode:b object:s"),
    ("events", "created:i data:o id:s livemode:b object:s pending_webhooks:i type:s"),
    ("external_accounts", "id:s last4:s object:s"),
    ("file_links", "created:i expired:b file:s id:s livemode:b metadata:o object:s"),
    ("files", "created:i id:s object:s purpose:s size:i"),
    (
        "invoice_items",
        "amount:i currency:s customer:s date:i discountable:b id:s livemode:b object:s period:o proration:b quantity:i",
    ),
    (
        "invoice_line_items",
        "amount:i currency:s discountable:b id:s livemode:b metadata:o object:s period:o proration:b type:s",
    ),
    (
        "invoice_payments",
        "amount_requested:i created:i currency:s id:s invoice:s is_default:b livemode:b object:s payment:o status:s status_transitions:o",
    ),
    (
        "invoices",
        "amount_due:i amount_paid:i amount_remaining:i amount_shipping:i attempt_count:i attempted:b automatic_tax:o collection_method:s created:i currency:s default_tax_rates:a id:s lines:o livemode:b object:s paid:b paid_out_of_band:b payment_settings:o period_end:i period_start:i post_payment_credit_notes_amount:i pre_payment_credit_notes_amount:i starting_balance:i status_transitions:o subtotal:i total:i total_tax_amounts:a",
    ),
    (
        "payment_intents",
        "amount:i capture_method:s confirmation_method:s created:i currency:s id:s livemode:b object:s payment_method_types:a status:s",
    ),
    ("payment_methods", "billing_details:o created:i id:s livemode:b object:s type:s"),
    (
        "payouts",
        "amount:i arrival_date:i automatic:b created:i currency:s id:s livemode:b method:s object:s reconciliation_status:s source_type:s status:s type:s",
    ),
    ("persons", "account:s created:i id:s object:s"),
    (
        "plans",
        "active:b billing_scheme:s created:i currency:s id:s interval:s interval_count:i livemode:b object:s usage_type:s",
    ),
    ("prices", "active:b billing_scheme:s created:i currency:s id:s livemode:b metadata:o object:s product:s type:s"),
    ("products", "active:b created:i id:s images:a livemode:b metadata:o name:s object:s updated:i"),
    ("promotion_codes", "active:b code:s coupon:o created:i id:s livemode:b object:s restrictions:o times_redeemed:i"),
    ("refunds", "amount:i created:i currency:s id:s object:s"),
    ("reviews", "created:i id:s livemode:b object:s open:b opened_reason:s reason:s"),
    (
        "setup_attempts",
        "created:i id:s livemode:b object:s payment_method:s payment_method_details:o setup_intent:s status:s usage:s",
    ),
    ("setup_intents", "created:i id:s livemode:b object:s payment_method_types:a status:s usage:s"),
    ("shipping_rates", "active:b created:i id:s livemode:b metadata:o object:s type:s"),
    ("subscription_items", "created:i id:s metadata:o object:s price:o subscription:s"),
    (
        "subscription_schedule",
        "created:i customer:s default_settings:o end_behavior:s id:s livemode:b object:s phases:a status:s",
    ),
    (
        "subscriptions",
        "automatic_tax:o billing_cycle_anchor:i cancel_at_period_end:b collection_method:s created:i currency:s current_period_end:i current_period_start:i customer:s id:s items:o livemode:b metadata:o object:s start_date:i status:s",
    ),
    ("top_ups", "amount:i created:i currency:s id:s livemode:b metadata:o object:s status:s"),
    (
        "transactions",
        "amount:i card:s created:i currency:s id:s livemode:b merchant_amount:i merchant_currency:s merchant_data:o metadata:o object:s type:s",
    ),
    ("transfer_reversals", "amount:i created:i currency:s id:s object:s transfer:s"),
    (
        "transfers",
        "amount:i amount_reversed:i created:i currency:s id:s livemode:b metadata:o object:s reversals:o reversed:b",
    ),
    ("usage_records", "id:s livemode:b object:s period:o subscription_item:s total_usage:i"),
];
