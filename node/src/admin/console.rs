//! The console's way to a cluster.

use async_trait::async_trait;
use rookery_protocol::inspect::{
    Act, ActRecord, Acted, ActorDetail, ActorId, ActorKind, Nodes, Rooms, Sessions, Sort, Top,
    TracePart, TreeNode, Warnings,
};

use super::api::Api;
use super::client::AdminError;
use crate::console::Source;
use crate::inspect::survey::TopQuery;

fn sentence(error: AdminError) -> String {
    error.to_string()
}

#[async_trait]
impl Source for Api {
    async fn nodes(&self) -> Result<Nodes, String> {
        Api::nodes(self).await.map_err(sentence)
    }

    async fn top(
        &self,
        sort: Sort,
        kind: Option<ActorKind>,
        node: Option<&str>,
        limit: u32,
    ) -> Result<Top, String> {
        let query = TopQuery {
            sort,
            kind,
            node: node.map(str::to_owned),
            limit,
        };
        Api::top(self, &query).await.map_err(sentence)
    }

    async fn actor(&self, actor: ActorId) -> Result<ActorDetail, String> {
        Api::actor(self, actor).await.map_err(sentence)
    }

    async fn tree(&self) -> Result<TreeNode, String> {
        let children = Api::tree(self).await.map_err(sentence)?;
        Ok(TreeNode {
            name: "cluster".to_owned(),
            what: format!("{} nodes", children.len()),
            children,
        })
    }

    async fn rooms(&self) -> Result<Rooms, String> {
        Api::rooms(self).await.map_err(sentence)
    }

    async fn sessions(&self, user: u64) -> Result<Sessions, String> {
        Api::sessions(self, user).await.map_err(sentence)
    }

    async fn warnings(&self) -> Result<Warnings, String> {
        Api::warnings(self).await.map_err(sentence)
    }

    async fn acts(&self) -> Result<Vec<ActRecord>, String> {
        Api::acts(self).await.map_err(sentence)
    }

    async fn trace(&self, trace: u64, actor: ActorId) -> Result<TracePart, String> {
        Api::trace(self, trace, actor).await.map_err(sentence)
    }

    async fn act(&self, act: &Act) -> Result<Acted, String> {
        Api::act(self, act).await.map_err(sentence)
    }
}
