//! `/reports`: the weeks that have data with what they came to, the running one on top; and one week's summary inside
//! the panel's frame, to be read, printed or taken along.

mod list;
mod sheet;

pub(crate) use list::reports;
pub(crate) use sheet::weekly;
