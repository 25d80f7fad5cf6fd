//! `${NAME}` in string values, replaced from the environment that the caller hands in.

/// A reference that could not be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreplaced {
    /// The variable is not set.
    Unset(String),
    /// What stands between the braces names no variable.
    BadName(String),
    /// There is no closing brace.
    Unclosed,
}

/// Replaces each `${NAME}` in `text`; `$${` stands for `${`. Gives nothing when there is nothing
/// to replace.
pub(crate) fn substitute(
    text: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, Unreplaced> {
    if !text.contains("${") {
        return Ok(None);
    }
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(escaped) = before.strip_suffix('$') {
            replaced.push_str(escaped);
            replaced.push_str("${");
            rest = after;
            continue;
        }
        let (name, tail) = after.split_once('}').ok_or(Unreplaced::Unclosed)?;
        if !is_name(name) {
            return Err(Unreplaced::BadName(name.to_owned()));
        }
        replaced.push_str(before);
        replaced.push_str(&environment(name).ok_or_else(|| Unreplaced::Unset(name.to_owned()))?);
        rest = tail;
    }
    replaced.push_str(rest);
    Ok(Some(replaced))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests;
