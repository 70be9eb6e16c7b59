//! `when`: under which circumstances a rule is judged.
//!
//! ```text
//! guard      = both ("or" both)*
//! both       = term ("and" term)*
//! term       = "not" term | "(" guard ")" | comparison
//! comparison = metric ("==" | "!=" | "<" | "<=" | ">" | ">=") (number | 'word')
//!            | group ".tag" ("==" | "!=") 'word'
//! ```

use super::lexer::{Fault, Token, Tokens};
use super::metric::Words;
use crate::diagnostic::did_you_mean;
use roundsman_core::model::{Kind, Model, TableIx};
use roundsman_core::rule::{Comparison, Guard, Literal};
use std::ops::Range;
use std::sync::Arc;

/// What a guard may speak of.
pub(super) struct Scope<'a> {
    pub(super) model: &'a Model,
    /// The words of each state metric.
    pub(super) words: &'a Words,
    /// The table of the metric that the rule looks at; a guard reads the same row, or scalars.
    pub(super) table: Option<TableIx>,
}

/// Parses and checks `text`.
pub(super) fn parse(text: &str, scope: &Scope<'_>) -> Result<Guard, Fault> {
    let mut tokens = Tokens::of(text)?;
    let guard = either(&mut tokens, scope)?;
    tokens.expect_end()?;
    Ok(guard)
}

fn either(tokens: &mut Tokens, scope: &Scope<'_>) -> Result<Guard, Fault> {
    let mut left = both(tokens, scope)?;
    while tokens.take_name("or") {
        left = Guard::Or(Box::new(left), Box::new(both(tokens, scope)?));
    }
    Ok(left)
}

fn both(tokens: &mut Tokens, scope: &Scope<'_>) -> Result<Guard, Fault> {
    let mut left = term(tokens, scope)?;
    while tokens.take_name("and") {
        left = Guard::And(Box::new(left), Box::new(term(tokens, scope)?));
    }
    Ok(left)
}

fn term(tokens: &mut Tokens, scope: &Scope<'_>) -> Result<Guard, Fault> {
    if tokens.take_name("not") {
        let inner = tokens.deeper(|tokens| term(tokens, scope))?;
        return Ok(Guard::Not(Box::new(inner)));
    }
    if tokens.take("(") {
        let inner = tokens.deeper(|tokens| either(tokens, scope))?;
        tokens.expect(")")?;
        return Ok(inner);
    }
    if !matches!(tokens.peek(), Token::Name(_)) {
        return Err(tokens.unexpected("a metric, `not` or `(`"));
    }
    let (token, at) = tokens.next();
    let Token::Name(name) = token else {
        return Err(Fault::new("a metric is expected", at));
    };
    let comparison = comparison(tokens)?;
    let (literal, literal_at) = literal(tokens)?;
    match name.split_once('.') {
        Some((group, "tag")) if scope.model.metric(&name).is_none() => {
            tag(group, &at, comparison, literal, literal_at, scope)
        }
        _ => metric(&name, &at, comparison, literal, literal_at, scope),
    }
}

fn comparison(tokens: &mut Tokens) -> Result<Comparison, Fault> {
    let comparison = match tokens.peek() {
        Token::Symbol("==") => Comparison::Equal,
        Token::Symbol("!=") => Comparison::NotEqual,
        Token::Symbol("<") => Comparison::Less,
        Token::Symbol("<=") => Comparison::LessOrEqual,
        Token::Symbol(">") => Comparison::Greater,
        Token::Symbol(">=") => Comparison::GreaterOrEqual,
        _ => return Err(tokens.unexpected("a comparison (`==`, `!=`, `<`, `<=`, `>`, `>=`)")),
    };
    tokens.next();
    Ok(comparison)
}

fn literal(tokens: &mut Tokens) -> Result<(Literal, Range<usize>), Fault> {
    let start = tokens.span().start;
    let negative = tokens.take("-");
    let literal = match tokens.peek() {
        Token::Number(number) => Literal::Number(if negative { -number } else { *number }),
        Token::Word(word) if !negative => Literal::Word(Arc::from(word.as_str())),
        _ => return Err(tokens.unexpected("a number or a word in single quotes")),
    };
    let (_, span) = tokens.next();
    Ok((literal, start..span.end))
}

fn tag(
    group: &str,
    at: &Range<usize>,
    comparison: Comparison,
    literal: Literal,
    literal_at: Range<usize>,
    scope: &Scope<'_>,
) -> Result<Guard, Fault> {
    let table = scope.model.tables.iter().position(|t| &*t.group == group);
    if table.is_none() || table != scope.table.map(TableIx::at) {
        let what = format!("`{group}.tag` is not of the table that this rule looks at");
        return Err(Fault::new(what, at.clone()));
    }
    match (comparison, literal) {
        (Comparison::Equal | Comparison::NotEqual, Literal::Word(word)) => Ok(Guard::Tag(comparison, word)),
        _ => Err(Fault::new("a tag is compared with a word by `==` or `!=`", literal_at)),
    }
}

fn metric(
    name: &str,
    at: &Range<usize>,
    comparison: Comparison,
    literal: Literal,
    literal_at: Range<usize>,
    scope: &Scope<'_>,
) -> Result<Guard, Fault> {
    let Some(found) = scope.model.metric(name) else {
        let mut fault = Fault::new(format!("no metric is called `{name}`"), at.clone());
        fault.hint = did_you_mean(name, scope.model.metrics.iter().map(|m| &*m.name));
        return Err(fault);
    };
    let metric = &scope.model.metrics[found.at()];
    if metric.table.is_some() && metric.table != scope.table {
        let what = format!("`{name}` is not of the table that this rule looks at");
        return Err(Fault::new(what, at.clone()).hint("a guard reads the same row, or a scalar"));
    }
    let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    match (metric.kind, &literal) {
        (Kind::Gauge | Kind::Counter, Literal::Number(_)) => {}
        (Kind::Text, Literal::Word(_)) if equality => {}
        (Kind::State, Literal::Word(word)) if equality => {
            let words = scope.words.of(found);
            if !words.iter().any(|known| known == word) {
                let mut fault = Fault::new(format!("`{name}` is never '{word}'"), literal_at);
                fault.hint = did_you_mean(word, words.iter().map(|w| &**w));
                return Err(fault);
            }
        }
        (Kind::Gauge | Kind::Counter, _) => {
            return Err(Fault::new(format!("`{name}` is a number, not a word"), literal_at));
        }
        _ => {
            let what = format!("`{name}` is compared with a word by `==` or `!=`");
            return Err(Fault::new(what, literal_at));
        }
    }
    Ok(Guard::Metric(found, comparison, literal))
}
