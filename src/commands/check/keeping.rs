//! Keeps what was learnt of the service, for plans to come.

use super::inquiry::{Inquiry, ListSeen};
use super::list_shape::{Carried, ListShape};
use crate::commands::Environment;
use crate::commands::learnt::{Learnt, LearntFilter, LearntLists, ServiceKey};
use crate::commands::target::Target;
use crate::domain::characters::visible_path;

/// Keeps what was learnt, where that is anything; returns what to say of it. A sandbox in this process is gone with it.
pub fn keep(target: &Target, inquiry: &Inquiry, environment: &Environment<'_>) -> Option<String> {
    let Target::Service(endpoint, _) = target else { return None };
    let ListSeen::Page(page) = &inquiry.list else { return None };
    let shape = ListShape::of(page, &inquiry.compared);
    if shape.on_page == shape.without_id {
        return None;
    }
    let Some(state_dir) = environment.state_dir else {
        return Some(
            "what was learnt is not kept: nothing says where this user's files are, such as HOME".to_owned(),
        );
    };
    let key = ServiceKey { endpoint: endpoint.as_str(), tenant: inquiry.token.tenant() };
    let filters = inquiry.filters.iter().map(|filter| LearntFilter {
        about: filter.about.to_owned(),
        verdict: filter.verdict.name().to_owned(),
    });
    let learnt = Learnt::of(key, (environment.clock)(), lists(shape), filters.collect());
    let file = visible_path(&key.file(state_dir));
    Some(match learnt.keep(state_dir) {
        Ok(()) => format!("what lists show is kept in {file}, as a hint for plans"),
        Err(error) => format!("what was learnt is not kept: cannot write {file}: {error}"),
    })
}

fn lists(shape: ListShape) -> LearntLists {
    let ListShape { on_page, without_id: _, more, count, etags, element } = shape;
    // Nobody documents whether it counts all referrals or those on the page.
    let referrals = count.filter(|count| *count > on_page).or_else(|| (!more).then_some(on_page));
    let (left_out, nulled) = element.map(|element| (element.left_out, element.nulled)).unzip();
    let nulled = nulled.unwrap_or_default();
    LearntLists { on_page, referrals, any_etags: etags != Carried::None, left_out, nulled }
}
