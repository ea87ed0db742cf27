//! What the member wants done.

use rookery_actors::entity::SharedMinter;
use rookery_actors::ownership::{Effect, Input, Op, Standing, release};
use rookery_protocol::time::Millis;

use super::Hands;
use super::calls::Purpose;
use super::lane::Tag;
use super::relay::Relay;
use crate::broken::Broken;
use crate::database::Call;
use crate::network::Place;
use crate::packet::Packet;

impl Hands<'_> {
    pub(super) fn effect(&mut self, effect: Effect) {
        let is_beat = match &effect {
            Effect::Decide { op, .. } => matches!(op, Op::Renew { .. } | Op::Reserve(_)),
            Effect::Lease(_) | Effect::Read { .. } | Effect::Ceiling(_) | Effect::Hint => true,
            _ => false,
        };
        if !is_beat {
            let index = self.node.index;
            self.sim.note(|| format!("n{index} {effect:?}"));
        }
        match effect {
            Effect::Decide { ticket, op } => self.call(Purpose::Decide(ticket), Call::Decide(op)),
            Effect::Read { ticket, what } => self.call(Purpose::Read(ticket), Call::Read(what)),
            Effect::Fence { ticket, .. } if self.sim.is(Broken::SkipFence) => {
                let result = Ok(());
                self.inputs.push_back(Input::LaneFenced { ticket, result });
            }
            Effect::Fence { ticket, lane } => self.call(Purpose::Fence(ticket), Call::Fence(lane)),
            Effect::Begun {
                id,
                worker,
                id_floor,
            } => {
                self.node.begun += 1;
                let floor = if self.sim.is(Broken::IgnoreFloor) {
                    Millis(0)
                } else {
                    id_floor
                };
                self.process.minter = SharedMinter::new(worker, floor);
                self.process.minter.limit(id_floor);
                self.open_lane(id.number);
                self.process.relay = Some(Relay::new(id));
            }
            Effect::Lease(until) => self.process.lease = until,
            Effect::Ceiling(ceiling) => self.process.minter.limit(ceiling),
            Effect::Serve(_) => self.look_for_senders(),
            Effect::Release(shards) => {
                let Some(me) = self.process.member.id().cloned() else {
                    return;
                };
                for (shard, epoch) in shards {
                    self.process.leaving.insert(shard);
                    let unit = release(&me, 0, shard, epoch);
                    self.submit(unit, Tag::Release { shard, epoch });
                }
            }
            Effect::Stop => {
                if self.sim.plan.is_calm {
                    let node = self.node.index;
                    let what = format!("n{node} is fenced though nothing kept it from being heard");
                    self.sim.oracles.violated(what);
                }
                self.stop();
            }
            Effect::Hint => {
                for peer in self.peers() {
                    self.send(Place::Node(peer), Packet::Hint);
                }
            }
            Effect::Moved(shards) => {
                for peer in self.peers() {
                    self.send(Place::Node(peer), Packet::Moved(shards.clone()));
                }
            }
            Effect::Over(node) => {
                if let Some(relay) = &mut self.process.relay {
                    relay.over(&node);
                }
            }
            Effect::Quiet => {
                self.process.is_quiet = true;
                self.release();
            }
            Effect::Ended => self.has_ended = true,
            Effect::Superseded => {
                let node = self.node.index;
                self.sim
                    .oracles
                    .violated(format!("n{node} takes itself for another"));
            }
        }
    }

    /// Everything of the incarnation is forgotten.
    fn stop(&mut self) {
        self.stop_relay();
        let process = &mut *self.process;
        process.lane = None;
        process.lives.clear();
        process.replies.clear();
        process.acks.clear();
        process.deliveries.clear();
        process.leaving.clear();
        process.is_quiet = false;
    }

    /// When all is flushed, says so.
    pub(super) fn quieten(&mut self) {
        let is_shut = self.is_shut();
        let process = &mut *self.process;
        let is_ending = process.member.standing() == Standing::Ending;
        let is_drained = process.lane.as_ref().is_none_or(super::Lane::is_drained);
        if process.is_quiet && is_shut && is_ending && is_drained && self.inputs.is_empty() {
            process.is_quiet = false;
            process.lane = None;
            process.lives.clear();
            let used = process.minter.high_water().plus(1);
            self.inputs.push_back(Input::Quiet { used });
        }
    }
}
