//! What may follow what in JSON, RFC 8259, section 2, as a table: from where a text stands and the first byte of the next
//! token to what is to be done with it. A table, because what comes next is as good as random to a processor that
//! guesses branches, and a look at a table is no guess.

/// In an object that is not the outermost one: before its first name, before another name, before a colon, before a
/// value, and behind one.
const OBJECT_FIRST: u8 = 0;
const OBJECT_NAME: u8 = 1;
const OBJECT_COLON: u8 = 2;
const OBJECT_VALUE: u8 = 3;
pub(super) const OBJECT_AFTER: u8 = 4;
/// In the outermost object, whose names are told.
pub(super) const TOP_FIRST: u8 = 5;
const TOP_NAME: u8 = 6;
const TOP_COLON: u8 = 7;
const TOP_VALUE: u8 = 8;
pub(super) const TOP_AFTER: u8 = 9;
/// In a list: before its first element, before another one, and behind one.
pub(super) const LIST_FIRST: u8 = 10;
const LIST_VALUE: u8 = 11;
pub(super) const LIST_AFTER: u8 = 12;

const STATES: usize = 16;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Step {
    /// A comma, a colon, a string, or a name that is not told.
    Go,
    /// What should be a number, or a word that stands for a value.
    Scalar,
    /// The beginning of an object or a list.
    Open,
    /// The end of one.
    Close,
    /// The name of a member of the outermost object.
    Name,
    /// Out of place.
    Wrong,
}

/// A step in the upper half of a byte, and the state after it in the lower.
#[derive(Clone, Copy)]
pub(super) struct Next(u8);

impl Next {
    const WRONG: Self = Self::of(Step::Wrong, 0);

    const fn of(step: Step, state: u8) -> Self {
        Self((step as u8) << 4 | state)
    }

    /// Where the text stands then. Behind an object or a list, that is for its container to say.
    #[inline]
    pub(super) fn state(self) -> u8 {
        self.0 & 0xf
    }

    /// Whether the step is [`Step::Go`]: most are.
    #[inline]
    pub(super) fn is_go(self) -> bool {
        self.0 < 1 << 4
    }

    /// What the token is.
    #[inline]
    pub(super) fn step(self) -> Step {
        match self.0 >> 4 {
            0 => Step::Go,
            1 => Step::Scalar,
            2 => Step::Open,
            3 => Step::Close,
            4 => Step::Name,
            _ => Step::Wrong,
        }
    }
}

/// What a token is, by its first byte and where it stands.
#[inline]
pub(super) fn next(state: u8, token: u8) -> Next {
    TABLE[usize::from(state) % STATES][usize::from(token)]
}

static TABLE: [[Next; 256]; STATES] = {
    let mut table = [[Next::WRONG; 256]; STATES];
    table[OBJECT_FIRST as usize] = name(Step::Go, OBJECT_COLON, true);
    table[OBJECT_NAME as usize] = name(Step::Go, OBJECT_COLON, false);
    table[OBJECT_COLON as usize] = row(b':', Next::of(Step::Go, OBJECT_VALUE));
    table[OBJECT_VALUE as usize] = value(OBJECT_AFTER);
    table[OBJECT_AFTER as usize] = after(OBJECT_NAME, b'}');
    table[TOP_FIRST as usize] = name(Step::Name, TOP_COLON, true);
    table[TOP_NAME as usize] = name(Step::Name, TOP_COLON, false);
    table[TOP_COLON as usize] = row(b':', Next::of(Step::Go, TOP_VALUE));
    table[TOP_VALUE as usize] = value(TOP_AFTER);
    table[TOP_AFTER as usize] = after(TOP_NAME, b'}');
    table[LIST_FIRST as usize] = value(LIST_AFTER);
    table[LIST_FIRST as usize][b']' as usize] = Next::of(Step::Close, 0);
    table[LIST_VALUE as usize] = value(LIST_AFTER);
    table[LIST_AFTER as usize] = after(LIST_VALUE, b']');
    table
};

/// Only this token.
const fn row(token: u8, next: Next) -> [Next; 256] {
    let mut row = [Next::WRONG; 256];
    row[token as usize] = next;
    row
}

/// A name; or, in an empty object, its end.
const fn name(step: Step, colon: u8, may_end: bool) -> [Next; 256] {
    let mut row = row(b'"', Next::of(step, colon));
    if may_end {
        row[b'}' as usize] = Next::of(Step::Close, 0);
    }
    row
}

/// A value of any kind. Whatever is no token of JSON is taken for a scalar, and refused there.
const fn value(after: u8) -> [Next; 256] {
    let mut row = [Next::of(Step::Scalar, after); 256];
    row[b'"' as usize] = Next::of(Step::Go, after);
    row[b'{' as usize] = Next::of(Step::Open, OBJECT_FIRST);
    row[b'[' as usize] = Next::of(Step::Open, LIST_FIRST);
    row
}

/// A comma, or the end.
const fn after(another: u8, end: u8) -> [Next; 256] {
    let mut row = row(end, Next::of(Step::Close, 0));
    row[b',' as usize] = Next::of(Step::Go, another);
    row
}
