//! Pages of the list.

use super::*;

#[tokio::test]
async fn lists_come_in_pages_whose_next_link_must_be_rebuilt() {
    let seed: String = (0..250)
        .map(|n| {
            let status = if n % 2 == 0 { "New" } else { "Active" };
            json!({"id": format!("5a1e0001-0000-4000-8000-{n:012}"), "status": status}).to_string() + "\n"
        })
        .collect();
    let server = serve_seed(&seed, SandboxConfig::default()).await;
    for (query, sizes) in [
        ("", &[100, 100, 50][..]),
        ("?$top=100", &[100]),
        ("?$top=130", &[100, 30]),
        ("?$top=1000", &[100, 100, 50]),
        ("?$top=0", &[0]),
        ("?$skip=200", &[50]),
        ("?$skip=250", &[0]),
        ("?$filter=status%20eq%20'Active'", &[100, 25]),
        ("?$filter=status+eq+'Gone'", &[0]),
    ] {
        let mut path = format!("{PATH}{query}");
        let mut ids = std::collections::HashSet::new();
        let mut got = Vec::new();
        loop {
            let page = server.get(&path).await.json();
            let items = page["value"].as_array().unwrap();
            assert_eq!(page["@odata.count"], items.len());
            ids.extend(items.iter().map(|item| item["id"].to_string()));
            got.push(items.len());
            let Some(next) = page["@odata.nextLink"].as_str() else { break };
            let query = next.strip_prefix("http://api.partner.microsoft.com/v1.0/referrals").unwrap();
            path = format!("{PATH}{query}");
        }
        assert_eq!(got, sizes, "{query}");
        assert_eq!(ids.len(), sizes.iter().sum::<usize>(), "{query}: none twice");
    }
    assert_eq!(server.get(&format!("{PATH}?$filter=name+is+'x'")).await.status, 400);
    server.shut_down().await;
}

#[tokio::test]
async fn lists_are_ordered_and_may_lack_etags() {
    for (list_etags, query, first) in
        [(true, "", A), (false, "?$orderby=createdDateTime", B), (true, "?$orderby=createdDateTime+desc", A)]
    {
        let server = serve(SandboxConfig { list_etags, ..SandboxConfig::default() }).await;
        let page = server.get(&format!("{PATH}{query}")).await.json();
        assert_eq!(page["value"][0]["id"], first, "{query}");
        assert_eq!(page["value"][0].get("eTag").is_some(), list_etags);
        server.shut_down().await;
    }
}
