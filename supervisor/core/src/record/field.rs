//! The fields of a maintenance record: their names, shapes and limits, and what can be wrong with one.

use crate::device::words;
use crate::text::Bilingual;

words! {
    /// What kind of work it was.
    Kind {
        /// Planned care.
        Preventive = "preventive" "预防性维护" "Preventive maintenance",
        /// Repair of a fault.
        Corrective = "corrective" "故障维修" "Corrective maintenance",
        /// Follow-up of what a round found.
        Inspection = "inspection" "巡检整改" "Inspection follow-up",
        /// A change of configuration or cabling.
        Change = "change" "变更" "Change",
        /// A part was replaced.
        Spare = "spare" "备件更换" "Spare part replacement",
    }
}

words! {
    /// Whether the device was under warranty.
    Warranty {
        /// It was.
        In = "in" "保修期内" "In warranty",
        /// It was not.
        Out = "out" "保修期外" "Out of warranty",
    }
}

words! {
    /// What the user thought of it.
    Satisfaction {
        /// The best.
        Very = "very-satisfied" "非常满意" "Very satisfied",
        /// Good.
        Satisfied = "satisfied" "满意" "Satisfied",
        /// So-so.
        Fair = "fair" "一般" "Fair",
        /// Bad.
        Dissatisfied = "dissatisfied" "不满意" "Dissatisfied",
    }
}

words! {
    /// A field of the form, in the form's order; the last two belong to amendments.
    Field {
        /// [`Kind`].
        Kind = "kind" "类别" "Kind",
        /// How bad it was.
        Level = "level" "级别" "Level",
        /// Devices worked on.
        Devices = "devices" "设备" "Devices",
        /// Serial number of the device.
        Serial = "serial" "序列号" "Serial number",
        /// [`Warranty`].
        Warranty = "warranty" "保修" "Warranty",
        /// Faults it belongs to.
        Faults = "faults" "关联故障" "Faults",
        /// Who reported it.
        Reporter = "reporter" "报修人" "Reported by",
        /// When it was reported.
        Reported = "reported_at" "报修时间" "Reported",
        /// When somebody took it on.
        Responded = "responded_at" "响应时间" "Responded",
        /// When somebody was there.
        Arrived = "arrived_at" "到场时间" "Arrived",
        /// When it worked again.
        Restored = "restored_at" "恢复时间" "Restored",
        /// What was seen.
        Symptom = "symptom" "现象" "Symptom",
        /// Why it was so.
        Cause = "cause" "原因" "Cause",
        /// What was done.
        Process = "process" "处理过程" "Work done",
        /// Parts replaced.
        Parts = "parts" "更换件" "Replaced parts",
        /// What the test afterwards gave.
        Result = "result" "测试结果" "Test result",
        /// What is left to do.
        Remaining = "remaining" "遗留问题" "Left over",
        /// What it cost.
        Cost = "cost" "费用" "Cost",
        /// Who did the work.
        Engineer = "engineer" "工程师" "Engineer",
        /// [`Satisfaction`].
        Satisfaction = "satisfaction" "满意度" "Satisfaction",
        /// Why an amendment is made.
        Reason = "reason" "更正原因" "Reason",
        /// Who makes an amendment.
        Author = "author" "更正人" "Amended by",
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One of some words.
    Word,
    /// One line of text, at most so many characters.
    Line(usize),
    /// Several lines of text, at most so many characters.
    Paragraph(usize),
    /// A moment.
    Time,
    /// An amount of money.
    Money,
    /// Devices.
    Devices,
    /// Faults.
    Faults,
    /// Replaced parts.
    Parts,
}

impl Field {
    /// What it holds.
    pub fn shape(self) -> Shape {
        match self {
            Field::Kind | Field::Warranty | Field::Level | Field::Satisfaction => Shape::Word,
            Field::Serial => Shape::Line(60),
            Field::Reporter | Field::Engineer | Field::Author => Shape::Line(super::LONGEST_NAME),
            Field::Reported | Field::Responded | Field::Arrived | Field::Restored => Shape::Time,
            Field::Symptom | Field::Cause | Field::Result | Field::Remaining => Shape::Paragraph(1_000),
            Field::Process => Shape::Paragraph(3_000),
            Field::Reason => Shape::Line(super::LONGEST_REASON),
            Field::Cost => Shape::Money,
            Field::Devices => Shape::Devices,
            Field::Faults => Shape::Faults,
            Field::Parts => Shape::Parts,
        }
    }

    /// The fields of a record, in the form's order.
    pub fn of_record() -> impl Iterator<Item = Field> {
        Field::ALL.iter().copied().filter(|field| !matches!(field, Field::Reason | Field::Author))
    }
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Which.
    pub field: Field,
    /// What.
    pub why: Why,
}

/// Why a value does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is needed and empty.
    Missing,
    /// More characters than fit.
    TooLong {
        /// How many fit.
        most: usize,
    },
    /// More entries than fit.
    TooMany {
        /// How many fit.
        most: usize,
    },
    /// None of the words this field takes.
    UnknownWord,
    /// No moment between the years 2000 and 2100.
    NotATime,
    /// Earlier than what comes before it.
    Before(
        /// What it must not precede.
        Field,
    ),
    /// No amount with at most two decimals, from 0 to 99,999,999.99.
    NotMoney,
    /// A part without a name, or an entry that is no entry.
    NotAnEntry,
    /// Something else than text.
    NotText,
    /// A device or fault that nobody knows.
    Unknown,
    /// The same value as now.
    Unchanged,
}

impl Wrong {
    /// A sentence that names the field and says what it takes.
    pub fn text(&self) -> Bilingual {
        let name = self.field.name();
        let (zh, en) = match self.why {
            Why::Missing => ("不能为空".to_owned(), "must not be empty".to_owned()),
            Why::TooLong { most } => {
                (format!("最多 {most} 个字符"), format!("takes {most} characters at most"))
            }
            Why::TooMany { most } => (format!("最多 {most} 项"), format!("takes {most} entries at most")),
            Why::UnknownWord => ("不是可选的值".to_owned(), "is none of the words that it takes".to_owned()),
            Why::NotATime => (
                "须为 2000 年至 2100 年间的时间".to_owned(),
                "must be a time between the years 2000 and 2100".to_owned(),
            ),
            Why::Before(other) => {
                let other = other.name();
                (format!("不能早于{}", other.zh), format!("must not be before “{}”", other.en))
            }
            Why::NotMoney => (
                "须为 0 至 99999999.99 的金额，最多两位小数".to_owned(),
                "must be an amount from 0 to 99999999.99 with two decimals at most".to_owned(),
            ),
            Why::NotAnEntry => {
                ("中有一项填写不完整".to_owned(), "has an entry that is not complete".to_owned())
            }
            Why::NotText => ("须为文字".to_owned(), "must be text".to_owned()),
            Why::Unknown => {
                ("中有系统内不存在的编号".to_owned(), "names something that does not exist here".to_owned())
            }
            Why::Unchanged => ("与现有内容相同".to_owned(), "is the same as now".to_owned()),
        };
        Bilingual::new(format!("“{}”{zh}。", name.zh), format!("“{}” {en}.", name.en))
    }
}
