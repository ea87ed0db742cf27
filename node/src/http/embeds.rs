//! Embeds in the forms of messages.
//!
//! Source: <https://discord.com/developers/docs/resources/message#embed-object-embed-limits>

use rookery_protocol::client::embed::{Embed, EmbedAuthor, EmbedField, EmbedFooter, EmbedMedia};
use rookery_protocol::time::Millis;
use rookery_protocol::{limits, text};
use serde_json::Value;

use super::form::{Field, Form};

/// Where a link may lead.
const LINKS: [&str; 2] = ["http", "https"];
/// Where a picture may be.
const PICTURES: [&str; 3] = ["http", "https", "attachment"];

/// The embeds of a form: `embeds`, or the one that older clients send as `embed`. None when it names neither.
pub fn read(form: &Form<'_>) -> Option<Vec<Embed>> {
    let most = limits::EMBEDS_PER_MESSAGE;
    let forms = match form.objects("embeds", most).patch() {
        Some(forms) => forms.unwrap_or_default(),
        None => form.object("embed").patch()?.into_iter().collect(),
    };
    let embeds: Vec<Embed> = forms.iter().map(embed).collect();
    let chars: usize = embeds.iter().map(chars).sum();
    if chars > limits::EMBED_CHARS {
        let most = limits::EMBED_CHARS;
        let message = format!("Embed size exceeds maximum size of {most}");
        form.fault("embeds", "MAX_EMBED_SIZE_EXCEEDED", message);
    }
    Some(embeds)
}

/// Faults are recorded; what is faulty is left out.
fn embed(form: &Form<'_>) -> Embed {
    let embed = Embed {
        kind: "rich".to_owned(),
        title: words(form, "title", 0, limits::EMBED_NAME_CHARS).optional(),
        description: words(form, "description", 0, limits::EMBED_DESCRIPTION_CHARS).optional(),
        url: url(form, "url", &LINKS).optional(),
        timestamp: timestamp(form).optional(),
        color: form
            .integer("color", 0..=0xff_ffff)
            .optional()
            .and_then(|color| u32::try_from(color).ok()),
        footer: form.object("footer").optional().and_then(|form| {
            let text = words(&form, "text", 1, limits::EMBED_FOOTER_CHARS);
            let icon_url = url(&form, "icon_url", &PICTURES).optional();
            let text = text.required()?;
            Some(EmbedFooter { text, icon_url })
        }),
        image: media(form, "image"),
        thumbnail: media(form, "thumbnail"),
        author: form.object("author").optional().and_then(|form| {
            let name = words(&form, "name", 1, limits::EMBED_NAME_CHARS);
            let link = url(&form, "url", &LINKS).optional();
            let icon_url = url(&form, "icon_url", &PICTURES).optional();
            Some(EmbedAuthor {
                name: name.required()?,
                url: link,
                icon_url,
            })
        }),
        fields: form
            .objects("fields", limits::EMBED_FIELDS)
            .or(Vec::new())
            .iter()
            .filter_map(field)
            .collect(),
    };
    let texts = [&embed.title, &embed.description];
    let has_text = texts.into_iter().flatten().any(|text| !text.is_empty());
    let has_more = ["footer", "image", "thumbnail", "author"]
        .iter()
        .any(|key| form.object(key).optional().is_some());
    if !has_text && !has_more && embed.fields.is_empty() && !form.has("fields") {
        form.fault(
            "description",
            "BASE_TYPE_REQUIRED",
            "This field is required",
        );
    }
    embed
}

fn field(form: &Form<'_>) -> Option<EmbedField> {
    let name = words(form, "name", 1, limits::EMBED_NAME_CHARS).required();
    let value = words(form, "value", 1, limits::EMBED_VALUE_CHARS).required();
    let inline = form.flag("inline").or(false);
    Some(EmbedField {
        name: name?,
        value: value?,
        inline,
    })
}

fn media(form: &Form<'_>, key: &str) -> Option<EmbedMedia> {
    let form = form.object(key).optional()?;
    let url = url(&form, "url", &PICTURES).required()?;
    Some(EmbedMedia { url })
}

/// A text, clean as a content is, of a length in characters.
fn words<'a>(form: &Form<'a>, key: &str, least: usize, most: usize) -> Field<'a, String> {
    let field = form.field(key, "STRING_TYPE_CONVERT", |value| match value {
        Value::String(text) => Ok(text::clean_content(text)),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err("Could not interpret value as string.".to_owned()),
    });
    field.checked(|errors, path, text| {
        let chars = text.chars().count();
        if chars > most {
            let message = format!("Must be {most} or fewer in length.");
            errors.add(path, "BASE_TYPE_MAX_LENGTH", message);
        } else if chars < least {
            errors.add(path, "BASE_TYPE_REQUIRED", "This field is required");
        }
    })
}

/// A URL of one of a few schemes.
fn url<'a>(form: &Form<'a>, key: &str, schemes: &[&str]) -> Field<'a, String> {
    let field = form.field(key, "STRING_TYPE_CONVERT", |value| match value {
        Value::String(text) => Ok(text.trim().to_owned()),
        _ => Err("Could not interpret value as string.".to_owned()),
    });
    field
        .bytes(1..=limits::URL_BYTES)
        .checked(|errors, path, url| {
            let is_clean = !url.chars().any(|c| c.is_control() || c.is_whitespace());
            let parts = url.split_once("://").filter(|_| is_clean);
            match parts {
                Some((scheme, rest))
                    if schemes
                        .iter()
                        .any(|known| scheme.eq_ignore_ascii_case(known)) =>
                {
                    if rest.is_empty() || rest.starts_with(['/', '?', '#', ':', '@']) {
                        errors.add(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.");
                    }
                }
                Some((scheme, _)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                    let known = schemes.join("', '");
                    let scheme = scheme.get(..20).unwrap_or(scheme);
                    let message = format!("Scheme \"{scheme}\" must be one of ('{known}').");
                    errors.add(path, "URL_TYPE_INVALID_SCHEME", message);
                }
                _ => errors.add(path, "URL_TYPE_INVALID_URL", "Not a well formed URL."),
            }
        })
}

/// A timestamp, which without an offset is one of UTC.
fn timestamp<'a>(form: &Form<'a>) -> Field<'a, String> {
    form.field("timestamp", "DATE_TIME_TYPE_PARSE", |value| {
        let text = value.as_str().unwrap_or("");
        let at = Millis::parse(text).or_else(|| Millis::parse(&format!("{text}Z")));
        let iso = at.map(Millis::iso8601);
        iso.ok_or_else(|| "Could not parse value. Should be ISO8601.".to_owned())
    })
}

/// The characters that count.
fn chars(embed: &Embed) -> usize {
    let texts = [
        embed.title.as_ref(),
        embed.description.as_ref(),
        embed.footer.as_ref().map(|footer| &footer.text),
        embed.author.as_ref().map(|author| &author.name),
    ];
    let fields = embed.fields.iter();
    let fields = fields.flat_map(|field| [&field.name, &field.value]);
    let texts = texts.into_iter().flatten().chain(fields);
    texts.map(|text| text.chars().count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::form;
    use rookery_protocol::command::Answer;
    use serde_json::json;

    fn embeds(body: &Value) -> Answer<Option<Vec<Embed>>> {
        form::read(body, |form| Some(read(form)))
    }

    fn fault(embed: Value) -> (String, String) {
        let refusal = embeds(&json!({ "embeds": [embed] })).unwrap_err();
        let field = refusal.fields.first().unwrap();
        (field.path.clone(), field.code.clone())
    }

    #[test]
    fn a_full_embed_is_kept_as_it_came() {
        let full = json!({
            "type": "rich", "title": "t", "description": "d\nd", "url": "https://example.org/?a=b#c",
            "timestamp": "2026-11-23T05:41:00.123000+00:00", "color": 0xff_ffff,
            "footer": { "text": "f", "icon_url": "attachment://a.png" },
            "image": { "url": "http://example.org/i.png" }, "thumbnail": { "url": "attachment://t.png" },
            "author": { "name": "a", "url": "https://example.org", "icon_url": "https://example.org/i" },
            "fields": [{ "name": "n", "value": "v", "inline": true }, { "name": "n", "value": "v", "inline": false }],
        });
        let read = embeds(&json!({ "embeds": [full] })).unwrap().unwrap();
        assert_eq!(serde_json::to_value(&read[0]).unwrap(), full);
        let single = embeds(&json!({ "embed": full })).unwrap().unwrap();
        assert_eq!(single, read);
        assert_eq!(embeds(&json!({})), Ok(None));
        assert_eq!(embeds(&json!({ "embeds": null })), Ok(Some(vec![])));
        assert_eq!(embeds(&json!({ "embed": null })), Ok(Some(vec![])));
        let local = json!({ "title": "t", "timestamp": "2026-11-23T05:41:00" });
        let read = embeds(&json!({ "embeds": [local] })).unwrap().unwrap();
        assert_eq!(
            read[0].timestamp.as_deref(),
            Some("2026-11-23T05:41:00.000000+00:00")
        );
    }

    #[test]
    fn every_limit_is_kept() {
        let x = |n: usize| "\u{e9}".repeat(n);
        let long = "BASE_TYPE_MAX_LENGTH";
        let table = [
            (json!({ "title": x(257) }), "title", long),
            (json!({ "description": x(4_097) }), "description", long),
            (
                json!({ "footer": { "text": x(2_049) } }),
                "footer.text",
                long,
            ),
            (json!({ "author": { "name": x(257) } }), "author.name", long),
            (
                json!({ "fields": [{ "name": x(257), "value": "v" }] }),
                "fields.0.name",
                long,
            ),
            (
                json!({ "fields": [{ "name": "n", "value": x(1_025) }] }),
                "fields.0.value",
                long,
            ),
            (
                json!({ "fields": vec![json!({ "name": "n", "value": "v" }); 26] }),
                "fields",
                long,
            ),
            (
                json!({ "fields": [{ "name": "n" }] }),
                "fields.0.value",
                "BASE_TYPE_REQUIRED",
            ),
            (
                json!({ "fields": [{ "name": " ", "value": "v" }] }),
                "fields.0.name",
                "BASE_TYPE_REQUIRED",
            ),
            (
                json!({ "title": "t", "footer": {} }),
                "footer.text",
                "BASE_TYPE_REQUIRED",
            ),
            (
                json!({ "title": "t", "image": {} }),
                "image.url",
                "BASE_TYPE_REQUIRED",
            ),
            (json!({}), "description", "BASE_TYPE_REQUIRED"),
            (json!({ "color": 1 }), "description", "BASE_TYPE_REQUIRED"),
            (
                json!({ "title": "t", "color": 0x100_0000 }),
                "color",
                "NUMBER_TYPE_MAX",
            ),
            (
                json!({ "title": "t", "color": "red" }),
                "color",
                "NUMBER_TYPE_COERCE",
            ),
            (json!({ "title": [] }), "title", "STRING_TYPE_CONVERT"),
            (
                json!({ "title": "t", "timestamp": "noon" }),
                "timestamp",
                "DATE_TIME_TYPE_PARSE",
            ),
            (
                json!({ "title": "t", "timestamp": 5 }),
                "timestamp",
                "DATE_TIME_TYPE_PARSE",
            ),
            (
                json!({ "title": "t", "url": "javascript:alert(1)" }),
                "url",
                "URL_TYPE_INVALID_URL",
            ),
            (
                json!({ "title": "t", "url": "javascript://x" }),
                "url",
                "URL_TYPE_INVALID_SCHEME",
            ),
            (
                json!({ "title": "t", "url": "attachment://x" }),
                "url",
                "URL_TYPE_INVALID_SCHEME",
            ),
            (
                json!({ "title": "t", "url": "http://" }),
                "url",
                "URL_TYPE_INVALID_URL",
            ),
            (
                json!({ "title": "t", "url": "http:///x" }),
                "url",
                "URL_TYPE_INVALID_URL",
            ),
            (
                json!({ "title": "t", "url": "http://a b" }),
                "url",
                "URL_TYPE_INVALID_URL",
            ),
            (
                json!({ "title": "t", "url": "" }),
                "url",
                "BASE_TYPE_BAD_LENGTH",
            ),
            (
                json!({ "title": "t", "url": format!("http://{}", x(2_048)) }),
                "url",
                "BASE_TYPE_BAD_LENGTH",
            ),
            (
                json!({ "image": { "url": "data://x" } }),
                "image.url",
                "URL_TYPE_INVALID_SCHEME",
            ),
            (
                json!({ "author": { "name": "a", "url": "attachment://x" } }),
                "author.url",
                "URL_TYPE_INVALID_SCHEME",
            ),
            (
                json!({ "title": "t", "fields": 7 }),
                "fields",
                "LIST_TYPE_CONVERT",
            ),
            (
                json!({ "title": "t", "footer": 7 }),
                "footer",
                "DICT_TYPE_CONVERT",
            ),
        ];
        for (embed, path, code) in table {
            let wanted = (format!("embeds.0.{path}"), code.to_owned());
            assert_eq!(fault(embed.clone()), wanted, "{embed}");
        }
    }

    #[test]
    fn all_embeds_share_one_limit() {
        let embed = |chars: usize| json!({ "description": "x".repeat(chars) });
        assert!(embeds(&json!({ "embeds": [embed(3_000), embed(3_000)] })).is_ok());
        let refusal = embeds(&json!({ "embeds": [embed(3_000), embed(3_001)] })).unwrap_err();
        assert_eq!(refusal.fields[0].code, "MAX_EMBED_SIZE_EXCEEDED");
        let refusal = embeds(&json!({ "embeds": vec![embed(1); 11] })).unwrap_err();
        assert_eq!(refusal.fields[0].path, "embeds");
        assert!(embeds(&json!({ "embeds": ["x"] })).is_err());
    }
}
