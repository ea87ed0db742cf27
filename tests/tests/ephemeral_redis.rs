//! What nodes share over a real Redis, and what happens to it when that breaks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a panic in a test is the report, and tests read clocks"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::AsyncCommands;
use rookery_node::clock::SystemClock;
use rookery_node::ephemeral::{Ephemeral, NodeState, RedisOptions as Options};
use rookery_node::limit::Quota;
use rookery_node::presence::{Kin, Scope};
use rookery_protocol::client::presence::Status;
use rookery_protocol::ids::UserId;
use rookery_protocol::limits::VOIDS_QUEUED;
use rookery_tests::contract::ephemeral::{
    ADA, BEN, GROUP, HOURLY, Voids, at, enter, heard, known, layer, look, online, take, until,
};
use rookery_tests::harness::{Listens, RedisOptions, RedisServer};

/// No Redis on a machine that is busy with tests is slower.
const PATIENT: Duration = Duration::from_secs(5);
/// How long requests wait where Redis is made to break: noticeably less than a test may take.
const IMPATIENT: Duration = Duration::from_secs(1);

/// Two nodes and their Redis.
async fn pair(deadline: Duration) -> (RedisServer, [(Ephemeral, Arc<Voids>); 2]) {
    let server = RedisServer::start().await;
    let a = layer(&server, "a", 1, deadline).await;
    let b = layer(&server, "b", 1, deadline).await;
    until("they hear of each other", async || {
        (heard(&a.0).len() == 2 && heard(&b.0).len() == 2).then_some(())
    })
    .await;
    (server, [a, b])
}

/// Waits until Redis was lost, or was there again, so many times.
async fn counted(layer: &Ephemeral, arrivals: u64, losses: u64) {
    until("redis comes or goes", async || {
        let counters = layer.counters();
        (counters.arrivals >= arrivals && counters.losses >= losses).then_some(())
    })
    .await;
    let counters = layer.counters();
    assert_eq!((counters.arrivals, counters.losses), (arrivals, losses));
}

#[tokio::test]
async fn a_limit_counts_what_all_nodes_let_through() {
    let (_server, [(a, _), (b, _)]) = pair(PATIENT).await;
    let quota = Quota::per_seconds(20, 3_600);
    let mut allowed = 0;
    for _ in 0..15 {
        let row = [("ada", quota)];
        let (one, two) = tokio::join!(take(&a, &row), take(&b, &row));
        allowed += usize::from(one[0].is_allowed) + usize::from(two[0].is_allowed);
    }
    assert_eq!(allowed, 20);
    // Who is refused by what a node knows is not asked about.
    let shared = a.counters().limits_shared;
    assert!(!take(&a, &[("ada", quota)]).await[0].is_allowed);
    assert_eq!(a.counters().limits_shared, shared);
}

#[tokio::test]
async fn a_profile_that_one_node_read_is_known_to_the_other() {
    let (server, [(a, _), (b, _)]) = pair(PATIENT).await;
    let (_, reading) = look(&a, ADA).await;
    a.profiles.offer(reading, known(ADA, 3));
    until("b knows it", async || {
        look(&b, ADA).await.0.filter(|&version| version == 3)
    })
    .await;
    assert!(b.counters().profile_hits >= 1);
    let mut client = server.client().await;
    let value: String = client.get("rookery:profile:1").await.unwrap();
    assert!(
        value.starts_with("3 {") && value.contains("name-3"),
        "{value}"
    );
}

#[tokio::test]
async fn an_invalidation_reaches_every_copy_and_no_stale_reading_undoes_it() {
    let (server, [(a, a_voids), (b, b_voids)]) = pair(PATIENT).await;
    let (_, stale) = look(&b, ADA).await;
    a.profiles.offer(look(&a, ADA).await.1, known(ADA, 1));
    until("b knows it", async || look(&b, ADA).await.0).await;
    a_voids.take();
    b_voids.take();
    a.profiles.invalidate(ADA, 2);
    // At home at once.
    assert_eq!(look(&a, ADA).await.0, None);
    let mut b_heard = Vec::new();
    until("b hears of it", async || {
        b_heard.extend(b_voids.take());
        b_heard.contains(&Some((ADA, 2))).then_some(())
    })
    .await;
    assert_eq!(look(&b, ADA).await.0, None);
    // What b read before is neither kept by it nor by Redis.
    b.profiles.offer(stale, known(ADA, 1));
    b.profiles.offer(stale, known(BEN, 1));
    until("what was offered afterwards is there", async || {
        look(&a, BEN).await.0
    })
    .await;
    let mut client = server.client().await;
    let value: String = client.get("rookery:profile:1").await.unwrap();
    assert_eq!(value, "2");
    assert_eq!((look(&a, ADA).await.0, look(&b, ADA).await.0), (None, None));
    // What is as new is.
    b.profiles.offer(look(&b, ADA).await.1, known(ADA, 2));
    until("a knows the new one", async || look(&a, ADA).await.0).await;
    // And nothing older comes over it.
    let (_, fresh) = look(&b, UserId(9)).await;
    b.profiles.offer(fresh, known(ADA, 1));
    b.profiles.offer(fresh, known(UserId(9), 1));
    until("what was offered afterwards is there", async || {
        look(&a, UserId(9)).await.0
    })
    .await;
    let value: String = client.get("rookery:profile:1").await.unwrap();
    assert!(value.starts_with("2 {"), "{value}");
}

#[tokio::test]
async fn people_on_one_node_are_seen_on_the_other() {
    let (_server, [(a, _), (b, _)]) = pair(PATIENT).await;
    enter(&b, 1, BEN, Status::Online);
    b.presence.take();
    enter(&a, 1, ADA, Status::Idle);
    until("b sees ada", async || {
        online(&b, BEN).contains(&(ADA, Status::Idle)).then_some(())
    })
    .await;
    assert_eq!(b.presence.count(GROUP), 2);
    let shown = b.presence.take();
    assert!(
        shown
            .iter()
            .any(|s| s.user == ADA && s.scope == Scope::Group(GROUP, vec![]))
    );
    assert!(!b.presence.knows(ADA), "she has no session there");
    until("a sees ben", async || {
        online(&a, ADA)
            .contains(&(BEN, Status::Online))
            .then_some(())
    })
    .await;
    // Whom she blocks sees her on no node.
    let blocks = Kin {
        friends: Vec::new(),
        blocked: vec![BEN],
    };
    a.presence.relate(ADA, blocks);
    until("she is hidden", async || {
        (online(&b, BEN) == [(BEN, Status::Online)]).then_some(())
    })
    .await;
    a.presence.relate(ADA, Kin::default());
    until("she is seen", async || {
        (online(&b, BEN).len() == 2).then_some(())
    })
    .await;
    b.presence.take();
    a.presence.close(at(1), ADA);
    until("she is gone", async || {
        (online(&b, BEN).len() == 1).then_some(())
    })
    .await;
    let shown = b.presence.take();
    assert!(shown.iter().any(|s| s.user == ADA && s.presence.is_none()));
}

#[tokio::test]
async fn a_node_that_comes_later_sees_who_is_there_and_one_that_ends_takes_its_people_along() {
    let server = RedisServer::start().await;
    let (a, _) = layer(&server, "a", 1, PATIENT).await;
    for user in 1..=1_000 {
        enter(&a, user, UserId(u64::from(user)), Status::Online);
    }
    let (b, _) = layer(&server, "b", 1, PATIENT).await;
    until("b sees all of them", async || {
        (b.presence.count(GROUP) == 1_000).then_some(())
    })
    .await;
    a.hints
        .say(NodeState::Draining, Some("10.0.0.1:7000".to_owned()));
    let drains = (
        "a".to_owned(),
        1,
        NodeState::Draining,
        Some("10.0.0.1:7000".to_owned()),
    );
    until("b hears that it drains", async || {
        (heard(&b)[0] == drains).then_some(())
    })
    .await;
    a.shutdown().await;
    until("b sees nobody", async || {
        (b.presence.count(GROUP) == 0).then_some(())
    })
    .await;
    assert_eq!(heard(&b)[0].2, NodeState::Gone);
    // One that is killed is forgotten as soon as its next run is heard.
    let (a, _) = layer(&server, "a", 2, PATIENT).await;
    enter(&a, 1, ADA, Status::Online);
    until("b sees ada", async || {
        (b.presence.count(GROUP) == 1).then_some(())
    })
    .await;
    drop(a);
    let (_a, _) = layer(&server, "a", 3, PATIENT).await;
    until("b sees nobody", async || {
        (b.presence.count(GROUP) == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn every_key_has_the_prefix_and_expires() {
    let (server, [(a, _), (b, _)]) = pair(PATIENT).await;
    take(&a, &[("ada", HOURLY), ("ada:x", HOURLY)]).await;
    a.profiles.offer(look(&a, ADA).await.1, known(ADA, 1));
    a.profiles.invalidate(BEN, 2);
    enter(&a, 1, ADA, Status::Online);
    until("b hears all of it", async || {
        let is_told = look(&b, ADA).await.0.is_some() && b.presence.count(GROUP) == 1;
        is_told.then_some(())
    })
    .await;
    let mut client = server.client().await;
    let mut kinds = Vec::new();
    until("all kinds of keys are there", async || {
        let keys: Vec<String> = client.keys("*").await.unwrap();
        kinds.clear();
        for key in keys {
            let name = key.strip_prefix("rookery:").expect("the prefix").to_owned();
            let left: i64 = client.pttl(&key).await.unwrap();
            // -2: it has expired meanwhile.
            assert!(left > 0 || left == -2, "{key} lasts for ever");
            kinds.push(name.split(':').next().unwrap().to_owned());
        }
        kinds.sort();
        kinds.dedup();
        let all = ["limit", "node", "nodes", "presence", "probe", "profile"];
        (kinds == all).then_some(())
    })
    .await;
}

/// Everything that a request asks for, and that it does not take long whatever Redis does.
async fn serves(layer: &Ephemeral, bucket: &str) -> bool {
    let begun = Instant::now();
    let decisions = take(layer, &[(bucket, HOURLY)]).await;
    look(layer, ADA).await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    decisions[0].is_allowed
}

#[tokio::test]
async fn a_redis_that_is_killed_and_comes_back_empty_is_filled_again_and_no_limit_is_forgotten() {
    let (mut server, [(a, _), (b, b_voids)]) = pair(IMPATIENT).await;
    enter(&a, 1, ADA, Status::Online);
    until("b sees ada", async || {
        (b.presence.count(GROUP) == 1).then_some(())
    })
    .await;
    for _ in 0..3 {
        assert!(serves(&a, "ada").await);
    }
    server.kill();
    // The last token; also without Redis there are no more.
    assert!(serves(&a, "ada").await);
    for _ in 0..100 {
        assert!(!serves(&a, "ada").await);
    }
    counted(&a, 1, 1).await;
    counted(&b, 1, 1).await;
    // Who was online still is, as far as anybody knows; what changes meanwhile is told later.
    assert_eq!(b.presence.count(GROUP), 1);
    enter(&a, 2, BEN, Status::Online);
    a.profiles.invalidate(ADA, 7);
    b_voids.take();
    server.begin().await;
    counted(&a, 2, 1).await;
    counted(&b, 2, 1).await;
    until("b sees both", async || {
        (b.presence.count(GROUP) == 2).then_some(())
    })
    .await;
    // What b kept before is void, and what a had to tell meanwhile is told.
    assert!(b_voids.take().contains(&None));
    let mut client = server.client().await;
    until("the change is told", async || {
        let value: Option<String> = client.get("rookery:profile:1").await.unwrap();
        value.filter(|value| value == "7")
    })
    .await;
    // Node a has not forgotten, and now tells Redis.
    assert!(!serves(&a, "ada").await);
    until("the nodes hear of each other", async || {
        (heard(&b).len() == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_redis_whose_data_is_wiped_is_filled_again() {
    let (server, [(a, _), (b, _)]) = pair(PATIENT).await;
    enter(&a, 1, ADA, Status::Online);
    until("b sees ada", async || {
        (b.presence.count(GROUP) == 1).then_some(())
    })
    .await;
    let mut client = server.client().await;
    let key = "rookery:presence:a/1";
    let () = redis::cmd("FLUSHALL")
        .query_async(&mut client)
        .await
        .unwrap();
    let () = redis::cmd("SCRIPT")
        .arg("FLUSH")
        .query_async(&mut client)
        .await
        .unwrap();
    until("it is filled", async || {
        client.exists::<_, bool>(key).await.unwrap().then_some(())
    })
    .await;
    assert_eq!(b.presence.count(GROUP), 1);
    assert!(take(&a, &[("ada", HOURLY)]).await[0].is_allowed);
    assert_eq!(a.counters().losses, 0);
}

#[tokio::test]
async fn a_redis_that_hangs_costs_one_wait_and_heals_by_itself() {
    let (server, [(a, _), (b, _)]) = pair(IMPATIENT).await;
    enter(&a, 1, ADA, Status::Online);
    until("b sees ada", async || {
        (b.presence.count(GROUP) == 1).then_some(())
    })
    .await;
    let ages = (a.profiles.max_age(), Some(Duration::from_secs(10)));
    assert_eq!(ages.0, ages.1);
    server.pause();
    counted(&a, 1, 0).await;
    // Many at once: each waits at most once, and the others behind them not at all.
    let begun = Instant::now();
    let buckets: Vec<String> = (0..200).map(|n| format!("user:{n}")).collect();
    let requests = buckets.iter().map(|bucket| serves(&a, bucket));
    let allowed = futures_util::future::join_all(requests).await;
    assert!(allowed.into_iter().all(|is_allowed| is_allowed));
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    counted(&a, 1, 1).await;
    let begun = Instant::now();
    for n in 0..1_000 {
        assert!(serves(&a, &format!("user:{}", n + 1_000)).await);
    }
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    // What was copied is believed for a shorter time while nobody is heard.
    assert_eq!(a.profiles.max_age(), Some(Duration::from_secs(1)));
    // Also who asks for nothing notices.
    counted(&b, 1, 1).await;
    server.resume();
    counted(&a, 2, 1).await;
    counted(&b, 2, 1).await;
    assert_eq!(b.presence.count(GROUP), 1);
    enter(&a, 2, BEN, Status::Online);
    until("b sees ben", async || {
        (b.presence.count(GROUP) == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_is_too_slow_is_not_used_until_it_is_faster() {
    let (server, [(a, _), (_b, _)]) = pair(Duration::from_millis(200)).await;
    let mut client = server.client().await;
    let () = redis::cmd("CLIENT")
        .arg("PAUSE")
        .arg(1_500)
        .arg("ALL")
        .query_async(&mut client)
        .await
        .unwrap();
    assert!(serves(&a, "ada").await);
    let losses = a.counters().losses;
    assert!(losses >= 1 && !a.is_shared());
    assert!(serves(&a, "ada").await);
    until("it is fast again", async || a.is_shared().then_some(())).await;
    assert!(serves(&a, "ada").await);
}

#[tokio::test]
async fn a_redis_that_takes_no_writes_is_as_good_as_none() {
    let (server, [(a, _), (_b, _)]) = pair(PATIENT).await;
    let mut client = server.client().await;
    let mut configure = async |value: &str| {
        let mut set = redis::cmd("CONFIG");
        set.arg("SET").arg("maxmemory").arg(value);
        let () = set.query_async(&mut client).await.unwrap();
    };
    configure("1").await;
    assert!(serves(&a, "ada").await);
    counted(&a, 1, 1).await;
    // It answers pings and is tried again and again, but nothing more is said of it.
    let quota = Quota::per_seconds(1_000_000, 3_600);
    for _ in 0..1_000 {
        take(&a, &[("ben", quota)]).await;
    }
    counted(&a, 1, 1).await;
    configure("0").await;
    counted(&a, 2, 1).await;
    assert!(serves(&a, "ada").await);
}

#[tokio::test]
async fn a_redis_that_is_not_there_at_the_start_is_used_once_it_is() {
    let mut server = RedisServer::start().await;
    server.kill();
    let options = Options::new(server.url().parse().unwrap(), "a", 1);
    let voids = Arc::new(Voids::default());
    let a = Ephemeral::on_redis(options, Arc::new(SystemClock::new()), voids).unwrap();
    assert!(serves(&a, "ada").await);
    counted(&a, 0, 1).await;
    enter(&a, 1, ADA, Status::Online);
    assert_eq!(online(&a, BEN), [(ADA, Status::Online)]);
    server.begin().await;
    until("it is shared", async || a.is_shared().then_some(())).await;
    let (b, _) = layer(&server, "b", 1, PATIENT).await;
    until("b sees ada", async || {
        (b.presence.count(GROUP) == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn too_many_changes_while_redis_is_away_void_everything_elsewhere() {
    let (mut server, [(a, _), (b, b_voids)]) = pair(IMPATIENT).await;
    server.kill();
    counted(&b, 1, 1).await;
    counted(&a, 1, 1).await;
    for user in 0..=VOIDS_QUEUED as u64 {
        a.profiles.invalidate(UserId(user + 1), 2);
    }
    assert_eq!(a.counters().voids_overflowed, 1);
    server.begin().await;
    counted(&b, 2, 1).await;
    // Once for the new connection, and once because it is told.
    let mut everything = 0;
    until("b hears of it", async || {
        everything += b_voids.take().iter().filter(|void| void.is_none()).count();
        (everything >= 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_redis_behind_tls_and_a_password_is_reached_and_a_stranger_is_not_trusted() {
    let options = RedisOptions {
        listens: Listens::Tls,
        password: Some("s3cret".to_owned()),
    };
    let server = RedisServer::start_with(options).await;
    let start = |url: &str, ca| {
        let options = Options {
            ca,
            deadline: PATIENT,
            ..Options::new(url.parse().unwrap(), "a", 1)
        };
        let voids = Arc::new(Voids::default());
        Ephemeral::on_redis(options, Arc::new(SystemClock::new()), voids)
    };
    let authority = || Some(server.authority());
    let a = start(&server.url(), authority()).unwrap();
    until("it is shared", async || a.is_shared().then_some(())).await;
    assert!(take(&a, &[("ada", HOURLY)]).await[0].is_allowed);
    assert_eq!(a.counters().limits_shared, 1);
    let wrong = server.url().replace("s3cret", "guess");
    for (url, ca) in [(server.url(), None), (wrong, authority())] {
        let b = start(&url, ca).unwrap();
        counted(&b, 0, 1).await;
        assert!(take(&b, &[("ada", HOURLY)]).await[0].is_allowed);
    }
    let Err(error) = start(&server.url(), Some("/nowhere.pem".into())) else {
        panic!("the file is not there");
    };
    assert!(
        error
            .to_string()
            .starts_with("the file /nowhere.pem cannot be read")
    );
    let Err(error) = start("redis://:s3cret@0.0.0.0:1", None) else {
        panic!("nobody is everywhere");
    };
    let sentence = format!("{error} {error:?}");
    assert!(!sentence.contains("s3cret"), "{sentence}");
}
