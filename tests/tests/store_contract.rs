//! The store contract on every driver.

rookery_tests::store_contract!(memory, rookery_tests::contract::Memory);
rookery_tests::store_contract!(redb_process_crash, rookery_tests::contract::Redb);
rookery_tests::store_contract!(redb_power_cut, rookery_tests::contract::RedbPowerCut);
rookery_tests::store_contract!(mongo, rookery_tests::contract::Mongo);
rookery_tests::store_contract!(@each mongo_killed, rookery_tests::contract::MongoKilled:
    big_rows_are_kept_whole,
    what_is_committed_survives_a_crash,
    a_commit_is_repeated_across_a_crash,
    a_fence_survives_a_crash,
    a_repeated_decision_recognises_itself,
);
