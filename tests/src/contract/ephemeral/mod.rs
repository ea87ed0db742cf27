//! What every driver of the ephemeral layer must do. [`ephemeral_contract!`](crate::ephemeral_contract) runs all of it on a
//! [`Fixture`].

mod fixtures;
mod hints;
mod limits;
mod presence;
mod profiles;

use std::time::Duration;

pub use fixtures::{Alone, Fixture, OnRedis, Voids, layer};
pub use hints::*;
pub use limits::*;
pub use presence::*;
pub use profiles::*;

use crate::harness::soon;

/// The pause between two looks at something that is told in the background.
const LOOK: Duration = Duration::from_millis(5);

/// Makes a module of tests, one per demand of the contract.
#[macro_export]
macro_rules! ephemeral_contract {
    ($module:ident, $fixture:ty) => {
        $crate::ephemeral_contract!(@each $module, $fixture:
            a_bucket_gives_its_tokens_and_then_says_when_to_come_back,
            tokens_come_back,
            buckets_are_apart,
            a_row_of_buckets_ends_at_the_first_that_is_empty,
            what_is_offered_is_known,
            an_older_version_is_not_kept_over_a_newer_one,
            a_reading_older_than_an_invalidation_is_not_kept,
            what_is_as_new_as_an_invalidation_stays,
            who_enters_is_online_until_his_last_session_ends,
            the_invisible_are_not_online,
            blocks_hide,
            a_node_hears_itself,
            a_node_that_drains_is_not_up_again,
        );
    };
    (@each $module:ident, $fixture:ty: $($name:ident),* $(,)?) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    $crate::contract::run(async {
                        let fixture = <$fixture as $crate::contract::ephemeral::Fixture>::new().await;
                        $crate::contract::ephemeral::$name(&fixture).await;
                    });
                }
            )*
        }
    };
}

/// Waits until something that is told in the background has come true.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    soon(what, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK).await;
        }
    })
    .await
}
