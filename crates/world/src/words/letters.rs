//! Characters with a part of their own in the normal form.

/// Marks that people and keyboards put where an apostrophe belongs.
pub(super) fn is_apostrophe(c: char) -> bool {
    matches!(
        c,
        '\'' | '`'
            | '\u{00b4}'
            | '\u{02b9}'
            | '\u{02bb}'
            | '\u{02bc}'
            | '\u{02bd}'
            | '\u{02c8}'
            | '\u{02ca}'
            | '\u{02cb}'
            | '\u{055a}'
            | '\u{05f3}'
            | '\u{07f4}'
            | '\u{07f5}'
            | '\u{1fbd}'
            | '\u{1fbf}'
            | '\u{1ffd}'
            | '\u{1ffe}'
            | '\u{2018}'
            | '\u{2019}'
            | '\u{201a}'
            | '\u{201b}'
            | '\u{2032}'
            | '\u{2035}'
            | '\u{a78b}'
            | '\u{a78c}'
            | '\u{ff07}'
            | '\u{ff40}'
    )
}

/// Characters that show nothing: control and format characters (Unicode general categories Cc and
/// Cf) and the other default ignorable ones, blanks excepted.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{00ad}'
                | '\u{034f}'
                | '\u{0600}'..='\u{0605}'
                | '\u{061c}'
                | '\u{06dd}'
                | '\u{070f}'
                | '\u{0890}'..='\u{0891}'
                | '\u{08e2}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1345f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// The plain spelling of a small letter whose stroke, hook or ligature no decomposition takes off.
pub(super) fn without_stroke(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{00df}' => "ss",
        '\u{00e6}' => "ae",
        '\u{00f0}' | '\u{0111}' | '\u{0257}' => "d",
        '\u{00f8}' => "o",
        '\u{00fe}' => "th",
        '\u{0127}' => "h",
        '\u{0131}' | '\u{0268}' => "i",
        '\u{0142}' | '\u{019a}' => "l",
        '\u{014b}' => "n",
        '\u{0153}' => "oe",
        '\u{0167}' => "t",
        '\u{0180}' | '\u{0253}' => "b",
        '\u{01b6}' => "z",
        '\u{0199}' => "k",
        _ => return None,
    })
}
