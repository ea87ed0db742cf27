//! The store contract on every driver.

rookery_tests::store_contract!(memory, rookery_tests::contract::Memory);
rookery_tests::store_contract!(redb_process_crash, rookery_tests::contract::Redb);
rookery_tests::store_contract!(redb_power_cut, rookery_tests::contract::RedbPowerCut);
