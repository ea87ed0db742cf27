//! Finding members: by id and by name.

use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{GetMembers, SearchMembers};
use rookery_protocol::document::MemberRow;
use rookery_protocol::limits;

use super::{Live, Turn};

impl Live {
    pub(super) fn get_members(
        &mut self,
        _turn: &mut Turn<'_>,
        request: GetMembers,
    ) -> Answer<Vec<MemberRow>> {
        self.member(request.by)?;
        let found = request
            .users
            .iter()
            .filter_map(|user| self.members.get(user));
        Ok(found.cloned().collect())
    }

    /// Looks at every member: at 100,000 that is a few milliseconds.
    pub(super) fn search_members(
        &mut self,
        _turn: &mut Turn<'_>,
        request: SearchMembers,
    ) -> Answer<Vec<MemberRow>> {
        self.member(request.by)?;
        let prefix = request.query.to_lowercase();
        let limit = request.limit.min(*limits::MEMBER_SEARCH_PAGE.end());
        let begins = |row: &&MemberRow| {
            let names = [&row.nick, &row.global_name];
            let mut names = names.into_iter().flatten().chain([&row.username]);
            names.any(|name| begins_with(name, &prefix))
        };
        let found = self.members.values().filter(begins);
        Ok(found.take(limit).cloned().collect())
    }
}

/// Whether a name begins with something that is in lower case, whatever its own case.
fn begins_with(name: &str, prefix: &str) -> bool {
    let (name, prefix) = (name.as_bytes(), prefix.as_bytes());
    let common = name.len().min(prefix.len());
    if name[..common].is_ascii() {
        return name.len() >= prefix.len() && name[..common].eq_ignore_ascii_case(prefix);
    }
    let lower = String::from_utf8_lossy(name).to_lowercase();
    lower.as_bytes().starts_with(prefix)
}
