//! The known word that a misspelt one was probably meant to be.

/// The one of `known` that is spelt most like `word`, if one is near enough to propose.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(word);
    let allowed = (wanted.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .filter_map(|candidate| {
            let offered = plain(candidate);
            let distance = strsim::damerau_levenshtein(&wanted, &offered);
            let near = distance <= allowed && distance < offered.chars().count();
            if near {
                Some((distance, candidate))
            } else {
                begins_alike(&wanted, &offered).then_some((FAR, candidate))
            }
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Whether one word continues the other, as `jwks_uri` does `jwks`.
fn begins_alike(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    short.chars().count() >= 3 && long.starts_with(short)
}

/// Case and separators are what people mistake first: they cost nothing.
fn plain(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// Behind every real distance.
const FAR: usize = usize::MAX;

#[cfg(test)]
mod tests;
