//! The floors of `docs/how-it-works.md` are those of the code: each module of `src` is on one of them and uses only
//! lower ones, and no two files use each other, directly or through others. The test kit is not part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module's path, without `crate`: `["http", "auth"]`. The crate's own is empty.
type Module = Vec<String>;

/// The files of `src`, and the files that each uses.
struct House {
    files: BTreeMap<Module, Source>,
}

struct Source {
    /// The paths that it uses, from the crate's root.
    uses: Vec<Vec<String>>,
    /// Its re-exports from its children: the name and the path.
    re_exports: BTreeMap<String, Vec<String>>,
}

/// Files that cannot do without each other, and why. A circle within one of these groups is none.
const TIED: [(&str, &[&str]); 5] = [
    (
        "the methods of a stream are given contexts, as are its pager's; a context fetches pages of streams, and a cursor is \
         given a stream",
        &[
            "streams::context",
            "streams::cursor",
            "streams::delegate",
            "streams::fetch",
            "streams::http_stream",
            "streams::loop_guard",
            "streams::page_guard",
            "streams::pager",
            "streams::paging",
            "streams::parent_stream",
            "streams::record_file",
            "streams::sharing",
        ],
    ),
    (
        "to sign a request, an authenticator may send another one, whose response may be cached",
        &["http::attempt", "http::auth::context", "http::cache", "http::client"],
    ),
    (
        "values of templates hold values, and their texts, operators and methods call each other, as Python's do",
        &["sources::declarative::template"],
    ),
    ("a partition router may hold others", &["sources::declarative::router"]),
    ("a YAML text that is refused is changed and read again", &["sources::declarative::manifest::read"]),
];

#[test]
fn no_two_files_use_each_other() {
    let house = House::read();
    let arrows = house.arrows();
    assert!(arrows.len() > 100 && arrows.values().map(BTreeSet::len).sum::<usize>() > 500, "nothing was read");
    let reachable: BTreeMap<&Module, BTreeSet<&Module>> =
        arrows.keys().map(|module| (*module, reachable(&arrows, module))).collect();
    let is_tied = |one: &Module, other: &Module| {
        let is_in = |group: &[&str], module: &Module| {
            let name = module.join("::");
            group.iter().any(|member| name == *member || name.starts_with(&format!("{member}::")))
        };
        TIED.iter().any(|(_, group)| is_in(group, one) && is_in(group, other))
    };
    let mut circles = Vec::new();
    for (module, uses) in &arrows {
        let back = uses.iter().filter(|used| reachable[used].contains(module) && !is_tied(module, used));
        circles.extend(back.map(|used| format!("{} -> {}", module.join("::"), used.join("::"))));
    }
    assert!(circles.is_empty(), "these are part of a circle: {circles:#?}");
}

/// The files that a file uses, directly and through others.
fn reachable<'a>(arrows: &'a BTreeMap<&'a Module, BTreeSet<Module>>, from: &Module) -> BTreeSet<&'a Module> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&Module> = arrows[from].iter().collect();
    while let Some(next) = open.pop() {
        if seen.insert(next) {
            open.extend(&arrows[next]);
        }
    }
    seen
}

#[test]
fn every_module_uses_only_floors_below_its_own() {
    let floors = floors();
    let house = House::read();
    let mut wrong = Vec::new();
    for (module, uses) in house.arrows() {
        let Some(room) = module.first() else { continue };
        let Some(floor) = floors.get(room) else {
            wrong.push(format!("{room} stands on no floor of docs/how-it-works.md"));
            continue;
        };
        for used in uses.iter().filter_map(|used| used.first()).filter(|used| *used != room) {
            if floors.get(used).is_some_and(|below| below < floor) {
                wrong.push(format!("{} uses {used}, which stands above it", module.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The rooms of the page's first picture, with the floor of each, counted from the top.
fn floors() -> BTreeMap<String, usize> {
    let page = fs::read_to_string("docs/how-it-works.md").unwrap();
    let picture = page.split("```").nth(1).unwrap();
    let mut floors = BTreeMap::new();
    for (floor, rooms) in picture.split(" ---").enumerate() {
        for word in rooms.split_whitespace() {
            if let Some(room) = word.strip_suffix(".rs").or_else(|| word.strip_suffix('/')) {
                floors.insert(room.to_owned(), floor);
            }
        }
    }
    assert!(floors.len() > 15, "{floors:?}");
    floors
}

impl House {
    fn read() -> Self {
        let mut files = BTreeMap::new();
        read_folder(Path::new("src"), &mut files);
        Self { files }
    }

    /// The files that each file uses.
    fn arrows(&self) -> BTreeMap<&Module, BTreeSet<Module>> {
        let arrow = |(module, source): (_, &Source)| {
            let uses = source.uses.iter().map(|path| self.file_of(path));
            (module, uses.filter(|used| used != module && !used.is_empty()).collect())
        };
        self.files.iter().map(arrow).collect()
    }

    /// The file that defines a path's last name.
    fn file_of(&self, path: &[String]) -> Module {
        let module = (0..=path.len()).rev().map(|end| &path[..end]).find(|module| self.files.contains_key(*module));
        let module = module.unwrap_or_default();
        match path.get(module.len()).and_then(|name| self.files[module].re_exports.get(name)) {
            Some(further) if further != path => self.file_of(further),
            _ => module.to_vec(),
        }
    }
}

fn read_folder(folder: &Path, files: &mut BTreeMap<Module, Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_of_tests = path.ends_with("testing.rs") || path.ends_with("cookbook.rs") || path.ends_with("tests.rs");
        if path.is_dir() && !is_of_tests {
            read_folder(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_of_tests {
            let mut module: Module =
                path.with_extension("").iter().skip(1).map(|part| part.to_str().unwrap().to_owned()).collect();
            if module.last().is_some_and(|name| matches!(name.as_str(), "mod" | "lib" | "main")) {
                module.pop();
            }
            if path.ends_with("main.rs") {
                module = vec!["main".to_owned()];
            }
            let source = Source::of(&module, &path);
            files.insert(module, source);
        }
    }
}

impl Source {
    fn of(module: &Module, path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
        // A visibility is not a use.
        let code = code.join("\n").replace("pub(in crate::", "pub(");
        // Unit tests stand at the end of a file, or in one of their own.
        let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let mut source = Self { uses: Vec::new(), re_exports: BTreeMap::new() };
        for statement in code.split(';') {
            let Some((before, tree)) = statement.split_once("use ") else { continue };
            let is_statement = before.trim_end().is_empty() || before.trim_end().ends_with(['}', ']', ')', 'b']);
            if is_statement {
                let is_public =
                    before.trim_end().ends_with(')') && before.contains("pub(") || before.trim_end().ends_with("pub");
                for path in paths(tree.trim()) {
                    source.note(module, &path, is_public);
                }
            }
        }
        source.note_paths(module, code);
        source
    }

    /// A path of a `use` statement.
    fn note(&mut self, module: &Module, path: &[String], is_public: bool) {
        let Some(path) = absolute(module, path) else { return };
        match path.strip_prefix(&module[..]) {
            Some([_, .., name]) if is_public => _ = self.re_exports.insert(name.clone(), path.clone()),
            _ => self.uses.push(path),
        }
    }

    /// Paths in the code itself, such as `super::api::Api` or `crate::json::object`.
    fn note_paths(&mut self, module: &Module, code: &str) {
        for start in ["crate::", "super::"] {
            for (at, _) in code.match_indices(start) {
                let is_longer = code[..at].ends_with(|c: char| c == ':' || c.is_alphanumeric());
                let path = code[at..].split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).next().unwrap();
                let path: Vec<String> = path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
                let is_of_use = code[..at].rsplit(';').next().is_some_and(|statement| statement.contains("use "));
                if !is_longer && !is_of_use {
                    self.uses.extend(absolute(module, &path));
                }
            }
        }
    }
}

/// A path from the crate's root; `None` if it leaves the crate.
fn absolute(module: &Module, path: &[String]) -> Option<Vec<String>> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([module, &path[1..]].concat()),
        "super" => Some([module.get(..module.len().checked_sub(ups)?)?, &path[ups..]].concat()),
        // A child: `pub use child::Name`.
        child if is_child(module, child) => Some([&module[..], path].concat()),
        _ => None,
    }
}

fn is_child(module: &Module, name: &str) -> bool {
    let folder = module.iter().fold(PathBuf::from("src"), |folder, part| folder.join(part));
    folder.join(name).is_dir() || folder.join(name).with_extension("rs").exists()
}

/// The paths of a `use` tree: `a::{b, c::d}` has `a::b` and `a::c::d`.
fn paths(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let Some((head, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap();
        return vec![
            path.split("::")
                .map(|part| part.trim().to_owned())
                .filter(|part| !matches!(part.as_str(), "" | "self" | "*") || path.starts_with(part.as_str()))
                .collect(),
        ];
    };
    let head: Vec<String> =
        head.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let inner = rest.trim_end().strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(paths).map(|path| [&head[..], &path].concat()).collect()
}
