//! stub
use crate::entity::*;
use async_trait::async_trait;
use rookery_protocol::time::Millis;
/// stub
#[derive(Debug)]
pub struct Group;
#[async_trait]
impl Core for Group {
    type Command = rookery_protocol::command::group::GroupCommand;
    type Reply = rookery_protocol::command::group::GroupReply;
    async fn load(_: u64, _: u16, _: &dyn crate::store::Store) -> Result<Self, LoadError> {
        Ok(Self)
    }
    fn step(
        &mut self,
        _: Millis,
        _: u64,
        _: Input<Self::Command>,
        _: &mut Vec<Effect<Self::Reply>>,
    ) {
    }
}
