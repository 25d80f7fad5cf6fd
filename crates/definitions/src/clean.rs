//! Text without what a person does not see and a model reads.
//!
//! Where nothing has to go, every byte stays as it was.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

/// A run of blanks that is longer hides what follows it behind the edge of a screen.
const LONGEST_BLANK: usize = 40;

/// JSON whose strings are clean; everything outside of them, and every string that was clean
/// already, keeps its bytes. `json` must be valid JSON.
///
/// ```
/// let json = r#"{"a": 1.0, "b":"x\u200by", "c":"\u0041"}"#;
/// assert_eq!(kenward_definitions::clean_json(json), r#"{"a": 1.0, "b":"xy", "c":"\u0041"}"#);
/// ```
pub fn json(json: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = json;
    let mut changed = false;
    while let Some((before, literal, after)) = next_literal(rest) {
        out.push_str(before);
        let cleaned = serde_json::from_str::<String>(literal).ok().and_then(|said| {
            let cleaned = text(&said);
            (*cleaned != *said).then(|| serde_json::Value::from(cleaned.into_owned()).to_string())
        });
        changed |= cleaned.is_some();
        out.push_str(cleaned.as_deref().unwrap_or(literal));
        rest = after;
    }
    if !changed {
        return Cow::Borrowed(json);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What stands before the next string of a JSON text, the string with its quotes, and the rest.
fn next_literal(json: &str) -> Option<(&str, &str, &str)> {
    let start = json.find('"')?;
    let (before, from) = json.split_at_checked(start)?;
    let mut escaped = false;
    for (at, byte) in from.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => {
                let (literal, after) = from.split_at_checked(at + 1)?;
                return Some((before, literal, after));
            }
            _ => {}
        }
    }
    None
}

/// `text` without control and format characters, sequences of terminals, tag characters, runs of
/// variation selectors, and long runs of blanks. Joiners stay where a script needs them.
///
/// ```
/// use kenward_definitions::clean_text;
/// assert_eq!(clean_text("plain\ttext\n"), "plain\ttext\n");
/// assert_eq!(clean_text("a\u{200b}b\u{202e}c"), "abc");
/// assert_eq!(clean_text("می\u{200c}خواهم"), "می\u{200c}خواهم");
/// ```
pub fn text(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let seen = without_terminal_sequences(text);
    let kept = shown(&seen);
    let kept = without_long_blanks(&kept);
    if kept == text { Cow::Borrowed(text) } else { Cow::Owned(kept) }
}

/// Whether `text` has visible ASCII alone, and no long run of blanks.
fn is_plain(text: &str) -> bool {
    let mut blanks = 0_usize;
    text.bytes().all(|byte| {
        blanks = if byte.is_ascii_whitespace() { blanks + 1 } else { 0 };
        let visible = (0x20..0x7f).contains(&byte) || matches!(byte, b'\n' | b'\r' | b'\t');
        visible && blanks <= LONGEST_BLANK
    })
}

/// ECMA-48: control sequences, strings of commands, and two-character escapes.
fn without_terminal_sequences(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let introduced = match c {
            '\u{1b}' => chars.next(),
            '\u{9b}' => Some('['),
            '\u{90}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => Some(']'),
            _ => {
                out.push(c);
                continue;
            }
        };
        match introduced {
            Some('[') => {
                while chars.next_if(|c| matches!(c, '\u{20}'..='\u{3f}')).is_some() {}
                let _last = chars.next_if(|c| matches!(c, '\u{40}'..='\u{7e}'));
            }
            Some(']' | 'P' | '^' | '_' | 'X') => command_string(&mut chars),
            Some(_) | None => {}
        }
    }
    out
}

/// Skips a string of commands to its end, if it has one; what is never ended is left to be read.
fn command_string(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let mut ahead = chars.clone();
    while let Some(c) = ahead.next() {
        let ends = match c {
            '\u{7}' | '\u{9c}' => true,
            '\u{1b}' => ahead.next_if_eq(&'\\').is_some(),
            _ => false,
        };
        if ends {
            *chars = ahead;
            return;
        }
    }
}

fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    // What is drawn as nothing must not stand between what belongs together.
    let drawn = |c: &char| is_kept_apart(*c) || !is_invisible(*c);
    let text: Vec<char> = text.chars().filter(drawn).collect();
    let mut chars = text.into_iter().peekable();
    while let Some(c) = chars.next() {
        let stays = match c {
            '\u{200c}' | '\u{200d}' => joins(before, c, chars.peek().copied()),
            c if is_selector(c) => {
                let run = chars.peek().copied().is_some_and(is_selector);
                while chars.next_if(|next| is_selector(*next)).is_some() {}
                let on = |before: char| !before.is_whitespace() && !is_selector(before);
                !run && before.is_some_and(on)
            }
            _ => true,
        };
        if stays {
            out.push(c);
            before = Some(c);
        }
    }
    out
}

/// Joiners and selectors, which stay where they have something to join or to select.
fn is_kept_apart(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}') || is_selector(c)
}

/// Whether a joiner has something to join: letters of a script that has them, or pictures.
fn joins(before: Option<char>, joiner: char, after: Option<char>) -> bool {
    let Some((before, after)) = before.zip(after) else { return false };
    let pictures =
        joiner == '\u{200d}' && (is_picture(before) || before == '\u{fe0f}') && is_picture(after);
    pictures || (is_joined(before) && is_joined(after))
}

fn is_picture(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2190}'..='\u{21ff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}')
}

/// Scripts in which a joiner changes how letters look (Unicode 16, section 23.2).
fn is_joined(c: char) -> bool {
    matches!(c,
        '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{f00}'..='\u{109f}'
        | '\u{1780}'..='\u{18af}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{11000}'..='\u{11fff}')
        && c.is_alphanumeric() | is_mark(c)
}

/// The marks of those scripts that join: viramas and vowels.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{900}'..='\u{dff}' | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17d3}' | '\u{11000}'..='\u{11fff}')
}

fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{180b}'..='\u{180d}' | '\u{180f}')
}

/// Control characters but for tab and ends of lines, and what is drawn as nothing: format characters
/// (general category Cf, without the few that are drawn), fillers, and tags.
fn is_invisible(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        c if c.is_control() => true,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{13430}'..='\u{13440}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e00ff}'
        | '\u{e01f0}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// A run of blanks that hides what follows it becomes one; ends of lines in it become one.
fn without_long_blanks(text: &str) -> String {
    let is_blank = |c: char| c.is_whitespace() || c == '\u{2800}';
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars() {
        if is_blank(c) {
            run.push(c);
            continue;
        }
        settle(&mut out, &mut run);
        out.push(c);
    }
    settle(&mut out, &mut run);
    out
}

fn settle(out: &mut String, run: &mut String) {
    if run.chars().count() <= LONGEST_BLANK {
        out.push_str(run);
    } else {
        out.push(if run.contains('\n') { '\n' } else { ' ' });
    }
    run.clear();
}
