//! Presence: who is there, on what, and what he says of himself. Nothing of it is stored.
//!
//! Source: <https://discord.com/developers/docs/events/gateway-events#presence>

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{EmojiId, GroupId, UserId};
use crate::limits;
use crate::time::Millis;

/// What somebody is, the most active last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not there, or as good as.
    #[serde(alias = "invisible")]
    Offline,
    /// Does not want to be disturbed.
    Dnd,
    /// Away.
    Idle,
    /// There.
    Online,
}

/// What a session runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// A program.
    Desktop,
    /// A telephone.
    Mobile,
    /// A browser, or a bot.
    Web,
}

impl Platform {
    /// The platform of what a client says of itself in IDENTIFY.
    pub fn of(os: &str, browser: &str, is_bot: bool) -> Self {
        let (os, browser) = (os.to_ascii_lowercase(), browser.to_ascii_lowercase());
        let says = |word: &str| os.contains(word) || browser.contains(word);
        if says("android") || says("ios") || says("iphone") {
            Self::Mobile
        } else if !is_bot && (browser.contains("client") || browser.contains("desktop")) {
            Self::Desktop
        } else {
            Self::Web
        }
    }
}

/// An activity's emoji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityEmoji {
    /// The emoji itself, or the name of a group's own.
    pub name: String,
    /// Its id if it is a group's own; discord.py sends a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<EmojiId>,
    /// Whether it moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub animated: Option<bool>,
}

/// Since and until when, in milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityTimes {
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<u64>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<u64>,
}

/// What somebody does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Its name.
    pub name: String,
    /// 0 plays, 1 streams, 2 listens, 3 watches, 4 is a custom status, 5 competes.
    #[serde(rename = "type")]
    pub kind: u8,
    /// When it was set, in milliseconds since the epoch; set here.
    #[serde(default, deserialize_with = "ignored")]
    pub created_at: u64,
    /// Where it is streamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// More about it; the text of a custom status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// Of a custom status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<ActivityEmoji>,
    /// Since and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamps: Option<ActivityTimes>,
}

/// The kind of a custom status.
const CUSTOM: u8 = 4;
/// The last kind there is.
const LAST_KIND: u8 = 5;

fn ignored<'de, D: serde::Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    serde::de::IgnoredAny::deserialize(d).map(|_| 0)
}

impl Activity {
    /// Whether it is within the limits.
    fn is_valid(&self) -> bool {
        let fits = |text: &String, most: usize| {
            text.chars().count() <= most && !text.chars().any(char::is_control)
        };
        let words = [&self.details, &self.state];
        let has_status = self.state.as_ref().is_some_and(|state| !state.is_empty());
        !self.name.is_empty()
            && fits(&self.name, *limits::ACTIVITY_CHARS.end())
            && words
                .into_iter()
                .flatten()
                .all(|text| fits(text, limits::CUSTOM_STATUS_CHARS))
            && self.kind <= LAST_KIND
            && (self.kind != CUSTOM || has_status || self.emoji.is_some())
            && self.url.as_ref().is_none_or(|url| {
                url.len() <= limits::URL_BYTES
                    && (url.starts_with("https://") || url.starts_with("http://"))
                    && !url.chars().any(|c| c.is_control() || c.is_whitespace())
            })
            && self
                .emoji
                .as_ref()
                .is_none_or(|emoji| !emoji.name.is_empty() && fits(&emoji.name, 32))
    }
}

/// What a client says of itself, in IDENTIFY or with opcode 3.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PresenceForm {
    /// What it wants to be shown as; null is online.
    #[serde(deserialize_with = "Option::deserialize")]
    pub status: Option<Status>,
    /// What it does.
    #[serde(default)]
    pub activities: Option<Vec<Activity>>,
    /// The same from before there could be several; discord.py still sends it in IDENTIFY.
    #[serde(default)]
    pub game: Option<Activity>,
}

impl PresenceForm {
    /// The same with the time of its activities, if it is within the limits.
    pub fn checked(self, now: Millis) -> Option<Said> {
        let mut activities = self.activities.unwrap_or_default();
        activities.extend(self.game);
        if activities.len() > limits::ACTIVITIES || !activities.iter().all(Activity::is_valid) {
            return None;
        }
        for activity in &mut activities {
            activity.created_at = now.0;
        }
        Some(Said {
            status: self.status.unwrap_or(Status::Online),
            activities,
        })
    }
}

/// What a session says of its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What he is.
    pub status: Status,
    /// What he does.
    pub activities: Vec<Activity>,
}

impl Default for Said {
    /// Who says nothing is online.
    fn default() -> Self {
        Self {
            status: Status::Online,
            activities: Vec::new(),
        }
    }
}

/// What somebody is on each platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ClientStatus {
    #[serde(skip_serializing_if = "Option::is_none")]
    desktop: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobile: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    web: Option<Status>,
}

impl ClientStatus {
    /// The platforms he is on.
    pub fn each(&self) -> impl Iterator<Item = (Platform, Status)> {
        let each = [
            (Platform::Desktop, self.desktop),
            (Platform::Mobile, self.mobile),
            (Platform::Web, self.web),
        ];
        each.into_iter()
            .filter_map(|(platform, status)| Some((platform, status?)))
    }
}

/// Somebody who is there, as others see him: all his sessions together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// What the most active of them is.
    pub status: Status,
    /// What he does on any of them.
    pub activities: Vec<Activity>,
    /// What he is where.
    pub client_status: ClientStatus,
}

impl Presence {
    /// The presence of a user with these sessions, the one that said something last at the front; none when nobody sees
    /// him.
    pub fn merged<'a>(
        sessions: impl IntoIterator<Item = (&'a Said, Platform)>,
    ) -> Option<Arc<Self>> {
        let mut all = Self {
            status: Status::Offline,
            activities: Vec::new(),
            client_status: ClientStatus::default(),
        };
        for (said, platform) in sessions {
            if said.status == Status::Offline {
                continue;
            }
            all.status = all.status.max(said.status);
            let place = match platform {
                Platform::Desktop => &mut all.client_status.desktop,
                Platform::Mobile => &mut all.client_status.mobile,
                Platform::Web => &mut all.client_status.web,
            };
            *place = (*place).max(Some(said.status));
            for activity in &said.activities {
                let is_there = all
                    .activities
                    .iter()
                    .any(|other| other.kind == activity.kind && other.name == activity.name);
                if !is_there && all.activities.len() < limits::ACTIVITIES {
                    all.activities.push(activity.clone());
                }
            }
        }
        (all.status != Status::Offline).then(|| Arc::new(all))
    }
}

/// The user of a presence: libraries need no more than the id.
#[derive(Debug, Serialize)]
struct PresenceUser {
    id: UserId,
}

/// A presence object.
#[derive(Debug, Serialize)]
pub struct PresenceJson<'a> {
    user: PresenceUser,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<GroupId>,
    status: Status,
    activities: &'a [Activity],
    client_status: ClientStatus,
}

impl<'a> PresenceJson<'a> {
    /// How a user is seen in a group, or by a friend; without a presence he is offline.
    pub fn new(user: UserId, group: Option<GroupId>, presence: Option<&'a Presence>) -> Self {
        Self {
            user: PresenceUser { id: user },
            guild_id: group,
            status: presence.map_or(Status::Offline, |presence| presence.status),
            activities: presence.map_or(&[], |presence| &presence.activities),
            client_status: presence.map_or_else(ClientStatus::default, |p| p.client_status),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form(value: serde_json::Value) -> Option<Said> {
        let form: PresenceForm = serde_json::from_value(value).ok()?;
        form.checked(Millis(7))
    }

    fn said(status: Status, names: &[&str]) -> Said {
        let activity = |name: &&str| json!({ "name": name, "type": 0 });
        let activities: Vec<_> = names.iter().map(activity).collect();
        Said {
            status,
            ..form(json!({ "status": "online", "activities": activities })).unwrap()
        }
    }

    #[test]
    fn what_libraries_send_is_read() {
        for value in [
            json!({ "status": "online", "since": 0, "activities": [], "afk": false }),
            json!({ "status": "invisible", "since": null, "activities": null }),
            json!({ "status": null, "game": { "name": "x", "type": 0 }, "since": 0, "afk": false }),
            json!({ "status": "dnd", "activities": [{ "name": "x", "type": 1, "url": "https://twitch.tv/x" }] }),
            json!({ "status": "idle", "activities": [{ "name": "Custom Status", "type": 4, "state": "away",
                "emoji": { "name": "x", "id": null } }] }),
        ] {
            assert!(form(value.clone()).is_some(), "{value}");
        }
        let said = form(
            json!({ "status": "online", "activities": [{ "name": "x", "type": 2, "created_at": 1 }] }),
        );
        assert_eq!(said.unwrap().activities[0].created_at, 7);
    }

    #[test]
    fn the_id_of_an_emoji_is_a_string_or_a_number_and_is_shown_as_a_string() {
        for id in [
            json!("41771983423143937"),
            json!(41_771_983_423_143_937_u64),
        ] {
            let emoji = json!({ "name": "x", "id": id });
            let activity = json!({ "name": "Custom Status", "type": 4, "emoji": emoji });
            let said = form(json!({ "status": "online", "activities": [activity] })).unwrap();
            let shown = serde_json::to_value(&said.activities).unwrap();
            assert_eq!(shown[0]["emoji"]["id"], "41771983423143937");
        }
    }

    #[test]
    fn what_is_over_a_limit_is_refused() {
        let activity =
            |fields: serde_json::Value| json!({ "status": "online", "activities": [fields] });
        for value in [
            json!({ "activities": [] }),
            json!({ "status": "away" }),
            json!({ "status": "online", "activities": vec![json!({ "name": "x", "type": 0 }); 6] }),
            activity(json!({ "type": 0 })),
            activity(json!({ "name": "", "type": 0 })),
            activity(json!({ "name": "x".repeat(129), "type": 0 })),
            activity(json!({ "name": "x\u{7}", "type": 0 })),
            activity(json!({ "name": "x", "type": 6 })),
            activity(json!({ "name": "x", "type": -1 })),
            activity(json!({ "name": "x", "type": 1, "url": "javascript:alert(1)" })),
            activity(json!({ "name": "x", "type": 4 })),
            activity(json!({ "name": "x", "type": 4, "state": "x".repeat(129) })),
            activity(json!({ "name": "x", "type": 4, "emoji": { "name": "" } })),
            activity(json!({ "name": "x", "type": 4, "emoji": { "name": "x", "id": "../1" } })),
            activity(json!({ "name": "x", "type": 4, "emoji": { "name": "x", "id": -1 } })),
        ] {
            assert!(form(value.clone()).is_none(), "{value}");
        }
    }

    #[test]
    fn the_most_active_session_wins_and_platforms_are_kept_apart() {
        use Status::{Dnd, Idle, Offline, Online};
        let table = [
            (vec![Offline], None),
            (vec![Online, Idle], Some(Online)),
            (vec![Idle, Dnd], Some(Idle)),
            (vec![Dnd, Offline], Some(Dnd)),
            (vec![], None),
        ];
        for (sessions, status) in table {
            let sessions: Vec<Said> = sessions.iter().map(|&s| said(s, &[])).collect();
            let merged = Presence::merged(sessions.iter().map(|s| (s, Platform::Web)));
            assert_eq!(merged.map(|m| m.status), status, "{sessions:?}");
        }
        let (phone, desk) = (said(Idle, &["a", "b"]), said(Dnd, &["b", "c"]));
        let both = [(&phone, Platform::Mobile), (&desk, Platform::Desktop)];
        let merged = Presence::merged(both).unwrap();
        let shown =
            serde_json::to_value(PresenceJson::new(UserId(1), None, Some(&merged))).unwrap();
        assert_eq!(
            shown["client_status"],
            json!({ "mobile": "idle", "desktop": "dnd" })
        );
        let names = merged.activities.iter().map(|a| a.name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn a_platform_is_what_the_client_says() {
        for (os, browser, is_bot, platform) in [
            ("linux", "discord.js", true, Platform::Web),
            ("Android", "Discord Android", false, Platform::Mobile),
            ("linux", "Discord iOS", true, Platform::Mobile),
            ("Windows", "Discord Client", false, Platform::Desktop),
            ("Mac OS X", "Firefox", false, Platform::Web),
        ] {
            assert_eq!(Platform::of(os, browser, is_bot), platform, "{browser}");
        }
    }
}
