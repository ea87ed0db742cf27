//! The admin API as commands and the console use it: a call each, over a connection of its own.

use hyper::Method;
use rookery_protocol::inspect::{
    Act, ActRecord, Acted, ActorDetail, ActorId, NewToken, Nodes, Rooms, Sessions, TokenRow, Top,
    TracePart, TreeNode, Warnings,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::client::{Admin, AdminError, Door};
use crate::inspect::survey::TopQuery;

/// The admin API of a node.
#[derive(Clone)]
pub struct Api(Door);

impl Api {
    /// Behind a door.
    pub fn new(door: Door) -> Self {
        Self(door)
    }

    async fn connect(&self) -> Result<Admin, AdminError> {
        match (self.0.connect().await?, &self.0) {
            (Some(admin), _) => Ok(admin),
            (None, Door::Here(folder)) => Err(AdminError::Nobody(folder.clone())),
            (None, Door::There(_)) => Err(AdminError::Cut),
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<T, AdminError> {
        self.connect().await?.read(method, path, body).await
    }

    /// Has the node itself end in order, and waits until it has.
    ///
    /// # Errors
    /// See [`Api::nodes`].
    pub async fn drain(&self) -> Result<(), AdminError> {
        self.connect().await?.drain().await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, AdminError> {
        self.call(Method::GET, path, None).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, AdminError> {
        let body = serde_json::to_vec(body).map_err(|_| AdminError::Cut)?;
        self.call(Method::POST, path, Some(body)).await
    }

    /// All nodes.
    ///
    /// # Errors
    /// As with all of these: the node is not reached, or refuses.
    pub async fn nodes(&self) -> Result<Nodes, AdminError> {
        self.get("/nodes").await
    }

    /// The busiest actors.
    ///
    /// # Errors
    /// See [`Api::nodes`].
    pub async fn top(&self, query: &TopQuery) -> Result<Top, AdminError> {
        let mut path = format!("/actors?sort={}&limit={}", query.sort.name(), query.limit);
        if let Some(kind) = query.kind {
            path.push_str(&format!("&kind={kind}"));
        }
        if let Some(node) = &query.node {
            path.push_str(&format!("&node={node}"));
        }
        self.get(&path).await
    }

    /// All about an actor.
    ///
    /// # Errors
    /// See [`Api::nodes`].
    pub async fn actor(&self, actor: ActorId) -> Result<ActorDetail, AdminError> {
        self.get(&format!("/actors/{actor}")).await
    }

    /// The next part of a trace.
    ///
    /// # Errors
    /// See [`Api::nodes`].
    pub async fn trace(&self, trace: u64, actor: ActorId) -> Result<TracePart, AdminError> {
        self.get(&format!("/actors/{actor}/trace/{trace}")).await
    }

    /// The supervision trees.
    ///
    /// # Errors
    /// See [`Api::nodes`].
    pub async fn tree(&self) -> Result<Vec<TreeNode>, AdminError> {
        self.get("/tree").await
    }

    /// All rooms.
    ///
    /// # Errors
    /// See [`Api::nodes`].
    pub async fn rooms(&self) -> Result<Rooms, AdminError> {
        self.get("/rooms").await
    }

    /// The sessions of a user.
    ///
    /// # Errors
    /// See [`Api::nodes`].
    pub async fn sessions(&self, user: u64) -> Result<Sessions, AdminError> {
        self.get(&format!("/sessions/{user}")).await
    }

    /// What nodes warn of.
    ///
    /// # Errors
    /// See [`Api::nodes`].
    pub async fn warnings(&self) -> Result<Warnings, AdminError> {
        self.get("/warnings").await
    }

    /// Does something.
    ///
    /// # Errors
    /// See [`Api::nodes`].
    pub async fn act(&self, act: &Act) -> Result<Acted, AdminError> {
        self.post("/acts", act).await
    }

    /// What operators did, the latest first.
    ///
    /// # Errors
    /// See [`Api::nodes`].
    pub async fn acts(&self) -> Result<Vec<ActRecord>, AdminError> {
        self.get("/acts").await
    }

    /// The tokens.
    ///
    /// # Errors
    /// See [`Api::nodes`].
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, AdminError> {
        self.get("/tokens").await
    }

    /// Makes a token.
    ///
    /// # Errors
    /// See [`Api::nodes`].
    pub async fn make_token(&self, new: &NewToken) -> Result<Acted, AdminError> {
        self.post("/tokens", new).await
    }

    /// Ends a token.
    ///
    /// # Errors
    /// See [`Api::nodes`].
    pub async fn revoke_token(&self, name: &str) -> Result<Acted, AdminError> {
        let path = format!("/tokens/{name}");
        self.call(Method::DELETE, &path, None).await
    }
}
