//! The contract of the ephemeral layer on every driver.

rookery_tests::ephemeral_contract!(memory, rookery_tests::contract::ephemeral::Alone);
rookery_tests::ephemeral_contract!(redis, rookery_tests::contract::ephemeral::OnRedis);
