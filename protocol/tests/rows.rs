//! Persisted rows: every row reads back as it was written, and what is on disk does not change by accident. A changed
//! snapshot here means that older data folders hold something else: raise the schema and keep reading the old one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic in a test is the report"
)]

mod samples;

use proptest::prelude::*;
use rookery_protocol::document::{
    AdminActs, AdminTokens, Applications, Attachments, AuditLog, Bans, Channels, Directs,
    EndedGroups, Events, Groups, Incarnations, InviteCodes, Invites, LaneRow, Marks, Members,
    Memberships, Mentions, Messages, Nodes, Outbox, Pairs, Pins, Purges, Reactions, ReadStates,
    Requests, Restores, Rooms, RoomsAt, Shards, SigningKeys, Table, TableId, Usernames, Users,
    View, VoiceStates, Workers, check, decode, encode,
};
use rookery_protocol::entity::EntityRef;

/// The document of a row: its fields in order, with the types of their values.
fn document(bytes: &[u8]) -> bson::Document {
    bson::Document::from_reader(bytes).unwrap()
}

/// What is on disk for a row, and that it reads back.
fn stored<T: Table>(row: &T::Row) -> bson::Document
where
    T::Row: PartialEq + std::fmt::Debug,
{
    let bytes = encode::<T>(row);
    assert_eq!(&decode::<T>(&bytes).unwrap(), row);
    document(&bytes)
}

macro_rules! rows {
    ($($name:ident: $table:ident = $sample:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                for (n, row) in samples::fixed::$sample().iter().enumerate() {
                    insta::assert_debug_snapshot!(format!("{}-{n}", stringify!($name)), stored::<$table>(row));
                }
            }
        )*

        proptest! {
            $(
                #[test]
                fn $sample(row in samples::any::$sample()) {
                    let bytes = encode::<$table>(&row);
                    prop_assert!(check(<$table as Table>::ID, &bytes).is_ok());
                    prop_assert_eq!(decode::<$table>(&bytes).unwrap(), row);
                }
            )*
        }

        #[test]
        fn every_table_is_here() {
            let here = [$(<$table as Table>::ID),*];
            assert_eq!(here, TableId::ALL);
        }

        #[test]
        fn bytes_that_are_no_row_are_an_error() {
            for bytes in [&b""[..], b"\x05\0\0\0\0", b"\xff\xff\xff\x7f\0", b"{}", &[0; 64]] {
                $(
                    let error = decode::<$table>(bytes).err().expect("no row");
                    assert!(error.to_string().contains(<$table as Table>::ID.name()));
                    assert!(check(<$table as Table>::ID, bytes).is_err());
                )*
            }
        }
    };
}

rows! {
    users_on_disk: Users = user,
    usernames_on_disk: Usernames = username,
    applications_on_disk: Applications = application,
    groups_on_disk: Groups = group,
    members_on_disk: Members = member,
    memberships_on_disk: Memberships = membership,
    channels_on_disk: Channels = channel,
    invites_on_disk: Invites = invite,
    invite_codes_on_disk: InviteCodes = invite_code,
    messages_on_disk: Messages = message,
    events_on_disk: Events = event,
    outbox_on_disk: Outbox = outbox,
    marks_on_disk: Marks = mark,
    nodes_on_disk: Nodes = node,
    signing_keys_on_disk: SigningKeys = signing_key,
    read_states_on_disk: ReadStates = read_state,
    mentions_on_disk: Mentions = mention,
    directs_on_disk: Directs = direct,
    pairs_on_disk: Pairs = pair,
    bans_on_disk: Bans = ban,
    purges_on_disk: Purges = purge,
    audit_log_on_disk: AuditLog = audit,
    ended_groups_on_disk: EndedGroups = ended_group,
    pins_on_disk: Pins = pin,
    reactions_on_disk: Reactions = reaction,
    attachments_on_disk: Attachments = attachment,
    restores_on_disk: Restores = restore,
    incarnations_on_disk: Incarnations = incarnation,
    workers_on_disk: Workers = worker,
    shards_on_disk: Shards = shard,
    view_on_disk: View = view,
    requests_on_disk: Requests = request,
    voice_states_on_disk: VoiceStates = voice_state,
    rooms_on_disk: Rooms = room,
    rooms_at_on_disk: RoomsAt = room_at,
    admin_tokens_on_disk: AdminTokens = admin_token,
    admin_acts_on_disk: AdminActs = admin_act,
}

#[test]
fn lanes_on_disk() {
    let row = LaneRow {
        seq: 1 << 40,
        fenced: true,
        refused: vec![0, 511],
    };
    let bytes = bson::serialize_to_vec(&row).unwrap();
    assert_eq!(
        bson::deserialize_from_slice::<LaneRow>(&bytes).unwrap(),
        row
    );
    insta::assert_debug_snapshot!(document(&bytes));
}

#[test]
fn tables_keep_their_names() {
    insta::assert_debug_snapshot!(TableId::ALL.map(TableId::name));
}

proptest! {
    #[test]
    fn an_entity_in_a_key_reads_back(entity in samples::any::entity()) {
        prop_assert_eq!(entity.to_string().parse::<EntityRef>(), Ok(entity));
    }
}
