//! Text in the users' two languages.

use crate::reading::Value;
use std::sync::Arc;

/// One sentence in Chinese and in English.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bilingual {
    /// Chinese, the users' first language.
    pub zh: Arc<str>,
    /// English.
    pub en: Arc<str>,
}

impl Bilingual {
    /// Both languages at once.
    pub fn new(zh: impl Into<Arc<str>>, en: impl Into<Arc<str>>) -> Bilingual {
        Bilingual { zh: zh.into(), en: en.into() }
    }
}

/// A language of the surface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Simplified Chinese (zh-CN).
    #[default]
    Chinese,
    /// English.
    English,
}

impl Bilingual {
    /// The text in `language`.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::Chinese => &self.zh,
            Language::English => &self.en,
        }
    }
}

/// A UCUM unit as people write it: `Cel` is ℃, `By` is B; others as they are.
pub fn unit(ucum: &str) -> &str {
    match ucum {
        "Cel" => "℃",
        "By" => "B",
        "1" => "",
        other => other,
    }
}

/// A value as people read it: numbers with at most three significant decimals, words as they are.
pub fn value(value: &Value) -> String {
    match value {
        Value::Number(x) if x.fract() == 0.0 && x.abs() < 1e15 => format!("{x:.0}"),
        Value::Number(x) if x.abs() >= 100.0 => format!("{x:.0}"),
        Value::Number(x) if x.abs() >= 1.0 => format!("{x:.1}"),
        Value::Number(x) => format!("{x:.3}"),
        Value::Counter32(x) => x.to_string(),
        Value::Counter64(x) => x.to_string(),
        Value::State(word) | Value::Text(word) => word.to_string(),
    }
}
