//! Members and groups by the hundred thousand, written straight into a store.

use std::path::Path;
use std::sync::Arc;

use rookery_actors::entity::Publisher;
use rookery_actors::store::{self, Commit, LaneId, SharedStore, Unit, Write};
use rookery_node::clock::SystemClock;
use rookery_node::config::Config;
use rookery_node::node::Node;
use rookery_node::ownership::{Ownership, Sharing};
use rookery_node::store::redb::RedbStore;
use rookery_protocol::document::{
    ChannelKind, ChannelOwner, Channels, GroupDocument, Groups, Key, Login, MemberRow, Members,
    Membership, Memberships, UserDocument, Users,
};
use rookery_protocol::event::Frame;
use rookery_protocol::ids::{ChannelId, GroupId, LoginId, RoleId, UserId};
use rookery_protocol::profile::Profile;
use rookery_protocol::snowflake;
use rookery_protocol::time::Millis;

/// Members in one commit.
const BATCH: usize = 10_000;
/// Groups in one commit: of a cluster's store, where a commit is a transaction with a deadline.
const GROUP_BATCH: usize = 1_000;
/// A day in the upper bits of an id: ids of a day before are minted by nobody any more.
const DAY: u64 = (24 * 3_600 * 1_000) << 22;

struct Nobody;

impl Publisher for Nobody {
    fn publish(&self, _: Arc<Frame>) {}
}

fn rows(n: usize, user: UserId, group: GroupId) -> Vec<Write> {
    let at = Millis(snowflake::created_at(user.0).0);
    let username = format!("seeded{n}");
    let login = Login {
        id: LoginId(user.0),
        generation: 0,
        secret_hash: String::new(),
        device: String::new(),
        address: String::new(),
        created_at: at,
        used_at: at,
    };
    let account = UserDocument {
        schema: UserDocument::SCHEMA,
        version: 1,
        profile: Profile {
            id: user,
            username: username.clone(),
            global_name: Some(format!("Member {n}")),
            avatar: None,
            bot: false,
        },
        email: None,
        password_hash: None,
        operator: false,
        logins: vec![login],
        application: None,
        created_at: at,
        deleted: false,
        suspended: false,
    };
    let member = MemberRow {
        user,
        nick: None,
        roles: Vec::new(),
        joined_at: at,
        username,
        global_name: account.profile.global_name.clone(),
        timeout_until: None,
        mute: false,
        deaf: false,
    };
    vec![
        store::put::<Users>(Key::single(user), &account),
        store::put::<Members>(Key::new(group, user), &member),
        store::put::<Memberships>(Key::new(user, group), &Membership { group }),
    ]
}

fn lane() -> LaneId {
    LaneId {
        node: "seed".to_owned(),
        incarnation: 1,
        index: 0,
    }
}

/// Writes accounts that are members of a group into the folder's store; answers ids and access tokens of the first
/// `online` of them. The tokens are valid for 15 minutes.
pub async fn seed(
    data: &Path,
    group: GroupId,
    members: usize,
    online: usize,
) -> Vec<(UserId, String)> {
    let redb = RedbStore::open(data).expect("the data folder opens");
    let store: SharedStore = Arc::new(redb.clone());
    let first = group.0 - DAY;
    let user = |n: usize| UserId(first + n as u64);
    let lane = lane();
    let mut seq = store.open_lane(&lane).await.expect("a lane");
    let all: Vec<usize> = (0..members).collect();
    for batch in all.chunks(BATCH) {
        seq += 1;
        let unit = Unit {
            entity: group.into(),
            absent: Vec::new(),
            writes: batch
                .iter()
                .flat_map(|&n| rows(n, user(n), group))
                .collect(),
        };
        let commit = Commit {
            lane: lane.clone(),
            seq,
            units: vec![unit],
        };
        store.commit(&commit).await.expect("a commit");
    }
    // A node without sockets signs the tokens.
    let (config, clock) = (Config::default(), Arc::new(SystemClock::new()));
    let ownership = Ownership::start(
        Arc::clone(&store),
        Sharing::Alone,
        &config.node,
        Arc::clone(&clock),
    );
    let run = ownership.run().await.expect("an incarnation");
    let node = Node::start(Arc::new(config), store, None, clock, run, Arc::new(Nobody));
    let node = node.await.expect("a node");
    let token = |n: usize| {
        let (user, login) = (user(n), LoginId(user(n).0));
        let token = node.app.auth.access_token(user, login);
        (user, token.expect("a key"))
    };
    let tokens = (0..online).map(token).collect();
    node.shutdown().await;
    ownership.end().await;
    drop(node);
    redb.close();
    tokens
}

/// Writes so many groups like one that is there, each with its owner and one text channel, beside nodes that may be running;
/// answers them.
pub async fn seed_groups(
    store: &SharedStore,
    like: GroupId,
    groups: usize,
) -> Vec<(GroupId, ChannelId)> {
    let document = store::get::<Groups>(store.as_ref(), &Key::single(like)).await;
    let document = document.expect("a store").expect("a group");
    let member = Key::new(like, document.owner);
    let member = store::get::<Members>(store.as_ref(), &member).await;
    let member = member.expect("a store").expect("its owner");
    let all: Vec<_> = (0..groups as u64)
        .map(|n| {
            let id = like.0 - DAY + 2 * n;
            (GroupId(id), ChannelId(id + 1))
        })
        .collect();
    let lane = lane();
    let mut seq = store.open_lane(&lane).await.expect("a lane");
    for batch in all.chunks(GROUP_BATCH) {
        seq += 1;
        let unit = Unit {
            entity: like.into(),
            absent: Vec::new(),
            writes: batch
                .iter()
                .flat_map(|&(group, channel)| copy(&document, &member, group, channel))
                .collect(),
        };
        let commit = Commit {
            lane: lane.clone(),
            seq,
            units: vec![unit],
        };
        store.commit(&commit).await.expect("a commit");
    }
    all
}

/// The rows of a group that is like another one.
fn copy(like: &GroupDocument, owner: &MemberRow, id: GroupId, channel: ChannelId) -> [Write; 4] {
    let mut document = like.clone();
    document.id = id;
    document.system_channel = None;
    document.roles.truncate(1);
    document.roles[0].id = RoleId(id.0);
    document
        .channels
        .retain(|channel| channel.kind == ChannelKind::Text);
    document.channels.truncate(1);
    document.channels[0].id = channel;
    document.channels[0].parent = None;
    [
        store::insert::<Groups>(Key::single(id), &document),
        store::insert::<Members>(Key::new(id, owner.user), owner),
        store::insert::<Memberships>(Key::new(owner.user, id), &Membership { group: id }),
        store::insert::<Channels>(Key::single(channel), &ChannelOwner { group: id }),
    ]
}
