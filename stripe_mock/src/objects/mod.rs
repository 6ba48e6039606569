//! Generated Stripe objects with the fields, types and sizes of real ones at API version 2022-11-15. Every field that
//! Stripe always sends is there.

mod account;
mod account_person;
mod application_fee;
mod application_fee_refund;
mod authorization;
mod balance_transaction;
mod bank_account;
mod card_face;
mod cardholder;
mod charge;
mod checkout_line_item;
mod checkout_session;
mod coupon;
mod credit_note;
mod customer;
mod customer_balance_transaction;
mod discount;
mod dispute;
mod early_fraud_warning;
mod event;
mod file;
mod file_link;
mod intent;
mod invoice;
mod invoice_item;
mod invoice_line_item;
mod invoice_payment;
mod issuing_card;
mod issuing_transaction;
mod merchant;
mod payment_intent;
mod payment_method;
mod payout;
mod person;
mod plan;
mod price;
mod product;
mod promotion_code;
mod refund;
mod review;
mod setup_attempt;
mod setup_intent;
mod shipping_rate;
mod subscription;
mod subscription_item;
mod subscription_schedule;
mod tax_rate;
mod top_up;
mod transfer;
mod transfer_reversal;
mod usage_record_summary;

use serde_json::{Value, json};

use super::resource::{RESOURCES, Resource};
use super::seed::Seed;

pub(super) use account::account;
pub(super) use account_person::account_person;
pub(super) use application_fee::application_fee;
pub(super) use application_fee_refund::application_fee_refund;
pub(super) use authorization::authorization;
pub(super) use balance_transaction::balance_transaction;
pub(super) use bank_account::{external_account, payment_source};
pub(super) use cardholder::cardholder;
pub(super) use charge::charge;
pub(super) use checkout_line_item::checkout_line_item;
pub(super) use checkout_session::checkout_session;
pub(super) use coupon::coupon;
pub(super) use credit_note::credit_note;
pub(super) use customer::customer;
pub(super) use customer_balance_transaction::customer_balance_transaction;
pub(super) use discount::discount_of;
pub(super) use dispute::dispute;
pub(super) use early_fraud_warning::early_fraud_warning;
pub(super) use event::event;
pub(super) use file::file;
pub(super) use file_link::file_link;
pub(super) use invoice::invoice;
pub(super) use invoice_item::invoice_item;
pub(super) use invoice_line_item::invoice_line_item;
pub(super) use invoice_payment::invoice_payment;
pub(super) use issuing_card::issuing_card;
pub(super) use issuing_transaction::issuing_transaction;
pub(super) use payment_intent::payment_intent;
pub(super) use payment_method::payment_method;
pub(super) use payout::payout;
pub(super) use plan::plan;
pub(super) use price::price;
pub(super) use product::product;
pub(super) use promotion_code::promotion_code;
pub(super) use refund::refund;
pub(super) use review::review;
pub(super) use setup_attempt::setup_attempt;
pub(super) use setup_intent::setup_intent;
pub(super) use shipping_rate::shipping_rate;
pub(super) use subscription::subscription;
pub(super) use subscription_item::subscription_item;
pub(super) use subscription_schedule::subscription_schedule;
pub(super) use tax_rate::tax_rate_of;
pub(super) use top_up::top_up;
pub(super) use transfer::transfer;
pub(super) use transfer_reversal::transfer_reversal;
pub(super) use usage_record_summary::usage_record_summary;

/// How many different customers other objects refer to.
const CUSTOMERS: u64 = 500;

/// How many different products other objects refer to.
const PRODUCTS: u64 = 50;

/// How many different connected accounts other objects refer to.
const ACCOUNTS: u64 = 20;

/// How many different issued cards other objects refer to.
const CARDS: u64 = 30;

const CURRENCIES: &[&str] = &["usd", "eur", "gbp", "chf", "sek"];

/// How many children of each kind a parent has: the first two belong to the first parent.
const PER_PARENT: u64 = 2;

/// The number of the generated object's parent.
fn parent_number(seed: &Seed) -> u64 {
    seed.number.div_ceil(PER_PARENT)
}

/// The id of the generated object's parent.
fn parent_id(seed: &Seed, parents: &str) -> String {
    seed.id_of(parents, parent_number(seed))
}

/// The children of the generated object, in the form of their own list.
fn children(seed: &Seed, resource: &str) -> Vec<Value> {
    let last = seed.number * PER_PARENT;
    (last - PER_PARENT + 1..=last).map(|number| object(seed, resource, number)).collect()
}

/// The object of another resource, created at the same time.
fn object(seed: &Seed, resource: &str, number: u64) -> Value {
    let generate = RESOURCES[Resource::place(resource)].generate;
    let mut object = generate(&mut seed.sibling(resource, number));
    if let Value::Object(fields) = &mut object {
        fields.shift_remove("_parent");
    }
    object
}

/// A list inside an object.
fn list(data: Vec<Value>, url: String) -> Value {
    json!({ "object": "list", "total_count": data.len(), "data": data, "has_more": false, "url": url })
}

/// The customer of the object.
fn customer_id(seed: &Seed) -> String {
    seed.id_of("customers", customer_number(seed.number))
}

fn customer_number(number: u64) -> u64 {
    number % CUSTOMERS + 1
}

/// The first payment method of the object's customer.
fn payment_method_id(seed: &Seed) -> String {
    seed.id_of("payment_methods", payment_method_number(seed))
}

fn payment_method_number(seed: &Seed) -> u64 {
    PER_PARENT * customer_number(seed.number) - 1
}

/// The connected account of the object.
fn account_id(seed: &Seed) -> String {
    seed.id_of("accounts", seed.number % ACCOUNTS + 1)
}

/// The currency of the customer of the object with that number.
fn currency(number: u64) -> &'static str {
    CURRENCIES[(customer_number(number) % CURRENCIES.len() as u64) as usize]
}

/// The value if so, otherwise null.
fn when(is_so: bool, value: impl Into<Value>) -> Value {
    if is_so { value.into() } else { Value::Null }
}

/// Both objects' fields in one: the `json!` macro takes about 40 fields at a time.
fn join(mut first: Value, second: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut first, second) {
        fields.extend(more);
    }
    first
}
