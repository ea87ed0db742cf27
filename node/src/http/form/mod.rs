//! Reads forms (JSON bodies and query strings) field by field and collects every fault with its path, in Discord's
//! codes and words. Unknown fields are ignored: clients send more than a server reads.

mod field;

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use rookery_protocol::command::Answer;
use rookery_protocol::error::{ErrorCode, FormErrors};
use serde_json::{Map, Value};

pub use self::field::Field;
use self::field::State;

/// As much of a faulty value as its fault repeats, in characters.
const ECHO_CHARS: usize = 40;

/// An object whose fields are read.
pub struct Form<'a> {
    fields: Option<&'a Map<String, Value>>,
    path: String,
    errors: &'a RefCell<FormErrors>,
}

/// Reads a form. `read` takes every field first and then puts them together with `?`: so all faults are found at once.
///
/// # Errors
/// `InvalidFormBody` with every fault.
pub fn read<T>(body: &Value, read: impl FnOnce(&Form<'_>) -> Option<T>) -> Answer<T> {
    let errors = RefCell::default();
    let form = Form {
        fields: body.as_object(),
        path: String::new(),
        errors: &errors,
    };
    let result = if form.fields.is_some() {
        read(&form)
    } else {
        form.fault("", "DICT_TYPE_CONVERT", NO_DICT);
        None
    };
    errors.into_inner().finish()?;
    result.ok_or_else(|| ErrorCode::Internal.into())
}

/// Reads a body that is a list of at most `most` forms.
///
/// # Errors
/// `InvalidFormBody` with every fault.
pub fn read_list<T>(
    body: &Value,
    most: usize,
    read: impl Fn(&Form<'_>) -> Option<T>,
) -> Answer<Vec<T>> {
    let errors = RefCell::<FormErrors>::default();
    let fault = |code: &str, message: String| errors.borrow_mut().add("", code, message);
    let mut items = Vec::new();
    match body.as_array() {
        None => fault("LIST_TYPE_CONVERT", NO_LIST.to_owned()),
        Some(list) if list.len() > most => {
            let message = format!("Must be {most} or fewer in length.");
            fault("BASE_TYPE_MAX_LENGTH", message);
        }
        Some(list) => {
            for (n, item) in list.iter().enumerate() {
                let form = Form {
                    fields: item.as_object(),
                    path: n.to_string(),
                    errors: &errors,
                };
                if form.fields.is_none() {
                    form.fault("", "DICT_TYPE_CONVERT", NO_DICT);
                } else {
                    items.extend(read(&form));
                }
            }
        }
    }
    errors.into_inner().finish()?;
    Ok(items)
}

const NO_LIST: &str = "Only iterables may be used in a ListType";
const NO_DICT: &str = "Only dictionaries may be used in a DictType";

impl<'a> Form<'a> {
    /// Records a fault of a field.
    pub fn fault(&self, key: &str, code: &str, message: impl Into<String>) {
        self.errors
            .borrow_mut()
            .add(&self.path_of(key), code, message);
    }

    /// Whether the field is there, null included.
    pub fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// A text.
    pub fn text(&self, key: &str) -> Field<'a, String> {
        self.field(key, "STRING_TYPE_CONVERT", |value| match value {
            Value::String(text) => Ok(text.clone()),
            other => Err(format!("Could not interpret {} as string.", echo(other))),
        })
    }

    /// A whole number within `range`; the texts of query strings count too.
    pub fn integer(&self, key: &str, range: RangeInclusive<u64>) -> Field<'a, u64> {
        let field = self.field(key, "NUMBER_TYPE_COERCE", |value| {
            let number = match value {
                Value::Number(number) if number.as_i64().is_some_and(|n| n < 0) => Some(0),
                Value::Number(number) => number.as_u64(),
                Value::String(text) => text.parse().ok(),
                _ => None,
            };
            number.ok_or_else(|| format!("Value {} is not int.", echo(value)))
        });
        let is_negative = self
            .value(key)
            .and_then(Value::as_i64)
            .is_some_and(|n| n < 0);
        field.checked(|errors, path, number| {
            if is_negative {
                let low = range.start();
                let message = format!("int value should be greater than or equal to {low}.");
                errors.add(path, "NUMBER_TYPE_MIN", message);
            } else {
                errors.check_number(path, *number, range);
            }
        })
    }

    /// True or false.
    pub fn flag(&self, key: &str) -> Field<'a, bool> {
        self.field(key, "BOOLEAN_TYPE_CONVERT", |value| match value {
            Value::Bool(flag) => Ok(*flag),
            Value::String(text) if matches!(text.as_str(), "true" | "1" | "True") => Ok(true),
            Value::String(text) if matches!(text.as_str(), "false" | "0" | "False") => Ok(false),
            _ => Err("Must be either true or false.".to_owned()),
        })
    }

    /// An id: a decimal string, or a number.
    pub fn id<T: FromStr>(&self, key: &str) -> Field<'a, T> {
        self.field(key, "NUMBER_TYPE_COERCE", snowflake)
    }

    /// An id to page from. 0, where many clients begin, is no id: `zero` stands below all there are.
    pub fn mark<T: FromStr + Copy>(&self, key: &str, zero: T) -> Field<'a, T> {
        self.field(key, "NUMBER_TYPE_COERCE", move |value| {
            if value.as_str() == Some("0") {
                Ok(zero)
            } else {
                snowflake(value)
            }
        })
    }

    /// One of a few numbers; `choose` knows which, `choices` names them.
    pub fn choice<T>(
        &self,
        key: &str,
        choices: &str,
        choose: impl Fn(u64) -> Option<T>,
    ) -> Field<'a, T> {
        self.field(key, "BASE_TYPE_CHOICES", |value| {
            let number = value
                .as_u64()
                .or_else(|| value.as_str().and_then(|text| text.parse().ok()));
            number
                .and_then(&choose)
                .ok_or_else(|| format!("Value must be one of ({choices})."))
        })
    }

    /// A form within this one.
    pub fn object(&self, key: &str) -> Field<'a, Form<'a>> {
        let errors = self.errors;
        let path = self.path_of(key);
        self.field(key, "DICT_TYPE_CONVERT", |value| match value {
            Value::Object(fields) => Ok(Form {
                fields: Some(fields),
                path: path.clone(),
                errors,
            }),
            _ => Err(NO_DICT.to_owned()),
        })
    }

    /// A list of at most `most` texts.
    pub fn texts(&self, key: &str, most: usize) -> Field<'a, Vec<String>> {
        self.field(key, "LIST_TYPE_CONVERT", |value| {
            let list = value
                .as_array()
                .ok_or_else(|| "Only iterables may be used in a ListType".to_owned())?;
            if list.len() > most {
                return Err(format!("Must be {most} or fewer in length."));
            }
            let texts = list.iter().map(|item| match item {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            });
            texts
                .collect::<Option<_>>()
                .ok_or_else(|| "Only strings may be in this list.".to_owned())
        })
    }

    /// A list of at most `most` values that `convert` understands; each fault has the place of its item.
    pub fn list<T>(
        &self,
        key: &str,
        most: usize,
        code: &str,
        convert: impl Fn(&'a Value, &str) -> Result<T, String>,
    ) -> Field<'a, Vec<T>> {
        let Field {
            state,
            path,
            errors,
        } = self.field(key, "LIST_TYPE_CONVERT", |value| {
            let list = value.as_array();
            list.ok_or_else(|| NO_LIST.to_owned())
        });
        let state = match state {
            State::Absent => State::Absent,
            State::Null => State::Null,
            State::Bad => State::Bad,
            State::Good(items) if items.len() > most => {
                let message = format!("Must be {most} or fewer in length.");
                errors
                    .borrow_mut()
                    .add(&path, "BASE_TYPE_MAX_LENGTH", message);
                State::Bad
            }
            State::Good(items) => {
                let mut good = Vec::with_capacity(items.len());
                for (n, item) in items.iter().enumerate() {
                    let path = format!("{path}.{n}");
                    match convert(item, &path) {
                        Ok(value) => good.push(value),
                        Err(message) => errors.borrow_mut().add(&path, code, message),
                    }
                }
                if good.len() == items.len() {
                    State::Good(good)
                } else {
                    State::Bad
                }
            }
        };
        Field {
            state,
            path,
            errors,
        }
    }

    /// A list of at most `most` ids.
    pub fn ids<T: FromStr>(&self, key: &str, most: usize) -> Field<'a, Vec<T>> {
        self.list(key, most, "NUMBER_TYPE_COERCE", |value, _| snowflake(value))
    }

    /// A list of at most `most` forms.
    pub fn objects(&self, key: &str, most: usize) -> Field<'a, Vec<Form<'a>>> {
        let errors = self.errors;
        self.list(key, most, "DICT_TYPE_CONVERT", |value, path| match value {
            Value::Object(fields) => Ok(Form {
                fields: Some(fields),
                path: path.to_owned(),
                errors,
            }),
            _ => Err(NO_DICT.to_owned()),
        })
    }

    /// Any value that `convert` understands.
    pub fn field<T>(
        &self,
        key: &str,
        code: &str,
        convert: impl FnOnce(&'a Value) -> Result<T, String>,
    ) -> Field<'a, T> {
        let state = match self.value(key) {
            None => State::Absent,
            Some(Value::Null) => State::Null,
            Some(value) => match convert(value) {
                Ok(value) => State::Good(value),
                Err(message) => {
                    self.fault(key, code, message);
                    State::Bad
                }
            },
        };
        Field {
            state,
            path: self.path_of(key),
            errors: self.errors,
        }
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.fields?.get(key)
    }

    fn path_of(&self, key: &str) -> String {
        match (self.path.as_str(), key) {
            ("", key) => key.to_owned(),
            (path, "") => path.to_owned(),
            (path, key) => format!("{path}.{key}"),
        }
    }
}

/// Reads an id.
fn snowflake<T: FromStr>(value: &Value) -> Result<T, String> {
    let id = match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    };
    id.ok_or_else(|| not_snowflake(value))
}

/// The words of an id that is none.
pub fn not_snowflake(value: &Value) -> String {
    format!("Value {} is not snowflake.", echo(value))
}

/// The beginning of a value as it came.
fn echo(value: &Value) -> impl Display {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(_) => "[...]".to_owned(),
        Value::Object(_) => "{...}".to_owned(),
        other => other.to_string(),
    };
    let kept: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(ECHO_CHARS)
        .collect();
    format!("\"{kept}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_protocol::ids::ChannelId;
    use serde_json::json;

    /// The `code` at a path of the faults.
    fn fault(body: &Value, path: &str, reader: impl FnOnce(&Form<'_>)) -> Value {
        let refusal = read(body, |form| {
            reader(form);
            Some(())
        })
        .expect_err("a fault");
        let mut node = refusal.body()["errors"].clone();
        for key in path.split('.').filter(|key| !key.is_empty()) {
            node = node[key].clone();
        }
        node["_errors"][0]["code"].clone()
    }

    #[test]
    fn every_fault_has_its_code_and_path() {
        let body = json!({
            "name": 7, "long": "x".repeat(9), "count": 99, "below": -1, "word": "x", "huge": 1e300, "flag": "maybe",
            "id": "12a", "kind": 3, "inner": { "id": [] }, "list": "x", "items": ["1", "x"], "forms": [{ "id": "x" }], "empty": "\u{200b} \0",
        });
        type Reader = fn(&Form<'_>);
        let table: [(&str, &str, Reader); 17] = [
            ("name", "STRING_TYPE_CONVERT", |f| {
                f.text("name").optional();
            }),
            ("long", "BASE_TYPE_BAD_LENGTH", |f| {
                f.text("long").name(1..=8).optional();
            }),
            ("empty", "BASE_TYPE_BAD_LENGTH", |f| {
                f.text("empty").name(1..=8).optional();
            }),
            ("count", "NUMBER_TYPE_MAX", |f| {
                f.integer("count", 0..=9).optional();
            }),
            ("below", "NUMBER_TYPE_MIN", |f| {
                f.integer("below", 0..=9).optional();
            }),
            ("word", "NUMBER_TYPE_COERCE", |f| {
                f.integer("word", 0..=9).optional();
            }),
            ("huge", "NUMBER_TYPE_COERCE", |f| {
                f.integer("huge", 0..=9).optional();
            }),
            ("flag", "BOOLEAN_TYPE_CONVERT", |f| {
                f.flag("flag").optional();
            }),
            ("id", "NUMBER_TYPE_COERCE", |f| {
                f.id::<ChannelId>("id").optional();
            }),
            ("kind", "BASE_TYPE_CHOICES", |f| {
                f.choice("kind", "0, 2", |n| (n < 3).then_some(n))
                    .optional();
            }),
            ("inner.id", "NUMBER_TYPE_COERCE", |f| {
                if let Some(inner) = f.object("inner").optional() {
                    inner.id::<ChannelId>("id").optional();
                }
            }),
            ("list", "LIST_TYPE_CONVERT", |f| {
                f.texts("list", 3).optional();
            }),
            ("items.1", "NUMBER_TYPE_COERCE", |f| {
                f.ids::<ChannelId>("items", 3).optional();
            }),
            ("items", "BASE_TYPE_MAX_LENGTH", |f| {
                f.ids::<ChannelId>("items", 1).optional();
            }),
            ("items.0", "DICT_TYPE_CONVERT", |f| {
                f.objects("items", 3).optional();
            }),
            ("forms.0.id", "NUMBER_TYPE_COERCE", |f| {
                for form in f.objects("forms", 3).or(Vec::new()) {
                    form.id::<ChannelId>("id").optional();
                }
            }),
            ("absent", "BASE_TYPE_REQUIRED", |f| {
                f.text("absent").required();
            }),
        ];
        for (path, code, reader) in table {
            assert_eq!(fault(&body, path, reader), code, "{path}");
        }
        assert_eq!(fault(&json!([1]), "", |_| {}), "DICT_TYPE_CONVERT");
    }

    #[test]
    fn all_faults_are_found_at_once() {
        let refusal = read(&json!({ "a": 1, "b": 2 }), |form| {
            let a = form.text("a").required();
            let b = form.text("b").required();
            Some((a?, b?))
        })
        .unwrap_err();
        assert_eq!(refusal.fields.len(), 2);
    }

    #[test]
    fn absent_null_and_present_are_three_things_in_a_patch() {
        let body = json!({ "null": null, "here": " a  b " });
        let (absent, null, here) = read(&body, |form| {
            Some((
                form.text("absent").patch(),
                form.text("null").patch(),
                form.text("here").name(1..=9).patch(),
            ))
        })
        .unwrap();
        assert_eq!(absent, None);
        assert_eq!(null, Some(None));
        assert_eq!(here, Some(Some("a b".to_owned())));
        assert_eq!(
            fault(&body, "null", |form| {
                form.text("null").change();
            }),
            "BASE_TYPE_REQUIRED"
        );
    }

    #[test]
    fn an_echo_is_short_and_printable() {
        let echoed = echo(&json!("\u{1b}x".repeat(1_000))).to_string();
        assert_eq!(echoed, format!("\"{}\"", "x".repeat(40)));
    }
}
