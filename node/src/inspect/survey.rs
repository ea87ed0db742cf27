//! All nodes: each is asked, and what they say is put together. Who does not answer within [`PATIENCE`] is named.

use std::sync::Arc;

use futures_util::future::join_all;
use rookery_actors::entity::Clock;
use rookery_protocol::document::{IncarnationId, NodeState};
use rookery_protocol::inspect::{
    Act, Acted, ActorDetail, ActorId, ActorKind, ActorRow, Nodes, Question, Rooms, Said, Sessions,
    Silent, Sort, Top, TracePart, TreeNode, Warning, WarningKind, Warnings,
};

use super::{Inspector, PATIENCE};
use crate::cluster::Cluster;

/// Milliseconds by which clocks of nodes may differ.
const SKEW_MS: u64 = 500;

/// Sorts actors, those with the most of something first.
pub(super) fn sort(actors: &mut [ActorRow], sort: Sort) {
    let key = |row: &ActorRow| match sort {
        Sort::Depth => (row.depth as f64, row.busy),
        Sort::Busy => (row.busy, row.per_second),
        Sort::Wait => (row.wait_ms, row.busy),
        Sort::Rate => (row.per_second, row.busy),
        Sort::Restarts => (row.restarts as f64, row.busy),
    };
    actors.sort_by(|a, b| {
        let ((a1, a2), (b1, b2)) = (key(a), key(b));
        let order = b1.total_cmp(&a1).then(b2.total_cmp(&a2));
        order.then(a.actor.cmp(&b.actor))
    });
}

/// What one asks for about actors.
#[derive(Debug, Clone)]
pub struct TopQuery {
    /// In which order.
    pub sort: Sort,
    /// Only these.
    pub kind: Option<ActorKind>,
    /// Only at this node.
    pub node: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// Why something cannot be answered or done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// There is no such actor or node.
    #[error("{0}")]
    Unknown(String),
    /// A node does not answer.
    #[error("{0}")]
    Silent(String),
    /// It is refused.
    #[error("{0}")]
    Refused(String),
}

impl Inspector {
    fn others(&self) -> Vec<(Arc<Cluster>, IncarnationId)> {
        let Some(cluster) = &self.parts.cluster else {
            return Vec::new();
        };
        let nodes = cluster.view().nodes.into_iter();
        let others =
            nodes.filter(|node| node.state != NodeState::Evicted && node.id != self.parts.id);
        others.map(|node| (Arc::clone(cluster), node.id)).collect()
    }

    /// Asks every node, or one; what each says, and who says nothing.
    async fn ask(
        self: &Arc<Self>,
        question: &Question,
        only: Option<&str>,
    ) -> (Vec<(String, Said)>, Vec<Silent>) {
        let wanted = |node: &str| only.is_none_or(|only| only == node);
        let here = async {
            let me = self.node();
            if !wanted(me) {
                return None;
            }
            let said = tokio::time::timeout(PATIENCE, self.answer(question.clone())).await;
            Some((me.to_owned(), said.ok()))
        };
        let others = self.others().into_iter().filter(|(_, id)| wanted(&id.node));
        let others = others.map(|(cluster, id)| async move {
            let said = cluster.inspect(&id, question, PATIENCE).await;
            (id.node, said)
        });
        let (here, others) = tokio::join!(here, join_all(others));
        let mut answers = Vec::new();
        let mut silent = Vec::new();
        for (node, said) in here.into_iter().chain(others) {
            match said {
                Some(said) => answers.push((node, said)),
                None => silent.push(Silent {
                    node,
                    why: format!("no answer within {} ms", PATIENCE.as_millis()),
                }),
            }
        }
        answers.sort_by(|a, b| a.0.cmp(&b.0));
        silent.sort();
        (answers, silent)
    }

    /// Whether a node is in the cluster.
    fn require_node(&self, node: Option<&str>) -> Result<(), Trouble> {
        let Some(node) = node else { return Ok(()) };
        let is_other = self.others().iter().any(|(_, id)| id.node == node);
        if node == self.node() || is_other {
            Ok(())
        } else {
            Err(Trouble::Unknown(format!("there is no node {node}")))
        }
    }

    /// All nodes.
    pub async fn nodes(self: &Arc<Self>) -> Nodes {
        let (answers, silent) = self.ask(&Question::Node, None).await;
        let nodes = answers.into_iter().filter_map(|(_, said)| match said {
            Said::Node(row) => Some(row),
            _ => None,
        });
        Nodes {
            nodes: nodes.collect(),
            silent,
        }
    }

    /// The busiest actors.
    ///
    /// # Errors
    /// There is no such node.
    pub async fn busiest(self: &Arc<Self>, query: &TopQuery) -> Result<Top, Trouble> {
        self.require_node(query.node.as_deref())?;
        let question = Question::Top {
            sort: query.sort,
            kind: query.kind,
            limit: query.limit,
        };
        let (answers, silent) = self.ask(&question, query.node.as_deref()).await;
        let mut top = Top {
            silent,
            ..Top::default()
        };
        for (_, said) in answers {
            if let Said::Top(part) = said {
                top.actors.extend(part.actors);
                top.active += part.active;
            }
        }
        sort(&mut top.actors, query.sort);
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        top.actors.truncate(limit);
        Ok(top)
    }

    /// What the node that has an actor says.
    async fn of_actor(
        self: &Arc<Self>,
        actor: ActorId,
        question: &Question,
    ) -> Result<(String, Said), Trouble> {
        let (answers, silent) = self.ask(question, None).await;
        let mut answers = answers.into_iter();
        let found = answers.find(|(_, said)| !matches!(said, Said::Elsewhere));
        found.ok_or_else(|| {
            if silent.is_empty() {
                Trouble::Unknown(format!(
                    "{actor} is not active: there is no such actor, or nobody needs it at the moment"
                ))
            } else {
                let silent: Vec<String> = silent.into_iter().map(|silent| silent.node).collect();
                Trouble::Silent(format!(
                    "{actor} is not at a node that answers; silent: {}",
                    silent.join(", ")
                ))
            }
        })
    }

    /// All about an actor.
    ///
    /// # Errors
    /// It is not active, or its node is silent.
    pub async fn detail(self: &Arc<Self>, actor: ActorId) -> Result<ActorDetail, Trouble> {
        match self.of_actor(actor, &Question::Actor { actor }).await? {
            (_, Said::Actor(detail)) => Ok(detail),
            (node, said) => Err(misunderstood(&node, said)),
        }
    }

    /// What a trace has seen since it was last asked.
    ///
    /// # Errors
    /// The actor is not active, or cannot be traced.
    pub async fn traced(
        self: &Arc<Self>,
        trace: u64,
        actor: ActorId,
    ) -> Result<TracePart, Trouble> {
        let question = Question::Trace { trace, actor };
        match self.of_actor(actor, &question).await? {
            (_, Said::Trace(part)) => Ok(part),
            (node, said) => Err(misunderstood(&node, said)),
        }
    }

    /// The supervision tree of each node.
    pub async fn trees(self: &Arc<Self>) -> Vec<TreeNode> {
        let (answers, silent) = self.ask(&Question::Tree, None).await;
        let mut trees: Vec<TreeNode> = answers
            .into_iter()
            .filter_map(|(_, said)| match said {
                Said::Tree(tree) => Some(tree),
                _ => None,
            })
            .collect();
        trees.extend(silent.into_iter().map(|silent| TreeNode {
            name: silent.node,
            what: silent.why,
            children: Vec::new(),
        }));
        trees
    }

    /// All rooms.
    pub async fn all_rooms(self: &Arc<Self>) -> Rooms {
        let (answers, silent) = self.ask(&Question::Rooms, None).await;
        let mut rooms = Vec::new();
        for (_, said) in answers {
            if let Said::Rooms(part) = said {
                rooms.extend(part);
            }
        }
        rooms.sort_by(|a, b| (b.people, &a.channel).cmp(&(a.people, &b.channel)));
        Rooms { rooms, silent }
    }

    /// The sessions of a user.
    pub async fn sessions(self: &Arc<Self>, user: u64) -> Sessions {
        let (answers, silent) = self.ask(&Question::Sessions { user }, None).await;
        let mut sessions = Vec::new();
        for (_, said) in answers {
            if let Said::Sessions(part) = said {
                sessions.extend(part);
            }
        }
        Sessions { sessions, silent }
    }

    /// What all nodes warn of; and what only who asks all can see: who is silent, and whose clock is wrong.
    pub async fn all_warnings(self: &Arc<Self>) -> Warnings {
        let before = self.parts.app.clock.now().0;
        let (answers, silent) = self.ask(&Question::Warnings, None).await;
        let mut all = Warnings {
            silent: silent.clone(),
            ..Warnings::default()
        };
        for (_, said) in answers {
            if let Said::Warnings(part) = said {
                all.warnings.extend(part.warnings);
                for (kind, count) in part.counts {
                    *all.counts.entry(kind).or_default() += count;
                }
            }
        }
        let nodes = self.nodes().await;
        let after = self.parts.app.clock.now().0;
        let mut more = |node: String, kind, what| {
            all.warnings.push(Warning {
                kind,
                node,
                actor: None,
                what,
                since_ms: after,
                last_ms: after,
            });
        };
        for row in nodes.nodes {
            let ahead = row.now_ms.saturating_sub(after);
            let behind = before.saturating_sub(row.now_ms);
            let skew = ahead.max(behind);
            if skew > SKEW_MS {
                let me = self.node();
                let what = format!(
                    "the clock of {} differs from that of {me} by {skew} ms: have both follow a time server",
                    row.node
                );
                more(row.node, WarningKind::ClockSkew, what);
            }
        }
        for Silent { node, why } in silent {
            let what =
                format!("{node} does not answer ({why}): it hangs, or the network to it is cut");
            more(node, WarningKind::Silent, what);
        }
        all.warnings
            .sort_by_key(|warning| std::cmp::Reverse(warning.last_ms));
        all
    }

    /// Has an actor's node, or a node, do something.
    ///
    /// # Errors
    /// It is refused, or nobody can do it.
    pub async fn order(self: &Arc<Self>, act: Act) -> Result<Acted, Trouble> {
        let question = Question::Act { act: act.clone() };
        let (node, said) = match &act {
            Act::Restart { actor } | Act::Passivate { actor } => {
                self.of_actor(*actor, &question).await?
            }
            Act::Migrate { actor, to } => {
                self.require_node(to.as_deref())?;
                if actor.kind == ActorKind::Room {
                    self.of_actor(*actor, &question).await?
                } else {
                    (self.node().to_owned(), self.answer(question).await)
                }
            }
            Act::Drain { node, .. } | Act::Undrain { node } => {
                self.require_node(Some(node))?;
                let (mut answers, silent) = self.ask(&question, Some(node)).await;
                match (answers.pop(), silent.first()) {
                    (Some(answer), _) => answer,
                    (None, silent) => {
                        let why = silent.map(|silent| silent.why.clone()).unwrap_or_default();
                        return Err(Trouble::Silent(format!("{node} does not answer: {why}")));
                    }
                }
            }
            Act::Suspend { .. }
            | Act::ResetPassword { .. }
            | Act::MakeOperator { .. }
            | Act::MakeToken { .. }
            | Act::RevokeToken { .. }
            | Act::Backup { .. } => (self.node().to_owned(), self.answer(question).await),
        };
        match said {
            Said::Acted(acted) => Ok(acted),
            said => Err(misunderstood(&node, said)),
        }
    }
}

fn misunderstood(node: &str, said: Said) -> Trouble {
    match said {
        Said::Refused(why) => Trouble::Refused(why),
        Said::Elsewhere => Trouble::Unknown("it is not active".to_owned()),
        _ => Trouble::Refused(format!(
            "{node} answers something else: it runs another version"
        )),
    }
}
