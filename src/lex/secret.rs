//! Keeps passwords that a script sets out of what is printed. In: SQL. Out: the same without what stands in quotes, where it speaks of
//! passwords.

use std::borrow::Cow;

/// What stands for a password.
pub const MASK: &str = "***";

/// Whether `sql` may hold a password.
pub fn speaks_of_passwords(sql: &str) -> bool {
    let lower = sql.to_ascii_lowercase();
    ["password", "identified", "passwd", "secret"].iter().any(|word| lower.contains(word))
}

/// `sql` with each text in quotes made [`MASK`], where it speaks of passwords. Lines stay lines.
pub fn masked(sql: &str) -> Cow<'_, str> {
    if !speaks_of_passwords(sql) {
        return sql.into();
    }
    let (mut out, mut rest) = (String::with_capacity(sql.len()), sql);
    while let Some(at) = rest.find(['\'', '"', '$']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let Some(quote) = opening(from) else {
            out.push('$');
            rest = &from[1..];
            continue;
        };
        let inside = &from[quote.len()..];
        let end = closing(inside, quote);
        out.push_str(quote);
        out.push_str(MASK);
        // A statement's other lines keep their numbers.
        out.extend(inside[..end].matches('\n'));
        rest = &inside[end..];
        if let Some(after) = rest.strip_prefix(quote) {
            out.push_str(quote);
            rest = after;
        }
    }
    out.push_str(rest);
    out.into()
}

/// The quote that `text` begins with: `'`, `"`, or a dollar quote with its tag.
fn opening(text: &str) -> Option<&str> {
    if text.starts_with(['\'', '"']) {
        return Some(&text[..1]);
    }
    let end = text[1..].find('$')? + 2;
    text[1..end - 1].chars().all(|c| c.is_alphanumeric() || c == '_').then(|| &text[..end])
}

/// Where the text ends that `quote` began. A backslash may hide a quote, so it hides one here: rather too much is masked than too little.
fn closing(inside: &str, quote: &str) -> usize {
    let mut from = 0;
    while let Some(at) = inside[from..].find(quote) {
        let backslashes = inside[..from + at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if quote.len() > 1 || backslashes % 2 == 0 {
            return from + at;
        }
        from += at + quote.len();
    }
    inside.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_quotes_is_masked_where_a_password_may_be() {
        for (sql, shown) in [
            ("SELECT 'hush'", "SELECT 'hush'"),
            ("CREATE ROLE r PASSWORD 'hush' VALID UNTIL 'x'", "CREATE ROLE r PASSWORD '***' VALID UNTIL '***'"),
            ("ALTER ROLE r\nPASSWORD 'hu\nsh'", "ALTER ROLE r\nPASSWORD '***\n'"),
            ("SET PASSWORD = 'a\\'b'", "SET PASSWORD = '***'"),
            ("SET PASSWORD = 'it''s'", "SET PASSWORD = '***''***'"),
            ("ALTER ROLE r PASSWORD $$hush$$", "ALTER ROLE r PASSWORD $$***$$"),
            ("ALTER ROLE r PASSWORD $x$hu$$sh$x$;", "ALTER ROLE r PASSWORD $x$***$x$;"),
            ("SET PASSWORD = 'hush", "SET PASSWORD = '***"),
        ] {
            assert_eq!(masked(sql), shown, "{sql}");
        }
    }
}
