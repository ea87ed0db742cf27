//! The publisher of a node among others: frames go to the lanes here, and one to each peer that wants the topic.

use std::sync::Arc;

use rookery_actors::entity::Publisher;
use rookery_actors::link::Class;
use rookery_protocol::cluster::Envelope;
use rookery_protocol::event::{Act, Frame, FrameSeq};

use super::Cluster;

/// Publishes here and elsewhere.
pub struct Fanout {
    /// The lanes of this node.
    pub here: Arc<dyn Publisher>,
    /// The other nodes.
    pub cluster: Arc<Cluster>,
}

impl Publisher for Fanout {
    fn publish(&self, frame: Arc<Frame>) {
        self.here.publish(Arc::clone(&frame));
        let topic = frame.topic;
        for peer in self.cluster.interests.wanting(topic) {
            let (gseq, class) = match frame.seq {
                FrameSeq::Logged(gseq) => (gseq, Class::Must),
                FrameSeq::Value(gseq) if frame.event.act == Act::Announce => (gseq, Class::Must),
                // Typing and the like: worth nothing once it is late.
                FrameSeq::Value(gseq) => (gseq, Class::May),
            };
            let event = Envelope::Event(Frame::clone(&frame));
            let is_sent = self.cluster.send(&peer.id, event, class);
            if !is_sent && class == Class::Must {
                peer.fell_behind(topic, gseq);
            }
        }
    }
}
