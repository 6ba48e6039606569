//! The JSON grammar, RFC 8259, section 2, as a table: from the parser state and the first byte of the next token to the
//! next action. A table, because the next token is as good as random to branch prediction, and a table lookup needs
//! none.

/// In an inner object: before its first name, before another name, before a colon, before a value, and after one.
const OBJECT_FIRST: u8 = 0;
const OBJECT_NAME: u8 = 1;
const OBJECT_COLON: u8 = 2;
const OBJECT_VALUE: u8 = 3;
pub(super) const OBJECT_AFTER: u8 = 4;
/// In the outermost object, whose names matter.
pub(super) const TOP_FIRST: u8 = 5;
const TOP_NAME: u8 = 6;
const TOP_COLON: u8 = 7;
const TOP_VALUE: u8 = 8;
pub(super) const TOP_AFTER: u8 = 9;
/// In a list: before its first element, before another one, and after one.
pub(super) const LIST_FIRST: u8 = 10;
const LIST_VALUE: u8 = 11;
pub(super) const LIST_AFTER: u8 = 12;

const STATES: usize = 16;

/// The upper half of a byte is the kind of token, as bits; the lower half is the next state. Bits can be tested without
/// a jump, which could be mispredicted.
#[derive(Clone, Copy)]
pub(super) struct Next(u8);

impl Next {
    /// A comma, a colon, a string, or a name that does not matter.
    const GO: u8 = 0;
    /// A number, or a word such as `true`.
    const SCALAR: u8 = 1 << 4;
    /// The name of a member of the outermost object.
    const NAME: u8 = 1 << 5;
    /// The start of an object or a list.
    const OPEN: u8 = 1 << 6;
    /// The end of one.
    const CLOSE: u8 = 1 << 7;
    /// Out of place; all bits are in use.
    const WRONG: Self = Self::of(Self::SCALAR | Self::CLOSE, 0);

    const fn of(what: u8, state: u8) -> Self {
        Self(what | state)
    }

    /// The next state. After an object or a list, its container decides.
    #[inline]
    pub(super) fn state(self) -> u8 {
        self.0 & 0xf
    }

    /// Whether there is nothing to do, as for most tokens.
    #[inline]
    pub(super) fn is_go(self) -> bool {
        self.0 < Self::SCALAR
    }

    /// Whether it must be a number or a word, if it is valid.
    #[inline]
    pub(super) fn is_scalar(self) -> bool {
        self.0 & Self::SCALAR != 0
    }

    /// Whether it is out of place.
    #[inline]
    pub(super) fn is_wrong(self) -> bool {
        self.0 == Self::WRONG.0
    }

    /// Whether it is the name of a member of the outermost object.
    #[inline]
    pub(super) fn is_name(self) -> bool {
        self.0 & Self::NAME != 0
    }

    /// Whether an object or a list begins with it. One ends, if it is none of these.
    #[inline]
    pub(super) fn is_open(self) -> bool {
        self.0 & Self::OPEN != 0
    }
}

/// The action for a token, by its first byte and the state.
#[inline]
pub(super) fn next(state: u8, token: u8) -> Next {
    TABLE[usize::from(state) % STATES][usize::from(token)]
}

static TABLE: [[Next; 256]; STATES] = {
    let mut table = [[Next::WRONG; 256]; STATES];
    table[OBJECT_FIRST as usize] = name(Next::GO, OBJECT_COLON, true);
    table[OBJECT_NAME as usize] = name(Next::GO, OBJECT_COLON, false);
    table[OBJECT_COLON as usize] = row(b':', Next::of(Next::GO, OBJECT_VALUE));
    table[OBJECT_VALUE as usize] = value(OBJECT_AFTER);
    table[OBJECT_AFTER as usize] = after(OBJECT_NAME, b'}');
    table[TOP_FIRST as usize] = name(Next::NAME, TOP_COLON, true);
    table[TOP_NAME as usize] = name(Next::NAME, TOP_COLON, false);
    table[TOP_COLON as usize] = row(b':', Next::of(Next::GO, TOP_VALUE));
    table[TOP_VALUE as usize] = value(TOP_AFTER);
    table[TOP_AFTER as usize] = after(TOP_NAME, b'}');
    table[LIST_FIRST as usize] = value(LIST_AFTER);
    table[LIST_FIRST as usize][b']' as usize] = Next::of(Next::CLOSE, 0);
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
const fn name(what: u8, colon: u8, may_end: bool) -> [Next; 256] {
    let mut row = row(b'"', Next::of(what, colon));
    if may_end {
        row[b'}' as usize] = Next::of(Next::CLOSE, 0);
    }
    row
}

/// A value of any kind. Any byte that begins no token counts as a scalar, which is then refused.
const fn value(after: u8) -> [Next; 256] {
    let mut row = [Next::of(Next::SCALAR, after); 256];
    row[b'"' as usize] = Next::of(Next::GO, after);
    row[b'{' as usize] = Next::of(Next::OPEN, OBJECT_FIRST);
    row[b'[' as usize] = Next::of(Next::OPEN, LIST_FIRST);
    row
}

/// A comma, or the end.
const fn after(another: u8, end: u8) -> [Next; 256] {
    let mut row = row(end, Next::of(Next::CLOSE, 0));
    row[b',' as usize] = Next::of(Next::GO, another);
    row
}
