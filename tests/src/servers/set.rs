//! A replica set of several members.

use std::time::Duration;

use mongodb::Client;
use mongodb::bson::doc;

use super::Proxy;
use super::mongod::{Mongod, MongodOptions, SET, serves, until};

/// How long members may take to elect one of them: they wait 10 s before they begin, and may have to begin again.
const ELECTION: Duration = Duration::from_secs(60);

/// A replica set, each member behind a proxy of its own: by its proxy a member is known to clients and to the other members.
#[derive(Debug)]
pub struct MongoSet {
    members: Vec<Mongod>,
    proxies: Vec<Proxy>,
}

impl MongoSet {
    /// A set with a primary.
    pub async fn start(members: usize) -> Self {
        let starting = (0..members).map(|_| Mongod::start_bare(MongodOptions::default()));
        let members = futures_util::future::join_all(starting).await;
        let mut proxies = Vec::new();
        for member in &members {
            proxies.push(Proxy::to(member.address()).await);
        }
        let hosts: Vec<String> = proxies.iter().map(|p| p.address().to_string()).collect();
        members[0].initiate(&hosts).await;
        let set = Self { members, proxies };
        set.settled().await;
        set
    }

    /// The URL of a database on it.
    pub fn url(&self, database: &str) -> String {
        let hosts: Vec<_> = self
            .proxies
            .iter()
            .map(|p| p.address().to_string())
            .collect();
        format!("mongodb://{}/{database}?replicaSet={SET}", hosts.join(","))
    }

    /// A member, in the order of the URL.
    pub fn member(&mut self, index: usize) -> &mut Mongod {
        &mut self.members[index]
    }

    /// The wire to a member.
    pub fn proxy(&self, index: usize) -> &Proxy {
        &self.proxies[index]
    }

    /// A client of the whole set.
    pub async fn client(&self) -> Client {
        let client = Client::with_uri_str(self.url("admin")).await;
        client.expect("a client")
    }

    /// Which member is the primary; waits until one is.
    pub async fn primary(&self) -> usize {
        let hello = tokio::time::timeout(ELECTION, async {
            let client = self.client().await;
            loop {
                let admin = client.database("admin");
                if let Ok(hello) = admin.run_command(doc! { "hello": 1 }).await
                    && hello.get_bool("isWritablePrimary").unwrap_or(false)
                {
                    return hello;
                }
            }
        })
        .await
        .expect("a primary");
        let me = hello.get_str("me").expect("a name");
        let mut names = self.proxies.iter().map(|p| p.address().to_string());
        names.position(|name| name == me).expect("one of ours")
    }

    /// Waits until every member is the primary or follows it.
    pub async fn settled(&self) {
        for member in &self.members {
            let admin = member.client().await.database("admin");
            until(&admin, "a member that follows", serves).await;
        }
    }

    /// Has the primary step down, and waits for the next one.
    pub async fn step_down(&self) -> usize {
        let old = self.primary().await;
        let admin = self.members[old].client().await.database("admin");
        // The answer may be a closed connection.
        let _ = admin
            .run_command(doc! { "replSetStepDown": 30, "secondaryCatchUpPeriodSecs": 10 })
            .await;
        until(&admin, "a primary that stepped down", |hello| {
            !hello.get_bool("isWritablePrimary").unwrap_or(true)
        })
        .await;
        self.primary().await
    }
}
