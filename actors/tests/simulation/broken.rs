//! Rules that can be broken on purpose, to show that the oracles notice.

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// An incarnation is marked as fenced while its lanes are not.
    SkipFence,
    /// A fence waits for the transaction that a dead process left open.
    FenceWithoutKill,
    /// The silence of others counts also while the store answered nobody.
    CountOutage,
    /// Others are condemned before their leases are over.
    CondemnEarly,
    /// Answers are given although the lease is over.
    IgnoreLease,
    /// A unit counts as durable when it was handed to the lane.
    ReplyBeforeCommit,
    /// Entities are loaded while units of an earlier life are on the lane.
    LoadUnsettled,
    /// Requests have no names.
    ForgetRequests,
    /// What runs in a shard goes on after the shard's release was handed to the lane.
    WriteAfterRelease,
    /// Ids begin where the clock stands, not above what was reserved.
    IgnoreFloor,
    /// An outbox is not looked for when a shard is claimed.
    ForgetOutbox,
    /// Sessions are resumed and handed over although the lease is over.
    KeepSessions,
    /// Who is not linked counts as over: copies of his sessions go on.
    CopyOfUnlinked,
    /// A session that has come from elsewhere is not found by its name.
    ForgetName,
    /// A buddy that may have lost what it was told is told only what is new.
    TellNotAnew,
    /// A buddy hears of topics and not of how many events a session had by then.
    TellNoNumbers,
    /// What found no room on the way to another node is forgotten.
    ForgetBehind,
    /// What was missed is not looked for when a link is new.
    LookNotAtLinks,
    /// A session that has moved goes on from where its topics are now.
    RejoinWithoutLog,
}

impl Broken {
    pub(crate) const ALL: [Self; 19] = [
        Self::SkipFence,
        Self::FenceWithoutKill,
        Self::CountOutage,
        Self::CondemnEarly,
        Self::IgnoreLease,
        Self::ReplyBeforeCommit,
        Self::LoadUnsettled,
        Self::ForgetRequests,
        Self::WriteAfterRelease,
        Self::IgnoreFloor,
        Self::ForgetOutbox,
        Self::KeepSessions,
        Self::CopyOfUnlinked,
        Self::ForgetName,
        Self::TellNotAnew,
        Self::TellNoNumbers,
        Self::ForgetBehind,
        Self::LookNotAtLinks,
        Self::RejoinWithoutLog,
    ];
}
