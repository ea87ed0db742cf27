//! From a key to an act: what is offered, confirmed and begun.

use rookery_protocol::inspect::{Act, ActorDetail, ActorId};

use super::acts::{Acting, Choose, Confirm, Notice, Popup, consequence};
use super::{Console, Entry, entries};
use crate::console::input::Effect;

impl Console {
    /// Says why nothing is offered.
    pub(super) fn refuse(&mut self, text: String) {
        self.notice = Some(Notice {
            text,
            is_failure: true,
        });
    }

    fn offer(&mut self, act: Act) {
        let consequence = consequence(&act, self.detail_of(&act));
        self.popup = Some(Popup::Confirm(Confirm { act, consequence }));
    }

    /// What is known of the actor of an act.
    fn detail_of(&self, act: &Act) -> Option<&ActorDetail> {
        let (Act::Restart { actor } | Act::Passivate { actor } | Act::Migrate { actor, .. }) = act
        else {
            return None;
        };
        let detail = self.feeds.actor.data.as_ref()?;
        (detail.row.actor == *actor).then_some(detail)
    }

    pub(super) fn offer_restart(&mut self, actor: Option<ActorId>) {
        if let Some(actor) = actor {
            self.offer(Act::Restart { actor });
        }
    }

    pub(super) fn offer_passivate(&mut self, actor: Option<ActorId>) {
        if let Some(actor) = actor {
            self.offer(Act::Passivate { actor });
        }
    }

    pub(super) fn offer_migrate(&mut self, actor: Option<ActorId>) {
        let Some(actor) = actor else { return };
        let nodes = self.feeds.nodes.data.as_ref();
        let nodes = nodes
            .map(|nodes| nodes.nodes.as_slice())
            .unwrap_or_default();
        let names = nodes.iter().map(|row| Some(row.node.clone()));
        self.popup = Some(Popup::Choose(Choose {
            actor,
            nodes: names.chain([None]).collect(),
            index: 0,
        }));
    }

    /// A node was chosen for an actor.
    pub(super) fn chosen(&mut self, choose: Choose) {
        if let Some(to) = choose.nodes.into_iter().nth(choose.index) {
            let actor = choose.actor;
            self.offer(Act::Migrate { actor, to });
        }
    }

    pub(super) fn offer_drain(&mut self, node: Option<String>, stay: bool) {
        if let Some(node) = node.and_then(|node| self.answering(node)) {
            self.offer(Act::Drain { node, stay });
        }
    }

    pub(super) fn offer_undrain(&mut self, node: Option<String>) {
        if let Some(node) = node.and_then(|node| self.answering(node)) {
            self.offer(Act::Undrain { node });
        }
    }

    /// The node, if it would hear of an act.
    fn answering(&mut self, node: String) -> Option<String> {
        let nodes = self.feeds.nodes.data.as_ref()?;
        let entry = entries(nodes).into_iter().find(|it| it.name() == node);
        match entry {
            Some(Entry::Up(_)) => return Some(node),
            Some(Entry::Silent(silent)) => {
                let why = silent.why.clone();
                self.refuse(format!(
                    "nothing can be done: {node} does not answer: {why}"
                ));
            }
            None => self.refuse(format!(
                "nothing can be done: there is no node {node} any more"
            )),
        }
        None
    }

    /// An act was confirmed.
    pub(super) fn begin(&mut self, act: Act, out: &mut Vec<Effect>) {
        if self.acting.iter().any(|acting| acting.act == act) {
            self.refuse(format!("{act} is under way already"));
            return;
        }
        self.notice = None;
        self.acting.push(Acting {
            act: act.clone(),
            since: self.now,
        });
        out.push(Effect::Act(act));
    }
}
