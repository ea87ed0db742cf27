//! What a session says of its user, on its way to another node. What a client says of an activity's time is never believed, so
//! the times are beside the activities.

use bytes::Bytes;
use rookery_protocol::client::presence::{Activity, Platform, Said, Status};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Carried {
    platform: Platform,
    status: Status,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    activities: Vec<(u64, Activity)>,
}

/// As JSON.
pub fn encode((said, platform): &(Said, Platform)) -> Bytes {
    let activities = said.activities.iter();
    let carried = Carried {
        platform: *platform,
        status: said.status,
        activities: activities
            .map(|activity| (activity.created_at, activity.clone()))
            .collect(),
    };
    // What cannot be written is not shown: it is worth no session.
    serde_json::to_vec(&carried).map_or_else(|_| Bytes::new(), Bytes::from)
}

/// Reads it back; whoever says nothing, or something unknown, is online on the web.
pub fn decode(bytes: &[u8]) -> (Said, Platform) {
    let Ok(carried) = serde_json::from_slice::<Carried>(bytes) else {
        return (Said::default(), Platform::Web);
    };
    let activities = carried.activities.into_iter();
    let activities = activities.map(|(created_at, activity)| Activity {
        created_at,
        ..activity
    });
    let said = Said {
        status: carried.status,
        activities: activities.collect(),
    };
    (said, carried.platform)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_carried_reads_back() {
        let activity = serde_json::json!({ "name": "chess", "type": 0 });
        let mut activity: Activity = serde_json::from_value(activity).unwrap();
        activity.created_at = 7;
        let said = Said {
            status: Status::Dnd,
            activities: vec![activity],
        };
        let both = (said, Platform::Mobile);
        assert_eq!(decode(&encode(&both)), both);
        assert_eq!(decode(b""), (Said::default(), Platform::Web));
    }
}
