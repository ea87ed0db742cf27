//! What ractor's node server tells of its sessions, taken to the lines they run over.

use std::sync::Arc;

use ractor_cluster::NodeEventSubscription;
use ractor_cluster::node::NodeServerSessionInformation;
use rookery_protocol::cluster::full_name;

use super::counters::Refusal;
use super::line::Death;
use super::link::Link;
use super::shared::Shared;

/// Hears ractor's events. A session is known by the label of its line, which ractor calls its address.
pub(super) struct Events(pub(super) Arc<Shared>);

impl Events {
    fn link(&self, session: &NodeServerSessionInformation) -> Option<Arc<Link>> {
        self.0.link_of_label(&session.peer_addr)
    }
}

/// Whether the session has the name that the certificate allows. The scanner has seen to that; this is behind it.
fn is_named(link: &Link, session: &NodeServerSessionInformation) -> bool {
    let name = session.peer_name.as_ref().map(|name| name.name.as_str());
    name == Some(full_name(&link.peer).as_str())
}

impl NodeEventSubscription for Events {
    fn node_session_opened(&self, _: NodeServerSessionInformation) {}

    fn node_session_disconnected(&self, session: NodeServerSessionInformation) {
        if let Some(link) = self.link(&session) {
            link.line.forget();
        }
    }

    fn node_session_authenticated(&self, session: NodeServerSessionInformation) {
        match self.link(&session) {
            Some(link) if is_named(&link, &session) => {}
            Some(link) => link.line.kill(Death::Refused(Refusal::Name)),
            // A session that did not come over a line of ours.
            None => session.actor.stop(None),
        }
    }

    fn node_session_ready(&self, session: NodeServerSessionInformation) {
        if let Some(link) = self.link(&session).filter(|link| is_named(link, &session)) {
            link.line.ready(session.node_id);
        }
    }
}
