//! What fits the form and what does not; that its texts come back; that amendments never touch the original.

use super::*;
use crate::fault::{FaultId, FaultNumber};
use crate::rule::Severity;
use proptest::prelude::*;

/// 2026-11-18 06:03 UTC.
const T0: i64 = 1_794_981_780_000;

fn least() -> Vec<(Field, String)> {
    let at = |n: i64| (T0 + n * 60_000).to_string();
    [
        (Field::Kind, "corrective".to_owned()),
        (Field::Devices, "rt-1\t核心路由器\t华为 VRP\t1F 机房".to_owned()),
        (Field::Reported, at(0)),
        (Field::Restored, at(90)),
        (Field::Symptom, "板卡温度高".to_owned()),
        (Field::Process, "更换风扇\n\n\n 清洁滤网 ".to_owned()),
        (Field::Engineer, "王工".to_owned()),
    ]
    .to_vec()
}

fn with(field: Field, text: &str) -> Result<Content, Vec<Wrong>> {
    let mut fields = least();
    fields.retain(|(known, _)| *known != field);
    fields.push((field, text.to_owned()));
    Content::read(fields.iter().map(|(field, text)| (*field, &**text)))
}

fn record() -> Record {
    Record {
        number: RecordNumber { year: 2026, sequence: 42 },
        at: Wall(T0 + 7_200_000),
        by: "panel".into(),
        original: with(Field::Cause, "风扇损坏").unwrap(),
        amendments: Vec::new(),
    }
}

#[test]
fn numbers_are_written_and_read() {
    let number = RecordNumber { year: 2026, sequence: 42 };
    assert_eq!(number.to_string(), "M-2026-0042");
    for (text, read) in [
        ("M-2026-0042", Some(number)),
        ("m-2026-42", Some(number)),
        ("M-2026-12345", Some(RecordNumber { year: 2026, sequence: 12_345 })),
        ("M-2026-0", None),
        ("F-2026-0042", None),
        ("M-2026", None),
        ("M-2026-+42", None),
        ("M-99999-1", None),
        ("M--", None),
        ("", None),
    ] {
        assert_eq!(RecordNumber::parse(text), read, "{text}");
    }
}

#[test]
fn what_does_not_fit_names_its_field() {
    let long = "长".repeat(1_001);
    let parts: String = (0..21).map(|n| format!("part {n}\t\t\n")).collect();
    let cases: &[(Field, &str, Why)] = &[
        (Field::Kind, "", Why::Missing),
        (Field::Kind, "repair", Why::UnknownWord),
        (Field::Devices, "", Why::Missing),
        (Field::Devices, "rt-1", Why::NotAnEntry),
        (Field::Symptom, " \u{200b} ", Why::Missing),
        (Field::Symptom, &long, Why::TooLong { most: 1_000 }),
        (Field::Process, "", Why::Missing),
        (Field::Engineer, "", Why::Missing),
        (Field::Engineer, &long, Why::TooLong { most: LONGEST_NAME }),
        (Field::Level, "indeterminate", Why::UnknownWord),
        (Field::Warranty, "maybe", Why::UnknownWord),
        (Field::Satisfaction, "great", Why::UnknownWord),
        (Field::Reported, "yesterday", Why::NotATime),
        (Field::Reported, "0", Why::NotATime),
        (Field::Arrived, "1794981779999", Why::Before(Field::Reported)),
        (Field::Restored, "1794981779999", Why::Before(Field::Reported)),
        (Field::Cost, "-1", Why::NotMoney),
        (Field::Cost, "1.005", Why::NotMoney),
        (Field::Cost, "1e3", Why::NotMoney),
        (Field::Cost, "100000000", Why::NotMoney),
        (Field::Parts, "\tA1\tB2", Why::NotAnEntry),
        (Field::Parts, &parts, Why::TooMany { most: 20 }),
        (Field::Faults, "x\t2026\t1", Why::NotAnEntry),
    ];
    for (field, text, why) in cases {
        let wrong = with(*field, text).unwrap_err();
        assert_eq!(wrong, [Wrong { field: *field, why: *why }], "{field:?} {text:.20}");
        let said = wrong[0].text();
        assert!(said.zh.contains(&*field.name().zh) && said.zh.ends_with('。'), "{}", said.zh);
        assert!(said.en.contains(&*field.name().en) && said.en.ends_with('.'), "{}", said.en);
    }
    let all = Content::read([]).unwrap_err();
    let fields: Vec<Field> = all.iter().map(|wrong| wrong.field).collect();
    assert_eq!(fields, [Field::Kind, Field::Process, Field::Engineer]);
    let mut spare = least();
    spare[0].1 = "spare".to_owned();
    let wrong = Content::read(spare.iter().map(|(f, t)| (*f, &**t))).unwrap_err();
    assert_eq!(wrong, [Wrong { field: Field::Parts, why: Why::Missing }]);
}

#[test]
fn what_fits_is_kept_as_people_meant_it() {
    let content =
        with(Field::Parts, "风扇\t21023598\t21024411\n\n风扇\t21023598\t21024411\nSFP\t\t").unwrap();
    assert_eq!(content.parts.len(), 2, "named twice is named once");
    assert_eq!(&*content.process, "更换风扇\n\n清洁滤网");
    assert_eq!(with(Field::Cost, "1280.5").unwrap().cost, Some(Money(128_050)));
    assert_eq!(with(Field::Cost, "0").unwrap().text(Field::Cost), "0.00");
    assert_eq!(with(Field::Level, "major").unwrap().level, Some(Severity::Major));
    let fault = FaultRef { id: FaultId(7), number: FaultNumber { year: 2026, sequence: 123 } };
    assert_eq!(with(Field::Faults, "7\t2026\t123").unwrap().faults, [fault]);
    for (kind, devices) in [("preventive", ""), ("inspection", ""), ("change", "")] {
        let mut fields = least();
        (fields[0].1, fields[1].1) = (kind.to_owned(), devices.to_owned());
        assert!(Content::read(fields.iter().map(|(f, t)| (*f, &**t))).is_ok(), "{kind} needs no device");
    }
}

#[test]
fn amendments_fold_in_order_and_the_original_stays() {
    let mut record = record();
    let original = record.original.clone();
    let correct = |field, value: &str| Correction::new(field, value, "笔误", "李工").unwrap();
    for (field, value) in [(Field::Cause, "轴承磨损"), (Field::Cost, "300"), (Field::Cause, "滤网堵塞")]
    {
        let change = correct(field, value);
        let after = record.amended(&change).unwrap();
        record.amendments.push(Amendment { at: record.at, by: "panel".into(), change });
        assert_eq!(record.current(), after);
    }
    assert_eq!(record.original, original);
    let now = record.current();
    assert_eq!((&*now.cause, now.cost), ("滤网堵塞", Some(Money(30_000))));
    let refused = |field, value: &str| match record.amended(&correct(field, value)) {
        Err(Refusal::Wrong(wrong)) => (wrong[0].field, wrong[0].why),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(Field::Cause, " 滤网堵塞"), (Field::Cause, Why::Unchanged));
    assert_eq!(refused(Field::Engineer, ""), (Field::Engineer, Why::Missing));
    let late = (T0 - 60_000).to_string();
    assert_eq!(refused(Field::Restored, &late), (Field::Restored, Why::Before(Field::Reported)));
    assert_eq!(refused(Field::Reason, "x"), (Field::Reason, Why::Unknown));
    assert_eq!(record.happened(&now), Wall(T0));
}

#[test]
fn an_amendment_needs_a_reason_and_a_name() {
    let wrong = Correction::new(Field::Cause, "x", " ", "").unwrap_err();
    let fields: Vec<Field> = wrong.iter().map(|w| w.field).collect();
    assert_eq!(fields, [Field::Reason, Field::Author]);
    assert!(Correction::new(Field::Cause, "x", &"长".repeat(301), "李").is_err());
    let mut full = record();
    let change = Correction::new(Field::Cause, "x", "r", "a").unwrap();
    let amendment = Amendment { at: full.at, by: "panel".into(), change: change.clone() };
    full.amendments = vec![amendment; MOST_AMENDMENTS];
    assert_eq!(full.amended(&change), Err(Refusal::TooManyAmendments));
}

proptest! {
    /// Whatever is accepted has one text, which gives the same value again, bounded and without hidden characters.
    #[test]
    fn every_text_that_is_accepted_comes_back(at in 0..Field::ALL.len(), text in any_text()) {
        let field = Field::ALL[at];
        let mut content = Content::default();
        let before = content.clone();
        match content.set(field, &text) {
            Ok(()) => {
                let kept = content.text(field);
                let mut again = Content::default();
                again.set(field, &kept).unwrap();
                prop_assert_eq!(&again, &content);
                prop_assert_eq!(again.text(field), kept.clone());
                prop_assert!(kept.chars().count() <= 20_000);
                prop_assert!(!kept.chars().any(|c| crate::text::is_hidden(c) && c != '\n' && c != '\t'));
            }
            Err(wrong) => {
                prop_assert_eq!(wrong.field, field);
                prop_assert_eq!(content, before);
            }
        }
    }

    /// Any sequence of amendments that is accepted folds to a form that is whole.
    #[test]
    fn an_accepted_history_is_always_a_whole_form(steps in prop::collection::vec((0..Field::ALL.len(), any_text()), 0..20)) {
        let mut record = record();
        let original = record.original.clone();
        for (at, text) in steps {
            let change = Correction::new(Field::ALL[at], &text, "改", "李").unwrap();
            if let Ok(after) = record.amended(&change) {
                record.amendments.push(Amendment { at: record.at, by: "panel".into(), change });
                prop_assert_eq!(record.current(), after);
            }
            prop_assert!(record.current().check().is_empty());
            prop_assert_eq!(&record.original, &original);
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,60}",
        "[a-z\t\n 所]{0,80}",
        "(preventive|corrective|major|in|fair)",
        "[0-9]{1,13}(\\.[0-9]{0,3})?",
        "([0-9]{1,4}\t[0-9]{1,4}\t[0-9]{1,4}\n?){0,22}",
        "(d[0-9]\t所\t\t\n?){0,4}",
    ]
}
