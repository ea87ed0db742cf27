//! Reads a settings file into (line, name, value), in the order of the file.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::setting::Value;

/// The settings of a TOML text.
pub(super) fn settings(name: &str, text: &str) -> Result<Vec<(usize, String, Value)>, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        let problem = error.message().lines().collect::<Vec<_>>().join(", ");
        ConfigError::new(format!("{name} line {line}"), problem)
    })?;
    let mut found = Vec::new();
    collect(table.get_ref(), text, "", &mut found);
    found.sort_by_key(|(line, ..)| *line);
    Ok(found)
}

fn collect(table: &DeTable<'_>, text: &str, prefix: &str, found: &mut Vec<(usize, String, Value)>) {
    for (key, value) in table {
        let name = if prefix.is_empty() {
            key.get_ref().to_string()
        } else {
            format!("{prefix}.{}", key.get_ref())
        };
        match value.get_ref() {
            // An empty table is a section without settings, or an unknown name.
            DeValue::Table(inner) if !inner.is_empty() || is_section(&name) => {
                collect(inner, text, &name, found);
            }
            _ => found.push((line_of(text, key.span().start), name, convert(value))),
        }
    }
}

/// Whether settings begin with this name.
fn is_section(name: &str) -> bool {
    super::SETTINGS.iter().any(|setting| {
        setting
            .name
            .split_once('.')
            .is_some_and(|(section, _)| section == name)
    })
}

fn convert(value: &Spanned<DeValue<'_>>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("such a number"), Value::Number),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Array(items) => Value::List(items.iter().map(convert).collect()),
        DeValue::Float(_) => Value::Other("a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Table(_) => Value::Other("a section"),
    }
}

/// The line of a byte, from 1.
fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    before.iter().filter(|&&byte| byte == b'\n').count() + 1
}
