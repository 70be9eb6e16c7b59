//! `calc`: the arithmetic of derived metrics.
//!
//! ```text
//! sum     = product (("+" | "-") product)*
//! product = factor (("*" | "/") factor)*
//! factor  = number | "-" factor | "(" sum ")" | metric | function "(" sum ("," sum)* ")"
//! ```
//! Functions: `min`, `max` (of two or more values, or over one column), `sum` (over a column), `rate` (of a counter),
//! `restarted` (of `system.uptime`), `line` (of a column of speeds), `dew-point` (of temperature and relative humidity),
//! `hourly-change` (of a scalar gauge).

use super::lexer::{Fault, Token, Tokens};
use crate::diagnostic::did_you_mean;
use roundsman_core::derive::{Expression, Operator};
use roundsman_core::model::{Kind, Metric, MetricIx, TableIx};
use std::ops::Range;

const FUNCTIONS: [&str; 8] = ["min", "max", "sum", "rate", "restarted", "line", "dew-point", "hourly-change"];

/// A parsed expression, names not yet looked up.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Calc {
    Number(f64),
    Name(String, Range<usize>),
    Binary(Operator, Box<Calc>, Box<Calc>),
    Call(String, Range<usize>, Vec<Calc>),
}

/// Parses `text`.
pub(super) fn parse(text: &str) -> Result<Calc, Fault> {
    let mut tokens = Tokens::of(text)?;
    let calc = sum(&mut tokens)?;
    tokens.expect_end()?;
    Ok(calc)
}

fn sum(tokens: &mut Tokens) -> Result<Calc, Fault> {
    let mut left = product(tokens)?;
    loop {
        let operator = if tokens.take("+") {
            Operator::Add
        } else if tokens.take("-") {
            Operator::Subtract
        } else {
            return Ok(left);
        };
        left = Calc::Binary(operator, Box::new(left), Box::new(product(tokens)?));
    }
}

fn product(tokens: &mut Tokens) -> Result<Calc, Fault> {
    let mut left = factor(tokens)?;
    loop {
        let operator = if tokens.take("*") {
            Operator::Multiply
        } else if tokens.take("/") {
            Operator::Divide
        } else {
            return Ok(left);
        };
        left = Calc::Binary(operator, Box::new(left), Box::new(factor(tokens)?));
    }
}

fn factor(tokens: &mut Tokens) -> Result<Calc, Fault> {
    if tokens.take("-") {
        let inner = tokens.deeper(factor)?;
        return Ok(match inner {
            Calc::Number(number) => Calc::Number(-number),
            other => Calc::Binary(Operator::Subtract, Box::new(Calc::Number(0.0)), Box::new(other)),
        });
    }
    if tokens.take("(") {
        let inner = tokens.deeper(sum)?;
        tokens.expect(")")?;
        return Ok(inner);
    }
    match tokens.peek() {
        Token::Number(_) | Token::Name(_) => {}
        _ => return Err(tokens.unexpected("a number, a metric or a function")),
    }
    match tokens.next() {
        (Token::Name(name), span) if tokens.take("(") => {
            let mut arguments = vec![tokens.deeper(sum)?];
            while tokens.take(",") {
                arguments.push(tokens.deeper(sum)?);
            }
            let end = tokens.expect(")")?.end;
            Ok(Calc::Call(name, span.start..end, arguments))
        }
        (Token::Name(name), span) => Ok(Calc::Name(name, span)),
        (Token::Number(number), _) => Ok(Calc::Number(number)),
        (_, span) => Err(Fault::new("a number, a metric or a function is expected", span)),
    }
}

impl Calc {
    /// The names of all metrics it reads.
    pub(super) fn reads(&self, names: &mut Vec<String>) {
        match self {
            Calc::Number(_) => {}
            Calc::Name(name, _) => names.push(name.clone()),
            Calc::Binary(_, left, right) => {
                left.reads(names);
                right.reads(names);
            }
            Calc::Call(_, _, arguments) => arguments.iter().for_each(|a| a.reads(names)),
        }
    }
}

/// Looks up names and checks kinds. After [`Resolver::expression`] `table` says which table the result belongs to.
pub(super) struct Resolver<'a> {
    /// Metrics known so far: everything read from the device and the derived ones computed before.
    pub(super) metrics: &'a [Metric],
    /// The table whose rows the expression is computed for; `None` for a scalar.
    pub(super) table: Option<TableIx>,
}

impl Resolver<'_> {
    fn find(&self, name: &str, span: &Range<usize>) -> Result<MetricIx, Fault> {
        if let Some(at) = self.metrics.iter().position(|m| &*m.name == name) {
            return Ok(MetricIx(at as u16));
        }
        let mut fault = Fault::new(format!("no metric is called `{name}`"), span.clone());
        fault.hint = did_you_mean(name, self.metrics.iter().map(|m| &*m.name));
        Err(fault)
    }

    /// A metric read row by row: it says which table the result belongs to.
    fn row(&mut self, metric: MetricIx, span: &Range<usize>) -> Result<(), Fault> {
        match (self.metrics[metric.at()].table, self.table) {
            (Some(new), Some(known)) if new != known => {
                Err(Fault::new("columns of two tables cannot be combined row by row", span.clone())
                    .hint("take sum(), min() or max() over one of them"))
            }
            (Some(new), _) => {
                self.table = Some(new);
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }

    fn numeric(&self, metric: MetricIx, span: &Range<usize>) -> Result<(), Fault> {
        let Metric { name, kind, .. } = &self.metrics[metric.at()];
        match kind {
            Kind::Gauge | Kind::Counter => Ok(()),
            Kind::State | Kind::Text => {
                Err(Fault::new(format!("`{name}` is no number, one cannot calculate with it"), span.clone()))
            }
        }
    }

    /// The expression of the domain.
    pub(super) fn expression(&mut self, calc: &Calc) -> Result<Expression, Fault> {
        match calc {
            Calc::Number(number) => Ok(Expression::Number(*number)),
            Calc::Name(name, span) => {
                let metric = self.find(name, span)?;
                self.numeric(metric, span)?;
                self.row(metric, span)?;
                Ok(Expression::Metric(metric))
            }
            Calc::Binary(operator, left, right) => {
                let left = self.expression(left)?;
                let right = self.expression(right)?;
                Ok(Expression::Binary(*operator, Box::new(left), Box::new(right)))
            }
            Calc::Call(name, span, arguments) => self.call(name, span, arguments),
        }
    }

    fn call(&mut self, name: &str, span: &Range<usize>, arguments: &[Calc]) -> Result<Expression, Fault> {
        match (name, arguments) {
            ("min" | "max", [_, _, ..]) => {
                let arguments: Result<Vec<_>, Fault> = arguments.iter().map(|a| self.expression(a)).collect();
                Ok(if name == "min" { Expression::Min(arguments?) } else { Expression::Max(arguments?) })
            }
            ("min" | "max" | "sum", [argument]) => {
                let metric = self.column(name, argument, span)?;
                Ok(match name {
                    "min" => Expression::MinOf(metric),
                    "max" => Expression::MaxOf(metric),
                    _ => Expression::SumOf(metric),
                })
            }
            ("rate", [Calc::Name(metric, at)]) => {
                let metric = self.find(metric, at)?;
                if self.metrics[metric.at()].kind != Kind::Counter {
                    let name = &self.metrics[metric.at()].name;
                    return Err(Fault::new(format!("rate() is of a counter, `{name}` is none"), at.clone())
                        .hint("its metric must have `kind = \"counter\"`"));
                }
                self.row(metric, at)?;
                Ok(Expression::Rate(metric))
            }
            ("restarted", [Calc::Name(metric, at)]) if metric == "system.uptime" => {
                Ok(Expression::Restarted(self.find(metric, at)?))
            }
            ("line", [argument]) => {
                let metric = self.column(name, argument, span)?;
                self.row(metric, span)?;
                Ok(Expression::LineSpeed(metric))
            }
            ("dew-point", [temperature, humidity]) => {
                let (temperature, humidity) = (self.expression(temperature)?, self.expression(humidity)?);
                Ok(Expression::DewPoint(Box::new(temperature), Box::new(humidity)))
            }
            ("hourly-change", [Calc::Name(metric, at)]) => {
                let metric = self.find(metric, at)?;
                let Metric { name, kind, table, .. } = &self.metrics[metric.at()];
                if *kind != Kind::Gauge || table.is_some() {
                    let what = format!("hourly-change() is of one gauge of the device, `{name}` is none");
                    return Err(Fault::new(what, at.clone()));
                }
                Ok(Expression::HourlyChange(metric))
            }
            ("rate" | "restarted" | "sum" | "line" | "dew-point" | "hourly-change", _) => {
                let takes = match name {
                    "dew-point" => {
                        "temperature in Cel and relative humidity in %: dew-point(temperature.value, humidity.value)"
                    }
                    "hourly-change" => "one gauge: hourly-change(temperature.value)",
                    "line" => "one column: line(interface.speed)",
                    "rate" => "one counter: rate(interface.in-octets)",
                    "restarted" => "the uptime: restarted(system.uptime)",
                    _ => "one column: sum(processor.load)",
                };
                Err(Fault::new(format!("{name}() takes {takes}"), span.clone()))
            }
            _ => {
                let mut fault = Fault::new(format!("there is no function `{name}`"), span.clone());
                fault.hint = did_you_mean(name, FUNCTIONS);
                Err(fault)
            }
        }
    }

    fn column(&self, function: &str, argument: &Calc, span: &Range<usize>) -> Result<MetricIx, Fault> {
        let Calc::Name(name, at) = argument else {
            return Err(Fault::new(
                format!("{function}() of one argument takes a column's name"),
                span.clone(),
            ));
        };
        let metric = self.find(name, at)?;
        self.numeric(metric, at)?;
        if self.metrics[metric.at()].table.is_none() {
            let what = format!("{function}() of one argument goes over a column, `{name}` is a scalar");
            return Err(Fault::new(what, at.clone()));
        }
        Ok(metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphens_belong_to_names_and_minus_stands_free() {
        let calc = parse("a.b-c - 1.5 * -x.y").unwrap();
        let Calc::Binary(Operator::Subtract, left, right) = calc else { panic!("{calc:?}") };
        assert_eq!(*left, Calc::Name("a.b-c".into(), 0..5));
        assert!(matches!(*right, Calc::Binary(Operator::Multiply, ..)));
    }

    #[test]
    fn errors_point_at_the_place() {
        for (text, span) in [
            ("1 +", 3..3),
            ("(1", 2..2),
            ("1 2", 2..3),
            ("a.b % 2", 4..5),
            ("min(1,)", 6..7),
            ("", 0..0),
            ("1.2.3", 0..5),
        ] {
            assert_eq!(parse(text).unwrap_err().span, span, "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "(".repeat(400) + "1" + &")".repeat(400);
        assert!(parse(&deep).unwrap_err().what.starts_with("nested deeper"));
        assert!(parse(&"-".repeat(900)).unwrap_err().what.starts_with("nested deeper"));
        assert!(parse(&"1+".repeat(900)).unwrap_err().what.starts_with("longer"));
    }
}
