//! Random documents, with white space of every kind between their tokens, are read by this module and checked against a
//! slow and obvious implementation: it made the document, so it knows the content.

use proptest::prelude::*;

use super::*;

/// A generated value: its tokens are known.
#[derive(Debug, Clone)]
enum Node {
    Scalar(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// The text, with the result of `between` between each two tokens.
    fn write(&self, out: &mut String, between: &mut dyn FnMut() -> &'static str) {
        match self {
            Self::Scalar(text) => out.push_str(text),
            Self::List(elements) => {
                out.push('[');
                for (n, element) in elements.iter().enumerate() {
                    out.push_str(if n > 0 { "," } else { "" });
                    out.push_str(between());
                    element.write(out, between);
                    out.push_str(between());
                }
                out.push_str(if elements.is_empty() { between() } else { "" });
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (n, (name, value)) in members.iter().enumerate() {
                    out.push_str(if n > 0 { "," } else { "" });
                    out.extend([between(), name, between(), ":", between()]);
                    value.write(out, between);
                    out.push_str(between());
                }
                out.push_str(if members.is_empty() { between() } else { "" });
                out.push('}');
            }
        }
    }

    fn text(&self, between: &mut dyn FnMut() -> &'static str) -> String {
        let mut out = String::new();
        self.write(&mut out, between);
        out
    }

    fn compact(&self) -> String {
        self.text(&mut || "")
    }
}

fn string() -> impl Strategy<Value = String> {
    // Lengths around those of a chunk, escapes of all kinds, lone surrogates, and JSON-like text.
    let piece = prop_oneof![
        r"[ a-z{}\[\]:,/'é漢🦀]{0,18}",
        r#"\\["\\/bfnrt]"#,
        r"\\u[0-9a-fA-F]{4}",
        Just(r"\ud800".to_owned()),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![string(), "\"[ab]{0,2}\"", Just(r#""\u0061""#.to_owned())]
}

fn node() -> impl Strategy<Value = Node> {
    let number = prop_oneof![
        r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?",
        Just("1e400".to_owned()),
        Just("-0".to_owned()),
    ];
    let word = prop::sample::select(vec!["null", "true", "false"]).prop_map(str::to_owned);
    let leaf = prop_oneof![string(), number, word].prop_map(Node::Scalar);
    let tree = leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Node::List),
            prop::collection::vec((name(), inner), 0..6).prop_map(Node::Object),
        ]
    });
    (tree, 0..300_usize, any::<bool>(), prop::bool::weighted(0.05)).prop_map(|(tree, depth, list, deep)| {
        (0..if deep { depth } else { 0 }).fold(tree, |inner, _| match list {
            true => Node::List(vec![inner]),
            false => Node::Object(vec![("\"a\"".to_owned(), inner)]),
        })
    })
}

/// White space in some style: none, blanks, lines, or anything.
fn white_space(taste: u8, seed: u64) -> impl FnMut() -> &'static str {
    let choices: &[&str] = match taste {
        0 => &[""],
        1 => &["", " ", "  ", "\t"],
        2 => &["\n", "\n  ", "\r\n        ", "\n                 ", " "],
        _ => &["", " ", "\n", "\r", "\t\t", "\r\n\t  ", "\n\n            \n", "        "],
    };
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        choices[(state >> 33) as usize % choices.len()]
    }
}

/// A reader that returns a few bytes at a time.
struct Trickle<'t>(&'t [u8], usize);

impl std::io::Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.1.min(self.0.len()).min(buffer.len());
        let (now, later) = self.0.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.0 = later;
        Ok(length)
    }
}

/// The expected form of a record: unchanged, or without white space if it has several lines.
fn line(text: &str, record: &Node) -> String {
    if text.contains(['\n', '\r']) { record.compact() } else { text.to_owned() }
}

/// The first member of a name, by a parser that makes trees of everything else.
fn obvious_field(members: &[(String, Node)], name: &str) -> Option<String> {
    let is_it = |written: &str| serde_json::from_str::<String>(written).is_ok_and(|written| written == name);
    members.iter().find(|(written, _)| is_it(written)).map(|(_, value)| value.compact())
}

proptest! {
    #[test]
    fn records_come_out_as_they_were_made(
        records in prop::collection::vec(prop::collection::vec((name(), node()), 0..8), 0..5),
        before in node(),
        after in node(),
        taste in 0..4_u8,
        seed in any::<u64>(),
        trickle in 1..40_usize,
    ) {
        let mut between = white_space(taste, seed);
        let nodes: Vec<Node> = records.iter().cloned().map(Node::Object).collect();
        let texts: Vec<String> = nodes.iter().map(|record| record.text(&mut between)).collect();
        let (before_text, after_text) = (before.text(&mut between), after.text(&mut between));
        let list = texts.join(&format!("{},{}", between(), between()));
        let text = format!(
            "{}{{\"before\":{}{before_text},\"data\"{}:[{}{list}{}]{},\"after\":{after_text}}}{}",
            between(), between(), between(), between(), between(), between(), between()
        );
        let path = RecordPath::new(["data"]);
        let document = Document::index(text.as_bytes(), &path).unwrap();
        let envelope = format!("{{\"before\":{before_text},\"data\":null,\"after\":{after_text}}}");
        prop_assert_eq!(document.envelope(), &envelope);
        prop_assert_eq!(document.len(), records.len());
        for (n, object) in document.records(text.as_bytes()).enumerate() {
            let mut out = Vec::new();
            write_one_line(&mut out, object.text());
            prop_assert_eq!(String::from_utf8(out).unwrap(), line(&texts[n], &nodes[n]));
            for name in ["a", "b", "", "ab"] {
                let found = object.field(name).map(|value| {
                    let mut out = Vec::new();
                    write_one_line(&mut out, &format!("\n{value}"));
                    String::from_utf8(out).unwrap()
                });
                prop_assert_eq!(&found, &obvious_field(&records[n], name));
                prop_assert_eq!(field(&texts[n], name).is_some(), found.is_some());
            }
        }
        let mut streamed = Vec::new();
        let read = for_each_record(Trickle(text.as_bytes(), trickle), &path, |record| {
            streamed.push(record.to_owned());
            Ok(())
        });
        prop_assert_eq!(read.unwrap(), envelope);
        prop_assert_eq!(streamed, texts);
        // Truncated anywhere, it is no longer JSON.
        let cut = text.trim_end().len() - 1 - trickle.min(text.trim_end().len() - 1);
        if let Some(cut) = text.get(..cut) {
            prop_assert!(matches!(Document::index(cut.as_bytes(), &path), Err(DocumentError::NotJson(_))), "{}", cut);
            prop_assert!(for_each_record(Trickle(cut.as_bytes(), trickle), &path, |_| Ok(())).is_err(), "{}", cut);
        }
    }

    #[test]
    fn one_line_of_anything_is_its_tokens(node in node(), taste in 0..4_u8, seed in any::<u64>()) {
        let text = node.text(&mut white_space(taste, seed));
        let mut out = Vec::new();
        write_one_line(&mut out, &text);
        prop_assert_eq!(String::from_utf8(out).unwrap(), line(&text, &node));
    }
}
