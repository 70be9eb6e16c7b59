//! What one poll brought back, raw: no scaling, no labels, no judgement.
//!
//! Index arcs and octet strings lie in two arenas of the answer, so that a varbind costs no allocation.

use roundsman_core::reading::Absence;
use roundsman_core::tally::Cost;

/// A stretch of the answer's arcs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arcs {
    start: u32,
    len: u32,
}

/// A stretch of the answer's octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Octets {
    start: u32,
    len: u32,
}

/// A raw SMI value (RFC 2578 section 7.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Raw {
    /// INTEGER, Integer32.
    Integer(i64),
    /// Counter32.
    Counter32(u32),
    /// Gauge32, Unsigned32.
    Gauge32(u32),
    /// TimeTicks, 1/100 s.
    TimeTicks(u32),
    /// Counter64.
    Counter64(u64),
    /// OCTET STRING, Opaque.
    Octets(Octets),
    /// OBJECT IDENTIFIER.
    Oid(Arcs),
    /// IpAddress.
    Address([u8; 4]),
    /// NULL; some agents send it for "no value".
    Null,
}

/// One cell of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// The arcs behind the column's identifier.
    pub index: Arcs,
    /// The value.
    pub raw: Raw,
}

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its cells in the order of their index.
    pub cells: Vec<Cell>,
    /// `Ok` if it was walked to its end; else why it was not, and `cells` holds what came before.
    pub end: Result<(), Absence>,
    /// Which of the plan's alternatives was used.
    pub alternative: u8,
}

impl Default for Column {
    fn default() -> Column {
        Column { cells: Vec::new(), end: Err(Absence::Timeout), alternative: 0 }
    }
}

/// One table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Columns in the order of the plan.
    pub columns: Vec<Column>,
}

/// The answer to one [`Plan`](super::plan::Plan).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Whether any valid reply came back: that alone proves the agent alive.
    pub answered: bool,
    /// Scalars in the order of the plan.
    pub scalars: Vec<Result<Raw, Absence>>,
    /// Tables in the order of the plan.
    pub tables: Vec<Table>,
    /// What it cost.
    pub cost: Cost,
    arcs: Vec<u32>,
    octets: Vec<u8>,
}

/// Cells copied out of an answer.
#[derive(Clone, Debug, Default)]
pub struct Copied {
    cells: Vec<Cell>,
    /// Holds their arcs and strings.
    own: Answer,
}

impl Answer {
    /// Most octets of strings one answer keeps; a string past it is dropped and its cell is `malformed`.
    pub const MOST_OCTETS: usize = 4 << 20;
    /// Most arcs one answer should keep, 4 MiB: 8,000 rows of ten columns with an index of 12 arcs. A poll past it is
    /// ended, its open columns `malformed`.
    pub const MOST_ARCS: usize = 1 << 20;
    /// Most cells one column keeps; its end is `malformed` past it.
    pub const MOST_CELLS: usize = 8192;

    /// An empty answer of the shape of `plan`, everything `timeout`.
    pub fn unanswered(plan: &super::plan::Plan) -> Answer {
        Answer {
            scalars: vec![Err(Absence::Timeout); plan.scalars.len()],
            tables: plan
                .tables
                .iter()
                .map(|table| Table { columns: vec![Column::default(); table.columns.len()] })
                .collect(),
            ..Answer::default()
        }
    }

    /// Makes room for what a device of known size will bring: `arcs` and `octets` more.
    pub fn reserve(&mut self, arcs: usize, octets: usize) {
        self.arcs.reserve(arcs);
        self.octets.reserve(octets.min(Answer::MOST_OCTETS));
    }

    /// Whether it holds as many arcs as it should.
    pub fn is_full(&self) -> bool {
        self.arcs.len() >= Answer::MOST_ARCS
    }

    /// Keeps arcs.
    pub fn keep_arcs(&mut self, arcs: &[u32]) -> Arcs {
        let start = self.arcs.len() as u32;
        self.arcs.extend_from_slice(arcs);
        Arcs { start, len: arcs.len() as u32 }
    }

    /// Keeps octets; `None` past [`Answer::MOST_OCTETS`].
    pub fn keep_octets(&mut self, octets: &[u8]) -> Option<Octets> {
        if self.octets.len() + octets.len() > Answer::MOST_OCTETS {
            return None;
        }
        let start = self.octets.len() as u32;
        self.octets.extend_from_slice(octets);
        Some(Octets { start, len: octets.len() as u32 })
    }

    /// A copy of cells of this answer that stands by itself.
    pub fn copy(&self, cells: &[Cell]) -> Copied {
        let mut copied = Copied::default();
        copied.cells.reserve_exact(cells.len());
        for cell in cells {
            let index = copied.own.keep_arcs(self.arcs(cell.index));
            let raw = match cell.raw {
                Raw::Oid(arcs) => Raw::Oid(copied.own.keep_arcs(self.arcs(arcs))),
                Raw::Octets(octets) => match copied.own.keep_octets(self.octets(octets)) {
                    Some(octets) => Raw::Octets(octets),
                    None => Raw::Null,
                },
                plain => plain,
            };
            copied.cells.push(Cell { index, raw });
        }
        copied.own.arcs.shrink_to_fit();
        copied.own.octets.shrink_to_fit();
        copied
    }

    /// Takes over the arcs and strings of copied cells, and gives the cells as they are here; `None` where there is no
    /// room for their strings.
    pub fn adopt<'a>(&mut self, copied: &'a Copied) -> Option<impl Iterator<Item = Cell> + use<'a>> {
        let (arcs, octets) = (self.arcs.len() as u32, self.octets.len() as u32);
        if self.octets.len() + copied.own.octets.len() > Answer::MOST_OCTETS {
            return None;
        }
        self.arcs.extend_from_slice(&copied.own.arcs);
        self.octets.extend_from_slice(&copied.own.octets);
        Some(copied.cells.iter().map(move |cell| Cell {
            index: Arcs { start: cell.index.start + arcs, ..cell.index },
            raw: match cell.raw {
                Raw::Oid(own) => Raw::Oid(Arcs { start: own.start + arcs, ..own }),
                Raw::Octets(own) => Raw::Octets(Octets { start: own.start + octets, ..own }),
                plain => plain,
            },
        }))
    }

    /// The arcs of a cell's index or of an OID value of this answer; empty for those of another answer.
    pub fn arcs(&self, arcs: Arcs) -> &[u32] {
        self.arcs.get(arcs.start as usize..arcs.start as usize + arcs.len as usize).unwrap_or(&[])
    }

    /// The octets of a string of this answer; empty for those of another answer.
    pub fn octets(&self, octets: Octets) -> &[u8] {
        self.octets.get(octets.start as usize..octets.start as usize + octets.len as usize).unwrap_or(&[])
    }
}
