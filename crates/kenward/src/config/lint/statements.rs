//! What policies say of learning, as far as their text alone tells it.
//!
//! Nothing is decided by this: it is for warnings.

/// One policy of Cedar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) permits: bool,
    /// Whether it can be about `learn`.
    pub(super) is_on_learn: bool,
    /// Whether it looks at the family or the attribute.
    narrows: bool,
    texts: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

impl Statement {
    /// Whether it speaks about something that is called by one of `names`: an attribute and its
    /// family.
    pub(super) fn speaks_of(&self, names: &[&str]) -> bool {
        self.is_on_learn
            && (!self.narrows || self.texts.iter().any(|text| names.contains(&text.as_str())))
    }

    fn of(tokens: &[Token]) -> Option<Self> {
        let begins = tokens.windows(2).position(|pair| match pair {
            [Token::Word(word), Token::Sign('(')] => matches!(word.as_str(), "permit" | "forbid"),
            _ => false,
        })?;
        let rest = tokens.get(begins..)?;
        let texts = rest.iter().filter_map(|token| match token {
            Token::Text(text) => Some(text.clone()),
            Token::Word(_) | Token::Sign(_) => None,
        });
        let narrows = rest.iter().any(|token| match token {
            Token::Word(word) | Token::Text(word) => {
                matches!(word.as_str(), "family" | "attribute")
            }
            Token::Sign(_) => false,
        });
        Some(Self {
            permits: rest.first() == Some(&Token::Word("permit".to_owned())),
            is_on_learn: is_on_learn(rest),
            narrows,
            texts: texts.collect(),
        })
    }
}

/// Whether the scope leaves room for `learn`.
fn is_on_learn(tokens: &[Token]) -> bool {
    let action = Token::Word("action".to_owned());
    let Some(begins) = tokens.iter().position(|token| *token == action) else { return false };
    let mut depth = 0_usize;
    let mut is_first = true;
    for token in tokens.iter().skip(begins + 1) {
        match token {
            Token::Sign(',' | ')') if is_first => return true,
            Token::Sign('[') => depth += 1,
            Token::Sign(']') => depth = depth.saturating_sub(1),
            Token::Sign(',' | ')') if depth == 0 => return false,
            Token::Text(text) if text == "learn" => return true,
            Token::Text(_) | Token::Word(_) | Token::Sign(_) => {}
        }
        is_first = false;
    }
    false
}

/// Every policy of a text in Cedar's syntax.
pub(super) fn statements(text: &str) -> Vec<Statement> {
    let tokens = tokens(text);
    let all = tokens.split(|token| *token == Token::Sign(';'));
    all.filter_map(Statement::of).collect()
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '/' if rest.peek() == Some(&'/') => {
                rest.by_ref().find(|c| *c == '\n');
            }
            '"' => tokens.push(Token::Text(quoted(&mut rest))),
            c if c.is_whitespace() => {}
            c if c.is_alphanumeric() || c == '_' => {
                let mut word = String::from(c);
                while let Some(next) = rest.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
            c => tokens.push(Token::Sign(c)),
        }
    }
    tokens
}

/// The rest of a string; what an escape stands for does not matter.
fn quoted(rest: &mut impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    while let Some(c) = rest.next() {
        match c {
            '"' => break,
            '\\' => text.extend(rest.next()),
            c => text.push(c),
        }
    }
    text
}
