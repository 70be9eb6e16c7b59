//! Words of the two small languages in a profile: `calc` and `when`.

use std::ops::Range;

/// Longest expression or guard in bytes; longer ones are a mistake, and the parsers recurse.
pub(super) const LONGEST: usize = 1_000;

/// Deepest nesting of parentheses, calls and `not`.
pub(super) const DEEPEST: usize = 32;

/// A word of the language.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A number, sign not included.
    Number(f64),
    /// A metric, a function, or one of `and`, `or`, `not`.
    Name(String),
    /// A word in single quotes.
    Word(String),
    /// An operator or parenthesis.
    Symbol(&'static str),
    /// The end of the text.
    End,
}

impl Token {
    /// As it is shown in an error.
    pub(super) fn shown(&self) -> String {
        match self {
            Token::Number(number) => format!("`{number}`"),
            Token::Name(name) => format!("`{name}`"),
            Token::Word(word) => format!("`'{word}'`"),
            Token::Symbol(symbol) => format!("`{symbol}`"),
            Token::End => "the end".into(),
        }
    }
}

/// What is wrong with an expression or a guard, and where in its text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) what: String,
    pub(super) hint: Option<String>,
    pub(super) span: Range<usize>,
}

impl Fault {
    pub(super) fn new(what: impl Into<String>, span: Range<usize>) -> Fault {
        Fault { what: what.into(), hint: None, span }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Fault {
        self.hint = Some(hint.into());
        self
    }
}

/// The symbols, longer ones before those they begin with.
const SYMBOLS: [&str; 13] = ["==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "(", ")", ","];

/// Cuts `text` into its words.
pub(super) fn lex(text: &str) -> Result<Vec<(Token, Range<usize>)>, Fault> {
    if text.len() > LONGEST {
        return Err(Fault::new(format!("longer than {LONGEST} bytes"), 0..text.len()));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (token, length) = if first.is_ascii_whitespace() {
            at += 1;
            continue;
        } else if first.is_ascii_digit() {
            number(rest, at)?
        } else if first.is_ascii_lowercase() {
            let length = name_length(rest.as_bytes());
            (Token::Name(rest[..length].to_owned()), length)
        } else if first == '\'' {
            match rest[1..].find('\'') {
                Some(end) => (Token::Word(rest[1..=end].to_owned()), end + 2),
                None => return Err(Fault::new("this quote is never closed", at..text.len())),
            }
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            (Token::Symbol(symbol), symbol.len())
        } else {
            return Err(unexpected(first, at));
        };
        tokens.push((token, at..at + length));
        at += length;
    }
    tokens.push((Token::End, text.len()..text.len()));
    Ok(tokens)
}

fn unexpected(first: char, at: usize) -> Fault {
    let fault = Fault::new(format!("`{first}` has no meaning here"), at..at + first.len_utf8());
    match first {
        '=' => fault.hint("equality is written `==`"),
        '&' => fault.hint("write `and`"),
        '|' => fault.hint("write `or`"),
        '"' => fault.hint("words stand in single quotes: 'up'"),
        '!' => fault.hint("write `not`"),
        _ => fault,
    }
}

fn number(rest: &str, at: usize) -> Result<(Token, usize), Fault> {
    let length = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    match rest[..length].parse() {
        Ok(number) => Ok((Token::Number(number), length)),
        Err(_) => Err(Fault::new(format!("`{}` is no number", &rest[..length]), at..at + length)),
    }
}

/// A name goes on over `-` and `.` only where a letter or digit follows directly, so that `a.b-c` is one name and
/// `a.b - c` a subtraction.
fn name_length(bytes: &[u8]) -> usize {
    let part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut at = 0;
    while at < bytes.len() {
        let joined = matches!(bytes[at], b'-' | b'.') && bytes.get(at + 1).is_some_and(|b| part(*b));
        if !part(bytes[at]) && !joined {
            break;
        }
        at += 1;
    }
    at
}

/// Reads the words one after the other.
pub(super) struct Tokens {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
}

impl Tokens {
    pub(super) fn of(text: &str) -> Result<Tokens, Fault> {
        Ok(Tokens { tokens: lex(text)?, at: 0, depth: 0 })
    }

    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.tokens[self.at].1.clone()
    }

    /// The next word; the end is given again and again.
    pub(super) fn next(&mut self) -> (Token, Range<usize>) {
        let token = self.tokens[self.at].clone();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        token
    }

    pub(super) fn take(&mut self, symbol: &str) -> bool {
        let there = matches!(self.peek(), Token::Symbol(s) if *s == symbol);
        if there {
            self.next();
        }
        there
    }

    pub(super) fn take_name(&mut self, name: &str) -> bool {
        let there = matches!(self.peek(), Token::Name(n) if n == name);
        if there {
            self.next();
        }
        there
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Result<Range<usize>, Fault> {
        let span = self.span();
        if self.take(symbol) {
            return Ok(span);
        }
        Err(self.unexpected(&format!("`{symbol}`")))
    }

    pub(super) fn expect_end(&self) -> Result<(), Fault> {
        match self.peek() {
            Token::End => Ok(()),
            _ => Err(self.unexpected("an operator or the end")),
        }
    }

    pub(super) fn unexpected(&self, expected: &str) -> Fault {
        let found = self.peek().shown();
        Fault::new(format!("{expected} is expected, {found} was found"), self.span())
    }

    /// Runs `inner` one level deeper.
    pub(super) fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Tokens) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.depth >= DEEPEST {
            return Err(Fault::new(format!("nested deeper than {DEEPEST}"), self.span()));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }
}
