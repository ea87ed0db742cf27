//! Where the console has its answers from.

use async_trait::async_trait;
use rookery_protocol::inspect::{
    Act, ActRecord, Acted, ActorDetail, ActorId, ActorKind, Nodes, Rooms, Sessions, Sort, Top,
    TracePart, TreeNode, Warnings,
};

use super::input::{Answer, Ask};

/// A cluster that answers, by whatever way.
///
/// What goes wrong is said in a few words, which are shown. A question that is not answered within some seconds is given
/// up; an act is waited for.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// Its nodes.
    ///
    /// # Errors
    /// Why there is no answer; the same for all others here.
    async fn nodes(&self) -> Result<Nodes, String>;
    /// Its busiest actors, of one kind and node if they are named.
    async fn top(
        &self,
        sort: Sort,
        kind: Option<ActorKind>,
        node: Option<&str>,
        limit: u32,
    ) -> Result<Top, String>;
    /// All about an actor.
    async fn actor(&self, actor: ActorId) -> Result<ActorDetail, String>;
    /// Who supervises whom: a root with a child per node.
    async fn tree(&self) -> Result<TreeNode, String>;
    /// Its voice rooms.
    async fn rooms(&self) -> Result<Rooms, String>;
    /// The sessions of a user.
    async fn sessions(&self, user: u64) -> Result<Sessions, String>;
    /// What it warns of.
    async fn warnings(&self) -> Result<Warnings, String>;
    /// What operators did, the newest first.
    async fn acts(&self) -> Result<Vec<ActRecord>, String>;
    /// What an actor was sent since this trace was last asked for; asked about twice a second.
    async fn trace(&self, trace: u64, actor: ActorId) -> Result<TracePart, String>;
    /// Does something.
    async fn act(&self, act: &Act) -> Result<Acted, String>;
}

/// Asks a source what the console wants to know.
pub(super) async fn answer(source: &dyn Source, ask: &Ask) -> Result<Answer, String> {
    Ok(match ask {
        Ask::Nodes => Answer::Nodes(source.nodes().await?),
        Ask::Top {
            sort,
            kind,
            node,
            limit,
        } => Answer::Top(source.top(*sort, *kind, node.as_deref(), *limit).await?),
        Ask::Actor(actor) => Answer::Actor(source.actor(*actor).await?),
        Ask::Tree => Answer::Tree(source.tree().await?),
        Ask::Rooms => Answer::Rooms(source.rooms().await?),
        Ask::Sessions(user) => Answer::Sessions(source.sessions(*user).await?),
        Ask::Warnings => Answer::Warnings(source.warnings().await?),
        Ask::Acts => Answer::Acts(source.acts().await?),
        Ask::Trace { trace, actor } => Answer::Trace(source.trace(*trace, *actor).await?),
    })
}
