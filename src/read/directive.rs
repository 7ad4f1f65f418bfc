//! What an author tells this tool in a comment. In: a line comment. Out: a directive (`-- migrate: no-transaction`,
//! `-- migrate: allow RULE "reason"`), a declaration (`-- IRREVERSIBLE: reason`), or nothing.
//!
//! Directives are in lower case and have white space after the colon, so that `-- migrate:up` is never one of them.

use super::ReadError;
use crate::lex::LineComment;
use crate::migration::Allow;

/// The directives, for messages.
pub(super) const KNOWN: &str = "`-- migrate: no-transaction` and `-- migrate: allow RULE \"reason\"`";

const DECLARATION: &str = "IRREVERSIBLE";

pub(super) enum Said {
    NoTransaction,
    Allow(Allow),
    Irreversible(String),
}

/// A cheap look whether the comments of `text` are worth reading.
pub(super) fn may_stand_in(text: &str) -> bool {
    text.contains("migrate:") || [DECLARATION, "Irreversible", "irreversible"].iter().any(|word| text.contains(word))
}

/// A comment's words without its mark.
pub(super) fn body<'a>(comment: &LineComment<'a>) -> &'a str {
    comment.text.strip_prefix("--").unwrap_or_else(|| comment.text.trim_start_matches('#')).trim()
}

pub(super) fn read(comment: &LineComment, path: &str) -> Result<Option<Said>, ReadError> {
    let body = body(comment);
    if let Some(after) = body.strip_prefix("migrate:") {
        return directive(after, comment.line, path);
    }
    let declared = body.get(..DECLARATION.len()).is_some_and(|word| word.eq_ignore_ascii_case(DECLARATION));
    let reason = if declared { body[DECLARATION.len()..].trim_start().strip_prefix(':') } else { None };
    Ok(reason.map(|reason| Said::Irreversible(reason.trim().to_owned())))
}

/// Whether what stands after `migrate:` begins with one of our directives.
pub(super) fn is_known(after: &str) -> bool {
    matches!(after.split_whitespace().next(), Some("no-transaction" | "allow"))
}

fn directive(after: &str, line: u32, path: &str) -> Result<Option<Said>, ReadError> {
    let (word, rest) = after.trim().split_once(char::is_whitespace).unwrap_or((after.trim(), ""));
    let spaced = after.starts_with(char::is_whitespace);
    let unknown = || Err(ReadError::UnknownDirective { path: path.to_owned(), line, word: format!("migrate:{}{word}", if spaced { " " } else { "" }) });
    match word {
        // `-- migrate:` alone heads a comment in prose.
        "" => Ok(None),
        // The layouts know `migrate:up`; ours without its space would be silently without effect.
        _ if !spaced && !is_known(after) => Ok(None),
        _ if !spaced => unknown(),
        "no-transaction" => Ok(Some(Said::NoTransaction)),
        "allow" => allow(rest.trim(), line).map(|allow| Some(Said::Allow(allow))).ok_or(ReadError::AllowWithoutReason { path: path.to_owned(), line }),
        _ => unknown(),
    }
}

fn allow(text: &str, line: u32) -> Option<Allow> {
    let (rule, quoted) = text.split_once(char::is_whitespace)?;
    let reason = quoted.trim_start().strip_prefix('"')?.rsplit_once('"')?.0.trim();
    (!reason.is_empty() && !rule.starts_with('"')).then(|| Allow { rule: rule.to_owned(), reason: reason.to_owned(), line })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        match read(&LineComment { text, offset: 0, line: 7, alone: true }, "a.sql") {
            Ok(Some(Said::NoTransaction)) => "no-transaction".into(),
            Ok(Some(Said::Allow(allow))) => format!("allow {} for {}", allow.rule, allow.reason),
            Ok(Some(Said::Irreversible(reason))) => format!("irreversible for {reason}"),
            Ok(None) => "nothing".into(),
            Err(error) => format!("{}:{}", error.code(), error.line().unwrap_or(0)),
        }
    }

    #[test]
    fn comments_say_what_they_say() {
        for (text, expected) in [
            ("-- migrate: no-transaction", "no-transaction"),
            ("--migrate: no-transaction (for CONCURRENTLY)", "no-transaction"),
            ("# migrate: no-transaction", "no-transaction"),
            ("-- migrate: allow drop-column \"nobody reads it\"", "allow drop-column for nobody reads it"),
            ("-- migrate: allow C02 \"the \"old\" one\"  ", "allow C02 for the \"old\" one"),
            ("-- migrate: allow drop-column", "allow-without-reason:7"),
            ("-- migrate: allow drop-column because", "allow-without-reason:7"),
            ("-- migrate: allow drop-column \" \"", "allow-without-reason:7"),
            ("-- migrate: allow \"no rule\" \"x\"", "allow-without-reason:7"),
            ("-- migrate: alow drop-column \"x\"", "unknown-directive:7"),
            ("-- migrate:no-transaction", "unknown-directive:7"),
            ("-- migrate:up", "nothing"),
            ("-- migrate:", "nothing"),
            ("-- to migrate: see the wiki", "nothing"),
            ("-- IRREVERSIBLE: the values are gone", "irreversible for the values are gone"),
            ("-- Irreversible : x", "irreversible for x"),
            ("-- irreversible as it is", "nothing"),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }
}
