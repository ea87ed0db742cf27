//! stub
use crate::entity::*;
use async_trait::async_trait;
use rookery_protocol::time::Millis;
/// stub
#[derive(Debug)]
pub struct User;
#[async_trait]
impl Core for User {
    type Command = rookery_protocol::command::user::UserCommand;
    type Reply = rookery_protocol::command::user::UserReply;
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
