//! The source of generated values: a small generator seeded with the object's name and number, so that an object never
//! depends on the number of others.

use serde_json::Value;

use super::resource::{RESOURCES, Resource};

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The input of one object.
pub(super) struct Seed {
    /// Its number, counted from 1 for the oldest.
    pub(super) number: u64,
    pub(super) id: String,
    /// Unix seconds.
    pub(super) created: i64,
    state: u64,
}

impl Seed {
    pub(super) fn new(resource: &Resource, number: u64, created: i64) -> Self {
        // FNV-1a over the name, so that resources do not share their draws.
        let state = resource
            .name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self { number, id: resource.id(number), created, state: state ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15) }
    }

    /// The seed of another resource's object, created at the same time.
    pub(super) fn sibling(&self, resource: &str, number: u64) -> Self {
        Self::new(&RESOURCES[Resource::place(resource)], number, self.created)
    }

    /// The id of another resource's object.
    pub(super) fn id_of(&self, resource: &str, number: u64) -> String {
        RESOURCES[Resource::place(resource)].id(number)
    }

    /// The next draw (`SplitMix64`).
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.draw() % (high - low + 1)
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.draw() % 100 < percent
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[(self.draw() % from.len() as u64) as usize]
    }

    /// The value in this many cases of a hundred, else null.
    pub(super) fn maybe(&mut self, percent: u64, value: impl Into<Value>) -> Value {
        if self.chance(percent) { value.into() } else { Value::Null }
    }

    /// This many letters and digits.
    pub(super) fn letters(&mut self, count: usize) -> String {
        let mut letters = String::with_capacity(count);
        while letters.len() < count {
            // One draw is good for ten letters: 62^10 is less than 2^64.
            let mut draw = self.draw();
            for _ in 0..(count - letters.len()).min(10) {
                letters.push(char::from(LETTERS[(draw % 62) as usize]));
                draw /= 62;
            }
        }
        letters
    }

    /// An id of something that has no endpoint here.
    pub(super) fn foreign_id(&mut self, prefix: &str) -> String {
        format!("{prefix}{}", self.letters(24))
    }
}
