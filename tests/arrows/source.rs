//! Sources as the tests of their shape see them: without comments, texts and tests.

use std::fs;
use std::path::{Path, PathBuf};

/// What an item begins with that ends with a brace or a semicolon; any other ends with a comma, too.
const ITEMS: [&str; 13] = [
    "pub",
    "fn",
    "mod",
    "use",
    "struct",
    "enum",
    "impl",
    "const",
    "static",
    "type",
    "trait",
    "async",
    "macro_rules",
];

/// Lists the sources in a folder, in the order of their names.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Returns the folder of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Lists the folders of sources: the core's, and those of the crates, each with the name of its package.
pub(crate) fn packages() -> Vec<(String, PathBuf)> {
    let root = root();
    let mut found = vec![("tower-api-key".to_owned(), root.join("src"))];
    let mut crates: Vec<PathBuf> =
        fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path()).collect();
    crates.sort();
    for path in crates {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        found.push((name, path.join("src")));
    }
    assert!(found.len() > 4, "{found:?}");
    found
}

/// Blanks comments out, and what stands in quotes. All else stays where it is.
pub(crate) fn code(source: &str) -> String {
    blanked(source, |_| true)
}

/// Blanks comments out, and leaves out what is only there in tests.
pub(crate) fn logic(source: &str) -> String {
    let is_comment = |c| c == '/';
    cut(&blanked(source, is_comment), &code(source))
}

/// Blanks what begins with a character that is chosen, of comments and texts.
fn blanked(source: &str, chosen: impl Fn(char) -> bool) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = blank_end(&chars, at).max(at + 1);
        let stays = end == at + 1 || !chosen(chars[at]);
        for c in &chars[at..end] {
            match c {
                c if stays || *c == '\n' => code.push(*c),
                c => code.extend(std::iter::repeat_n(' ', c.len_utf8())),
            }
        }
        at = end;
    }
    code
}

/// Returns where the comment or the text ends that begins here; here, if none does.
fn blank_end(chars: &[char], at: usize) -> usize {
    let starts = |text: &str| text.chars().enumerate().all(|(n, c)| chars.get(at + n) == Some(&c));
    let find = |from: usize, found: &dyn Fn(usize) -> bool| {
        (from..chars.len()).find(|at| found(*at)).unwrap_or(chars.len())
    };
    let is_word = |at: usize| chars[at].is_alphanumeric() || chars[at] == '_';
    if starts("//") {
        return find(at, &|at| chars[at] == '\n');
    }
    if starts("/*") {
        return (find(at + 2, &|at| chars[at] == '*' && chars.get(at + 1) == Some(&'/')) + 2)
            .min(chars.len());
    }
    if starts("\"") {
        let mut at = at + 1;
        while at < chars.len() && chars[at] != '"' {
            at += if chars[at] == '\\' { 2 } else { 1 };
        }
        return (at + 1).min(chars.len());
    }
    let is_raw = starts("r\"") || starts("r#");
    if is_raw && (at == 0 || !is_word(at - 1) || chars[at - 1] == 'b') {
        let open = find(at + 1, &|at| chars[at] != '#');
        if chars.get(open) == Some(&'"') {
            let hashes = open - at - 1;
            let closes = |at: usize| {
                chars[at] == '"' && (1..=hashes).all(|n| chars.get(at + n) == Some(&'#'))
            };
            return (find(open + 1, &closes) + 1 + hashes).min(chars.len());
        }
    }
    // A character, and not a lifetime.
    if starts("'\\") {
        return (find(at + 3, &|at| chars[at] == '\'') + 1).min(chars.len());
    }
    if starts("'") && chars.get(at + 2) == Some(&'\'') {
        return at + 3;
    }
    at
}

/// Leaves out every item that is only there in tests, wherever it stands. Takes what [`code`] returns.
pub(crate) fn without_tests(code: &str) -> String {
    cut(code, code)
}

/// Cuts out of a text where tests stand in the code, which is as long.
fn cut(text: &str, code: &str) -> String {
    let (mut at, mut kept) = (0, String::with_capacity(text.len()));
    while let Some(begin) = next_test(&code[at..]) {
        kept.push_str(&text[at..at + begin]);
        at += begin + item_end(&code[at + begin..]);
    }
    kept.push_str(&text[at..]);
    kept
}

fn next_test(code: &str) -> Option<usize> {
    ["#[cfg(test)]", "#[cfg(all(test,"].iter().filter_map(|mark| code.find(mark)).min()
}

/// Returns where an item with its attributes ends.
fn item_end(code: &str) -> usize {
    let mut begin = 0;
    while code[begin..].trim_start().starts_with("#[") {
        begin += code[begin..].find("#[").unwrap() + 1;
        begin += closing(&code[begin..]);
    }
    let item = code[begin..].trim_start();
    let word: String = item.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let has_commas = ITEMS.contains(&&*word);
    let mut depth = 0;
    for (at, c) in code[begin..].char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth -= 1,
            '}' => {
                depth -= 1;
                if depth <= 0 {
                    return begin + at + usize::from(depth == 0);
                }
            }
            ';' if depth == 0 => return begin + at + 1,
            ',' if depth == 0 && !has_commas => return begin + at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Returns where the bracket closes that the code begins with.
fn closing(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

#[test]
fn tests_and_texts_are_left_out_and_nothing_else() {
    let source = r##"
        use crate::one; // crate::comment
        #[cfg(test)]
        const TWO: [u8; 2] = crate::two();
        #[cfg(all(test, shuttle))]
        #[expect(dead_code)]
        mod schedules;
        const THREE: &str = r#"crate::text "} #[cfg(test)]"#;
        struct Four<'a> {
            #[cfg(test)]
            five: crate::five::Five,
            six: crate::six::Six<'a>,
        }
        impl Four {
            #[cfg(test)]
            fn seven<A, B>(&self) -> char { if true { '}' } else { crate::seven() } }
            fn eight(&self) -> crate::eight::Eight { "\" crate::text" }
        }
        #[cfg(not(all(test, shuttle)))]
        use crate::nine;
        #[cfg(test)]
        mod tests { use crate::ten; fn t() {} }
        fn last() { crate::last() }
    "##;
    let kept = without_tests(&code(source));
    let named: Vec<&str> = kept
        .split("crate::")
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap())
        .collect();
    assert_eq!(named, ["one", "six", "eight", "nine", "last"], "{kept}");
    assert_eq!(code(source).len(), source.len());
    assert!(logic(source).contains("crate::text") && !logic(source).contains("crate::comment"));
}
