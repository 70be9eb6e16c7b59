//! Derived metrics: arithmetic over the readings of one poll, and rates over two.

use crate::model::MetricIx;

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`; by zero gives `invalid`.
    Divide,
}

/// How a derived metric is computed. With a missing input there is no value. In a table's derived metric a column
/// is read at the same instance and a scalar as it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A literal.
    Number(f64),
    /// A metric.
    Metric(MetricIx),
    /// Two sides and an operator.
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// The least of its arguments.
    Min(Vec<Expression>),
    /// The greatest of its arguments.
    Max(Vec<Expression>),
    /// Change per second of a counter, never negative; `first-sample` on the first poll and after a restart.
    Rate(MetricIx),
    /// 1 on the poll that finds that the device restarted since the last one, else 0 (of `system.uptime`, seconds).
    Restarted(MetricIx),
    /// Sum of a column over all its instances; gives a scalar.
    SumOf(MetricIx),
    /// Least value of a column; gives a scalar.
    MinOf(MetricIx),
    /// Greatest value of a column; gives a scalar.
    MaxOf(MetricIx),
}
