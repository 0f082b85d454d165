//! Words of a play: what in a text could be a name.

/// Lookups that read files, by the name that they are given.
const FILE_LOOKUPS: [&str; 8] =
    ["file", "template", "fileglob", "first_found", "csvfile", "ini", "unvault", "filetree"];
/// Lookups whose answer no file of the project decides.
const UNSEEN_LOOKUPS: [&str; 9] =
    ["pipe", "url", "password", "dig", "aws_ssm", "ssm_parameter", "aws_secret", "hashi_vault", "lines"];

/// Everything in `text` that could be a path, a role, or a module.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || "_./@%+~-".contains(c);
    text.split(move |c| !is_part(c)).map(|word| word.trim_end_matches('.')).filter(|word| !word.is_empty())
}

/// Whether the text is only known when the play runs.
pub(super) fn is_dynamic(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// The variable that the text is, when it is nothing else: `{{ lookup('env', 'NAME') }}`.
pub(super) fn environment(text: &str) -> Option<&str> {
    let call = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim().strip_prefix("lookup(")?;
    let (kind, rest) = quoted(call.trim_start())?;
    let (name, rest) = quoted(rest.trim_start().strip_prefix(',')?.trim_start())?;
    (kind.rsplit('.').next() == Some("env") && rest.trim() == ")").then_some(name)
}

/// Whether the text names several files by a pattern.
pub(super) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// What the lookups in a text do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lookups {
    /// One reads files, and says which only when the play runs.
    pub(super) dynamic: bool,
    /// One reads files at all.
    pub(super) files: bool,
    /// Names of those whose answers cannot be seen.
    pub(super) unseen: Vec<String>,
}

/// Finds the calls of `lookup`, `query` and `q`.
pub(super) fn lookups(text: &str) -> Lookups {
    let mut found = Lookups::default();
    for call in ["lookup(", "query(", "q("] {
        for (at, _) in text.match_indices(call) {
            if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            judge(text[at + call.len()..].trim_start(), &mut found);
        }
    }
    found
}

fn judge(call: &str, found: &mut Lookups) {
    let Some((name, rest)) = quoted(call) else {
        // The kind of lookup itself is a variable.
        found.dynamic = true;
        return;
    };
    let name = name.rsplit('.').next().unwrap_or_default();
    if UNSEEN_LOOKUPS.contains(&name) {
        found.unseen.push(name.to_owned());
    }
    if FILE_LOOKUPS.contains(&name) {
        found.files = true;
        let argument = rest.trim_start().trim_start_matches(',').trim_start();
        let literal = quoted(argument).filter(|(path, rest)| {
            let follows = rest.trim_start();
            !is_dynamic(path) && !is_glob(path) && follows.starts_with([')', ','])
        });
        found.dynamic |= literal.is_none() || name == "first_found" || name == "filetree";
    }
}

/// A quoted text at the start, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_into_possible_names() {
        let text = "copy src=files/a.txt dest=/x \"{{ lookup('file', 'b/c.pub') }}\", see d.md.";
        let found: Vec<_> = words(text).collect();
        assert_eq!(found, ["copy", "src", "files/a.txt", "dest", "/x", "lookup", "file", "b/c.pub", "see", "d.md"]);
    }

    #[test]
    fn knows_a_name_that_the_environment_gives() {
        assert_eq!(environment("{{ lookup('ansible.builtin.env', 'HOME') }}"), Some("HOME"));
        assert_eq!(environment("{{lookup( \"env\",\"HOME\" )}}"), Some("HOME"));
        for more in
            ["{{ lookup('env', 'HOME') }}/x", "{{ lookup('env', 'A', 'B') }}", "{{ lookup('file', 'a') }}", "HOME"]
        {
            assert_eq!(environment(more), None, "{more}");
        }
    }

    #[test]
    fn judges_lookups() {
        let of = |text: &str| {
            let found = lookups(text);
            (found.files, found.dynamic, found.unseen.join(","))
        };
        assert_eq!(of("{{ lookup('file', 'a') }}"), (true, false, String::new()));
        assert_eq!(of("{{ lookup('ansible.builtin.file', name) }}"), (true, true, String::new()));
        assert_eq!(of("{{ lookup('file', 'a' ~ b) }}"), (true, true, String::new()));
        assert_eq!(of("{{ query(kind, 'a') }}"), (false, true, String::new()));
        assert_eq!(of("{{ lookup(\"pipe\", 'date') }}"), (false, false, "pipe".to_owned()));
        assert_eq!(of("{{ q('fileglob', '*.pub') }}"), (true, true, String::new()));
        assert_eq!(of("{{ lookup('env', 'HOME') }} faq('x')"), (false, false, String::new()));
    }
}
